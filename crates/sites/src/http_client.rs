//! The HTTPS client that the site lends to `openidconnect`: no redirect, no proxy, answers up to
//! a limit.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::Certificate;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes.
const ANSWER_MAX_BYTES: usize = 1 << 20;

/// A client for calls to the gateway.
pub(crate) struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client that trusts the authorities of `ca_file` alone, where one is given.
    pub(crate) fn new(ca_file: Option<&Path>) -> anyhow::Result<HttpClient> {
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .dns_resolver(Arc::new(LoopbackNames));
        if let Some(path) = ca_file {
            let named = || format!("cannot read certificates from {}", path.display());
            let pem = std::fs::read(path).with_context(named)?;
            let authorities = Certificate::from_pem_bundle(&pem).with_context(named)?;
            builder = builder.tls_certs_only(authorities);
        }
        Ok(HttpClient(builder.build()?))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let mut response = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_MAX_BYTES {
                return Err(CallError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, CallError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the gateway could not be reached")]
    Unreachable(#[from] reqwest::Error),
    #[error("the answer is too large")]
    TooLarge,
}

/// Answers names under `localhost` itself (RFC 6761 section 6.3), because not every system does.
struct LoopbackNames;

impl Resolve for LoopbackNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str();
            if host == "localhost" || host.ends_with(".localhost") {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Ok(Box::new(std::iter::once(address)) as Addrs);
            }
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
