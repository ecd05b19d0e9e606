//! Request bodies: read whole within the route's limit, parsed, refused without being quoted.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::problem::{OAuthError, Problem};

/// A JSON body. Unlike axum's own, its refusal never quotes what was sent: a parser's message
/// may hold a name or a number.
#[derive(Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "This endpoint takes application/json",
            ));
        }
        let body = read(request, state).await?;
        serde_json::from_slice(&body).map(StrictJson).map_err(|_| {
            Problem::malformed_request().with_detail("the body is not the JSON object expected")
        })
    }
}

/// A body as it came, for endpoints of OAuth.
#[derive(Debug)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<Self, OAuthError> {
        let refused = |problem: Problem| {
            let title = "the body cannot be read or is too large";
            OAuthError::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                problem.id(),
                title,
            )
        };
        read(request, state).await.map(RawBody).map_err(refused)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| {
            if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
                return Problem::malformed_request();
            }
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is larger than this endpoint takes",
            )
        })
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let Some(kind) = kind.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
