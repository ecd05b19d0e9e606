//! A server that has a party's TLS certificate and answers as a test says: a dishonest party.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use server::client::HttpsClient;
use server::config::{ClientConfig, ServerConfig};
use server::demo::deployment::{Deployment, Party};
use server::serve::Bound;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`, for example.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// Its headers, but for those of the connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Said {
    /// A success.
    #[must_use]
    pub fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> Said {
        let content_type = HeaderValue::from_static(content_type);
        Said {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, content_type)]),
            body: body.into(),
        }
    }
}

type Behaviour = Box<dyn Fn(&Asked) -> Said + Send>;

/// A dishonest party. Dropped, it stops.
pub struct Impostor {
    address: SocketAddr,
    behaviour: Arc<Mutex<Behaviour>>,
    heard: Arc<Mutex<Vec<Asked>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Impostor {
    /// Takes the name of `party` on a free port, and answers nothing useful yet.
    ///
    /// # Errors
    ///
    /// When no port can be taken.
    pub fn start(deployment: &Deployment, party: Party) -> anyhow::Result<Impostor> {
        let folder = deployment.folder_of(party);
        let config = ServerConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            certificate_file: folder.join("tls.pem"),
            private_key_file: folder.join("tls.key"),
            stop_with_stdin: false,
            request_timeout_secs: 30,
            connections_max: 64,
        };
        let silent: Behaviour = Box::new(|_| Said::ok("text/plain", ""));
        let (behaviour, heard) = (
            Arc::new(Mutex::new(silent)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let app = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&behaviour), Arc::clone(&heard)));
        let (stop, stopped) = oneshot::channel();
        let (ready, waits) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let bound = Bound::new(&config).await;
                let _told = ready.send(
                    bound
                        .as_ref()
                        .map(Bound::address)
                        .map_err(|e| format!("{e:#}")),
                );
                if let Ok(bound) = bound {
                    bound.run_until(app, async { drop(stopped.await) }).await;
                }
            });
        });
        let address = match waits.recv().context("the impostor did not start")? {
            Ok(address) => address,
            Err(error) => bail!("{error}"),
        };
        Ok(Impostor {
            address,
            behaviour,
            heard,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it answers like this.
    pub fn behave(&self, behaviour: impl Fn(&Asked) -> Said + Send + 'static) {
        *self
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Box::new(behaviour);
    }

    /// What was asked since this was last called.
    #[must_use]
    pub fn heard(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

type Shared = (Arc<Mutex<Behaviour>>, Arc<Mutex<Vec<Asked>>>);

async fn answer(
    State((behaviour, heard)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked {
        method,
        path: uri.to_string(),
        headers,
        body,
    };
    heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked.clone());
    // A behaviour may ask the real party, which waits.
    let said = tokio::task::spawn_blocking(move || {
        behaviour.lock().unwrap_or_else(PoisonError::into_inner)(&asked)
    });
    match said.await {
        Ok(said) => (said.status, said.headers, said.body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The way from an impostor to the real party.
#[derive(Clone)]
pub struct Real {
    client: HttpsClient,
    base: String,
}

impl Real {
    /// `party`, at the address where it listens itself.
    ///
    /// # Errors
    ///
    /// When the deployment's authority cannot be read.
    pub fn new(deployment: &Deployment, party: Party, address: SocketAddr) -> anyhow::Result<Real> {
        let client = HttpsClient::new(&ClientConfig {
            ca_file: Some(deployment.ca()),
            timeout_secs: 30,
        })?;
        let base = format!("https://{}:{}", party.host(), address.port());
        Ok(Real { client, base })
    }

    /// Passes a request on; for use in a behaviour.
    #[must_use]
    pub fn ask(&self, asked: &Asked) -> Said {
        let url = format!("{}{}", self.base, asked.path);
        let request = self.client.requests().request(asked.method.clone(), url);
        let request = request.headers(without_connection(&asked.headers));
        let sent = self.client.send(request.body(asked.body.clone()));
        match Handle::current().block_on(sent) {
            Ok(answer) => Said {
                status: answer.status,
                headers: without_connection(&answer.headers),
                body: answer.body,
            },
            Err(error) => Said {
                status: StatusCode::BAD_GATEWAY,
                ..Said::ok("text/plain", error.to_string())
            },
        }
    }
}

/// What is said about the message, not about the connection that carries it.
fn without_connection(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ] {
        headers.remove(name);
    }
    headers
}
