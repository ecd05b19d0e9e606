//! A trustee's routes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use oprf::GroupKey;
use service::attestation::AttestationError;
use service::trustee::{EvaluationRequest, EvaluationResponse, Trustee, TrusteeError};

use super::body::StrictJson;
use super::problem::Problem;
use crate::clock::Now;

/// All routes.
pub fn routes(trustee: Arc<Trustee>) -> Router {
    Router::new()
        .route("/evaluate", post(evaluate))
        .route("/group", get(group))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .with_state(trustee)
}

async fn evaluate(
    State(trustee): State<Arc<Trustee>>,
    Now(now): Now,
    StrictJson(request): StrictJson<EvaluationRequest>,
) -> Result<Json<EvaluationResponse>, Refusal> {
    Ok(Json(trustee.evaluate(&request, now).await?))
}

async fn group(State(trustee): State<Arc<Trustee>>) -> Json<GroupKey> {
    Json(trustee.group().clone())
}

/// A refusal of the service as an answer.
struct Refusal(TrusteeError);

impl From<TrusteeError> for Refusal {
    fn from(error: TrusteeError) -> Refusal {
        Refusal(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, id, title) = match self.0 {
            TrusteeError::Elements => (
                StatusCode::BAD_REQUEST,
                "bad-elements",
                "The elements are not 1 to 4 canonical group elements",
            ),
            TrusteeError::Attestation(AttestationError::Signature | AttestationError::Issuer) => (
                StatusCode::FORBIDDEN,
                "bad-attestation",
                "The attestation does not hold",
            ),
            TrusteeError::Attestation(AttestationError::Time) => (
                StatusCode::FORBIDDEN,
                "attestation-expired",
                "The attestation is not valid at this time",
            ),
            TrusteeError::OtherElements => (
                StatusCode::FORBIDDEN,
                "other-elements",
                "The attestation is for other elements",
            ),
            TrusteeError::AlreadyUsed => (
                StatusCode::CONFLICT,
                "evidence-already-used",
                "This evidence was evaluated before",
            ),
            TrusteeError::RateLimited => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate-limited",
                "There are too many evaluations at present",
            ),
            TrusteeError::Store(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "evaluation failed"
                );
                return Problem::internal().into_response();
            }
        };
        Problem::new(status, id, title).into_response()
    }
}
