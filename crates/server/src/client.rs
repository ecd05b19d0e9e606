//! The one HTTPS client for calls to other servers.
//!
//! It follows no redirect, uses no proxy, keeps no cookie, reads answers up to a limit, and
//! speaks to nobody over plain HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Request, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;

use crate::config::ClientConfig;
use crate::failure::OrFail;
use crate::tls::is_loopback;

/// Largest answer that is read where nothing else is said, in bytes.
const ANSWER_MAX_BYTES: usize = 4 << 20;

/// How long an unused connection is kept: less than servers keep theirs, so that no call is sent
/// into a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// A client for calls to other servers; cheap to clone.
#[derive(Clone, Debug)]
pub struct HttpsClient {
    client: reqwest::Client,
    answer_max_bytes: usize,
}

/// What one call may take.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Until there is a connection.
    pub connect: Duration,
    /// In all.
    pub total: Duration,
    /// Largest answer that is read.
    pub answer_max_bytes: usize,
}

/// An answer read whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The other side was not reached, or not in time.
    #[error("the server could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The answer is larger than is read.
    #[error("the answer is too large")]
    TooLarge,
}

impl CallError {
    /// Whether the other side took too long.
    #[must_use]
    pub fn timed_out(&self) -> bool {
        match self {
            CallError::Unreachable(error) => error.is_timeout(),
            CallError::TooLarge => false,
        }
    }
}

impl HttpsClient {
    /// Builds a client.
    ///
    /// # Errors
    ///
    /// When the CA file cannot be read.
    pub fn new(config: &ClientConfig) -> anyhow::Result<HttpsClient> {
        let timeout = Duration::from_secs(config.timeout_secs);
        let limits = CallLimits {
            connect: timeout,
            total: timeout,
            answer_max_bytes: ANSWER_MAX_BYTES,
        };
        HttpsClient::with_limits(config.ca_file.as_deref(), limits)
    }

    /// Builds a client that trusts the authorities in `ca_file`, or the platform's, and keeps to
    /// these limits.
    ///
    /// # Errors
    ///
    /// When the CA file cannot be read.
    pub fn with_limits(ca_file: Option<&Path>, limits: CallLimits) -> anyhow::Result<HttpsClient> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .pool_idle_timeout(IDLE_TIMEOUT)
            .timeout(limits.total)
            .connect_timeout(limits.connect)
            .dns_resolver(Arc::new(LoopbackAwareResolver));
        if let Some(path) = ca_file {
            builder = builder.tls_certs_only(read_authorities(path)?);
        }
        let client = builder
            .build()
            .or_fail("file-invalid", || "cannot set up TLS for outgoing calls")?;
        Ok(HttpsClient {
            client,
            answer_max_bytes: limits.answer_max_bytes,
        })
    }

    /// The library's client, for making a request.
    #[must_use]
    pub fn requests(&self) -> &reqwest::Client {
        &self.client
    }

    /// Sends a request and reads the answer, up to 4 MiB or the limit of this client.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is too large; any status is an answer.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        let request = request.build().map_err(CallError::Unreachable)?;
        self.execute(request).await
    }

    async fn execute(&self, request: Request) -> Result<Answer, CallError> {
        let mut response = self
            .client
            .execute(request)
            .await
            .map_err(CallError::Unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(CallError::Unreachable)? {
            if body.len() + chunk.len() > self.answer_max_bytes {
                return Err(CallError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body,
        })
    }
}

impl Answer {
    /// Parses the body.
    ///
    /// # Errors
    ///
    /// When it is not the JSON expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

fn read_authorities(path: &Path) -> anyhow::Result<Vec<Certificate>> {
    let pem = crate::files::read(path)?;
    Certificate::from_pem_bundle(&pem).or_fail("file-invalid", || {
        format!("cannot read certificates from {}", path.display())
    })
}

/// Answers names of the loopback interface itself, as RFC 6761 §6.3 asks, and leaves the rest
/// to the system.
#[derive(Debug)]
pub(crate) struct LoopbackAwareResolver;

impl Resolve for LoopbackAwareResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            if is_loopback(name.as_str()) {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Ok(Box::new(std::iter::once(address)) as Addrs);
            }
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
