//! Questions to an authoritative register over HTTPS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use credential::jose::{PublicKey, SigningKey};
use credential::origin::Origin;
use credential::time::UnixTime;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use service::residents::{AuthoritativeRegister, Inquiry, RegisterAnswer, RegisterError};

use crate::client::{Answer, CallError, CallLimits, HttpsClient};
use crate::config::ClientConfig;
use crate::config::operator::AuthorityConfig;
use crate::failure::refused;

/// Largest answer that is read, in bytes; one has about 600.
const ANSWER_MAX_BYTES: usize = 16 * 1024;

/// A register behind its connector.
pub struct HttpsRegister {
    origin: Origin,
    url: String,
    register_key: PublicKey,
    attester: (String, Arc<SigningKey>),
    client: HttpsClient,
    timeout: Duration,
}

impl HttpsRegister {
    /// The register of the configuration, asked under the name and key of `attester`.
    ///
    /// # Errors
    ///
    /// When the CA file cannot be read.
    pub fn new(
        config: &AuthorityConfig,
        client: &ClientConfig,
        attester: (String, Arc<SigningKey>),
    ) -> anyhow::Result<HttpsRegister> {
        let timeout = Duration::from_secs(config.timeout_secs.get());
        let limits = CallLimits {
            connect: Duration::from_secs(config.connect_timeout_secs.get()),
            total: timeout,
            answer_max_bytes: ANSWER_MAX_BYTES,
        };
        Ok(HttpsRegister {
            origin: config.origin.clone(),
            url: format!("{}/v1/verify", config.origin),
            register_key: config.key,
            attester,
            client: HttpsClient::with_limits(client.ca_file.as_deref(), limits)?,
            timeout,
        })
    }

    /// Sends the question, and the same once more where the connector failed: it answers the
    /// second as it did the first.
    async fn ask(&self, inquiry: &Inquiry, token: &str) -> Result<Answer, RegisterError> {
        let first = self.send(inquiry, token).await;
        match first {
            Err(RegisterError::Unavailable) => self.send(inquiry, token).await,
            Ok(_) | Err(_) => first,
        }
    }

    async fn send(&self, inquiry: &Inquiry, token: &str) -> Result<Answer, RegisterError> {
        let call = self.client.requests().post(&self.url).bearer_auth(token);
        let call = call.header(CONTENT_TYPE, "application/json");
        let call = call.body(inquiry.body().to_vec());
        let answer = self.client.send(call).await.map_err(|error| match error {
            CallError::Unreachable(_) if error.timed_out() => RegisterError::TimedOut,
            CallError::Unreachable(_) => RegisterError::Unavailable,
            CallError::TooLarge => RegisterError::AnswerInvalid,
        })?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            StatusCode::REQUEST_TIMEOUT => Err(RegisterError::TimedOut),
            status if status.is_server_error() => Err(RegisterError::Unavailable),
            status if status.is_client_error() => Err(RegisterError::Refused(refused(&answer).id)),
            _ => Err(RegisterError::AnswerInvalid),
        }
    }
}

#[async_trait]
impl AuthoritativeRegister for HttpsRegister {
    async fn verify(
        &self,
        inquiry: &Inquiry,
        now: UnixTime,
    ) -> Result<RegisterAnswer, RegisterError> {
        let (name, key) = &self.attester;
        let token = inquiry.token(key, (name, &self.origin), now);
        let answer = tokio::time::timeout(self.timeout, self.ask(inquiry, &token)).await;
        let answer = answer.map_err(|_| RegisterError::TimedOut)??;
        let compact =
            std::str::from_utf8(&answer.body).map_err(|_| RegisterError::AnswerInvalid)?;
        Ok(inquiry.read_answer(compact, &self.register_key)?)
    }
}
