//! Form bodies, handed on as they are: the gateway's own parsers are strict.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};

use crate::http::problem::OAuthError;

/// The text of a form body.
#[derive(Debug)]
pub(super) struct FormText(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for FormText {
    type Rejection = OAuthError;

    async fn from_request(request: Request, state: &S) -> Result<FormText, OAuthError> {
        let kind = request.headers().get(header::CONTENT_TYPE);
        let kind = kind
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OAuthError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "invalid_request",
                "unsupported-media-type",
                "this endpoint takes application/x-www-form-urlencoded",
            ));
        }
        match String::from_request(request, state).await {
            Ok(text) => Ok(FormText(text)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(OAuthError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "invalid_request",
                    "body-too-large",
                    "the body is larger than this endpoint takes",
                ))
            }
            Err(_) => Err(OAuthError::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "malformed-request",
                "the body is not a form",
            )),
        }
    }
}
