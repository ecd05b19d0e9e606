//! Calls to trustees over HTTPS.

use async_trait::async_trait;
use credential::origin::Origin;
use oprf::ShareIndex;
use reqwest::StatusCode;
use serde::Deserialize;
use service::tags::{TrusteeClient, TrusteeFailure};
use service::trustee::{EvaluationRequest, EvaluationResponse};

use crate::client::HttpsClient;

/// One trustee, reached over HTTPS.
pub struct HttpsTrustee {
    index: ShareIndex,
    url: String,
    client: HttpsClient,
}

impl HttpsTrustee {
    /// The trustee at `origin` that holds the share `index`.
    #[must_use]
    pub fn new(index: ShareIndex, origin: &Origin, client: HttpsClient) -> HttpsTrustee {
        HttpsTrustee {
            index,
            url: format!("{origin}/evaluate"),
            client,
        }
    }
}

/// The one member of a refusal that is logged.
#[derive(Deserialize)]
struct RefusalBody {
    id: String,
}

#[async_trait]
impl TrusteeClient for HttpsTrustee {
    fn index(&self) -> ShareIndex {
        self.index
    }

    async fn evaluate(
        &self,
        request: &EvaluationRequest,
    ) -> Result<EvaluationResponse, TrusteeFailure> {
        let call = self.client.requests().post(&self.url).json(request);
        let answer = self
            .client
            .send(call)
            .await
            .map_err(|_| TrusteeFailure::Unreachable)?;
        if answer.status != StatusCode::OK {
            let id = answer.json::<RefusalBody>().map(|body| body.id);
            let known = id.ok().filter(|id| id.len() < 64 && id.is_ascii());
            return Err(TrusteeFailure::Refused(known.unwrap_or_default()));
        }
        answer.json().map_err(|_| TrusteeFailure::WrongAnswer)
    }
}
