//! Serving HTTPS until told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config::ServerConfig;
use crate::failure::OrFail;
use crate::http::run_to_end::RunningRequests;
use crate::tls;

/// How long a client may take over the TLS handshake, and over the head of a request.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests that run may go on once the process was told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that has its address and certificate and does not answer yet.
pub struct Bound<'a> {
    config: &'a ServerConfig,
    listener: TcpListener,
    acceptor: TlsAcceptor,
    address: SocketAddr,
}

impl Bound<'_> {
    /// Takes the address of the configuration and reads its certificate.
    ///
    /// # Errors
    ///
    /// When the certificate cannot be read or the address is taken.
    pub async fn new(config: &ServerConfig) -> anyhow::Result<Bound<'_>> {
        let tls = tls::server_config(&config.certificate_file, &config.private_key_file)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .or_fail("address-taken", || {
                format!("cannot listen on {}", config.listen)
            })?;
        let address = listener.local_addr()?;
        Ok(Bound {
            config,
            listener,
            acceptor: TlsAcceptor::from(tls),
            address,
        })
    }

    /// The address, with the port that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `app` until SIGTERM or SIGINT, then finishes what runs.
    ///
    /// Prints one line `{"listening":"127.0.0.1:PORT"}` on standard output when ready.
    ///
    /// # Errors
    ///
    /// When signals or standard output cannot be used.
    pub async fn run(self, app: Router) -> anyhow::Result<()> {
        let signals = StopSignals::new()?;
        announce(self.address)?;
        let stop = signals.received(if self.config.stop_with_stdin {
            Stdin::Watched
        } else {
            Stdin::Ignored
        });
        self.run_until(app, stop).await;
        Ok(())
    }

    /// Serves `app` until `stop` is done, then finishes what runs.
    pub async fn run_until(self, app: Router, stop: impl Future<Output = ()>) {
        let requests = RunningRequests::new(self.config.connections_max);
        let server = Server {
            acceptor: self.acceptor,
            app: with_limits(app, self.config, &requests),
            graceful: GracefulShutdown::new(),
            slots: Arc::new(Semaphore::new(self.config.connections_max)),
        };
        tokio::select! {
            () = server.accept_all(&self.listener) => {}
            () = stop => {}
        }
        // New connections are refused from here on.
        drop(self.listener);
        tracing::info!("stopping");
        let finished = async {
            server.graceful.shutdown().await;
            requests.ended().await;
        };
        if tokio::time::timeout(STOP_TIMEOUT, finished).await.is_err() {
            tracing::warn!("some requests did not finish in time");
        }
    }
}

/// Serves `app` over HTTPS until SIGTERM or SIGINT, as [`Bound::run`] does.
///
/// # Errors
///
/// When the certificate cannot be read or the address is taken.
pub async fn serve(config: &ServerConfig, app: Router) -> anyhow::Result<()> {
    Bound::new(config).await?.run(app).await
}

/// Puts the limits of the configuration around all routes.
fn with_limits(app: Router, config: &ServerConfig, requests: &RunningRequests) -> Router {
    let timeout = Duration::from_secs(config.request_timeout_secs);
    let requests = requests.clone();
    let run_to_end = middleware::from_fn(move |request, next| {
        let requests = requests.clone();
        async move { requests.run(request, next, timeout).await }
    });
    let hsts = HeaderValue::from_static("max-age=31536000");
    let nosniff = HeaderValue::from_static("nosniff");
    app.layer(run_to_end)
        .layer(SetResponseHeaderLayer::if_not_present(
            header::STRICT_TRANSPORT_SECURITY,
            hsts,
        ))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::X_CONTENT_TYPE_OPTIONS,
            nosniff,
        ))
}

#[expect(
    clippy::print_stdout,
    reason = "the line that says which port was taken"
)]
pub(crate) fn announce(address: SocketAddr) -> anyhow::Result<()> {
    println!(
        "{}",
        serde_json::json!({ "listening": address.to_string() })
    );
    std::io::stdout()
        .flush()
        .context("cannot write to standard output")
}

struct Server {
    acceptor: TlsAcceptor,
    app: Router,
    graceful: GracefulShutdown,
    slots: Arc<Semaphore>,
}

impl Server {
    async fn accept_all(&self, listener: &TcpListener) {
        loop {
            let slot = Arc::clone(&self.slots).acquire_owned().await;
            let Ok(slot) = slot else { return };
            match listener.accept().await {
                Ok((stream, _peer)) => self.spawn_connection(stream, slot),
                Err(error) => {
                    // Out of file descriptors, for example: give the others time to finish.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn spawn_connection(&self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        let acceptor = self.acceptor.clone();
        let service = TowerToHyperService::new(self.app.clone());
        let watcher = self.graceful.watcher();
        // Or an answer of two parts waits for the peer's late acknowledgement of the first, 40 ms.
        let _gone = stream.set_nodelay(true);
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = handshake {
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new())
                    .header_read_timeout(HANDSHAKE_TIMEOUT);
                let connection = http.serve_connection(TokioIo::new(stream), service);
                // A peer that went away is no event worth a line.
                let _closed: Result<(), _> = watcher.watch(connection).await;
            }
            drop(slot);
        });
    }
}

/// Waits for the end of standard input. On a thread of its own, because a read that waits would
/// hold up the end of the runtime.
async fn stdin_closed() {
    let (closed, waits) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _all = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _stopped = closed.send(());
    });
    let _closed = waits.await;
}

/// Whether the end of standard input ends the process, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// It does: whoever has started the process may be gone.
    Watched,
    /// It does not.
    Ignored,
}

/// SIGTERM and SIGINT.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(crate) fn new() -> anyhow::Result<StopSignals> {
        Ok(StopSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them, or for the end of a standard input that is watched.
    pub(crate) async fn received(mut self, stdin: Stdin) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = stdin_closed(), if stdin == Stdin::Watched => {}
        }
    }
}
