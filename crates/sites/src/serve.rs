//! Serving HTTPS until SIGTERM or SIGINT.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::Listener;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::ServerConfig;

/// How long a client may take over the TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests that run may go on once the process was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections that wait for the server.
const BACKLOG: usize = 64;

/// Serves `app`; prints `{"listening":"127.0.0.1:PORT"}` when ready.
pub(crate) async fn serve(config: &ServerConfig, app: Router) -> anyhow::Result<()> {
    let tls = tls(config)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = tokio::sync::watch::channel(());
    let with_stdin = config.stop_with_stdin;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed(), if with_stdin => {}
        }
        drop(stop);
    });
    let address = listener.local_addr()?;
    let listener = TlsListener::start(listener, TlsAcceptor::from(Arc::new(tls)))?;
    announce(address)?;
    let mut told = stopped.clone();
    let serving = axum::serve(listener, app).with_graceful_shutdown(async move {
        let _dropped = told.changed().await;
    });
    let mut told = stopped;
    tokio::select! {
        served = serving => served?,
        () = async {
            let _dropped = told.changed().await;
            tokio::time::sleep(STOP_TIMEOUT).await;
        } => tracing::warn!("some requests did not finish in time"),
    }
    Ok(())
}

/// Returns when the other end of standard input is gone. On a thread of its own, because a read
/// that waits would hold up the end of the runtime.
async fn stdin_closed() {
    let (closed, waits) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _all = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _stopped = closed.send(());
    });
    let _closed = waits.await;
}

#[expect(
    clippy::print_stdout,
    reason = "the line that says which port was taken"
)]
fn announce(address: SocketAddr) -> anyhow::Result<()> {
    println!(
        "{}",
        serde_json::json!({ "listening": address.to_string() })
    );
    std::io::stdout()
        .flush()
        .context("cannot write to standard output")
}

fn tls(config: &ServerConfig) -> anyhow::Result<rustls::ServerConfig> {
    let file = &config.certificate_file;
    let chain = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read certificates from {}", file.display()))?;
    let file = &config.private_key_file;
    let key = PrivateKeyDer::from_pem_file(file)
        .with_context(|| format!("cannot read a private key from {}", file.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

type Connection = (TlsStream<TcpStream>, SocketAddr);

/// Hands over connections after their handshake, so that a slow client holds up nobody.
struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<Connection>,
}

impl TlsListener {
    fn start(listener: TcpListener, acceptor: TlsAcceptor) -> anyhow::Result<TlsListener> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(BACKLOG);
        tokio::spawn(accept_all(listener, acceptor, done));
        Ok(TlsListener { address, ready })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Connection {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept_all(listener: TcpListener, acceptor: TlsAcceptor, done: mpsc::Sender<Connection>) {
    // Ends when the server drops its half: it was told to stop.
    while !done.is_closed() {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = done.closed() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, for example: give the others time to finish.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Or an answer of two parts waits for the peer's late acknowledgement of the first, 40 ms.
        let _gone = stream.set_nodelay(true);
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                let _stopping = done.send((stream, peer)).await;
            }
        });
    }
}
