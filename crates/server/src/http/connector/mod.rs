//! The routes of a register's connector.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use service::residents::{Connector, ConnectorError, TokenError};

use super::bearer::Bearer;
use super::body::{JWT, JsonOctets};
use super::problem::Problem;
use crate::clock::Now;

/// All routes.
pub fn routes(connector: Arc<Connector>) -> Router {
    Router::new()
        .route("/v1/verify", post(verify))
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .with_state(connector)
}

async fn verify(
    State(connector): State<Arc<Connector>>,
    Now(now): Now,
    Bearer(token): Bearer,
    JsonOctets(body): JsonOctets,
) -> Result<impl IntoResponse, Refusal> {
    let answer = connector.verify(&token, &body, now).await?;
    let headers = [
        (header::CONTENT_TYPE, JWT),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, answer))
}

/// A refusal of the service as an answer.
struct Refusal(ConnectorError);

impl From<ConnectorError> for Refusal {
    fn from(error: ConnectorError) -> Refusal {
        Refusal(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, id, title) = match self.0 {
            ConnectorError::Token(TokenError::Invalid) => (
                StatusCode::FORBIDDEN,
                "bad-request-token",
                "The token is not the enrolment service's for this request",
            ),
            ConnectorError::Token(TokenError::Time) => (
                StatusCode::FORBIDDEN,
                "request-token-expired",
                "The token is not valid at this time",
            ),
            ConnectorError::Malformed => return Problem::malformed_request().into_response(),
            ConnectorError::Number(_) => (
                StatusCode::BAD_REQUEST,
                "bad-number",
                "The number is none of its kind",
            ),
            ConnectorError::IdUsed => (
                StatusCode::CONFLICT,
                "request-id-used",
                "Another request has this identifier",
            ),
            ConnectorError::RateLimited => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate-limited",
                "There are too many questions at present",
            ),
            ConnectorError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "no answer");
                return Problem::internal().into_response();
            }
        };
        Problem::new(status, id, title).into_response()
    }
}
