//! Refusals: problem details for our own endpoints, OAuth errors where OAuth fixes the form.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Where the identifiers of our errors live.
const TYPE_PREFIX: &str = "https://bauta.example/errors/";

/// A refusal with a stable identifier, sent as `application/problem+json`.
///
/// Source: RFC 9457 §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    id: &'static str,
    title: &'static str,
    detail: String,
    /// The scheme of `WWW-Authenticate`, which a 401 has to name (RFC 9110 §11.6.1).
    challenge: Option<&'static str>,
}

impl Problem {
    /// A refusal. `id` is kebab-case and never changes; `title` is the same for every case of
    /// `id`; neither quotes what the caller sent.
    #[must_use]
    pub fn new(status: StatusCode, id: &'static str, title: &'static str) -> Problem {
        Problem {
            status,
            id,
            title,
            detail: String::new(),
            challenge: None,
        }
    }

    /// No or wrong credentials: `scheme` is that of the header `Authorization`, as a token.
    #[must_use]
    pub fn unauthorized(scheme: &'static str, id: &'static str, title: &'static str) -> Problem {
        Problem {
            challenge: Some(scheme),
            ..Problem::new(StatusCode::UNAUTHORIZED, id, title)
        }
    }

    /// Says what to do about this case; must not quote personal data.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Problem {
        Problem {
            detail: detail.into(),
            ..self
        }
    }

    /// The request is not of the form that the endpoint takes.
    #[must_use]
    pub fn malformed_request() -> Problem {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-request",
            "The request does not have the form that this endpoint takes",
        )
    }

    /// We failed; the reason is in the log, not in the answer.
    #[must_use]
    pub fn internal() -> Problem {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal-error",
            "The server could not finish the request",
        )
    }

    /// No such resource, or none that the caller may know of.
    #[must_use]
    pub fn not_found() -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing at this address",
        )
    }

    /// The address exists, the method does not.
    #[must_use]
    pub fn method_not_allowed() -> Problem {
        Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "This address does not take this method",
        )
    }

    /// The time for the request is over; what it began may still come to its end.
    #[must_use]
    pub fn request_timeout() -> Problem {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request-timeout",
            "The request took too long; send the same request again",
        )
    }

    /// The stable identifier.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }
}

#[derive(Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    id: &'a str,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            r#type: format!("{TYPE_PREFIX}{}", self.id),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            id: self.id,
        };
        let mut response = (self.status, Json(body)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(scheme) = self.challenge {
            let challenge = HeaderValue::from_static(scheme);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A refusal in the form of OAuth and the OpenID specifications, with our identifier beside it.
///
/// Source: RFC 6749 §5.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    status: StatusCode,
    error: &'static str,
    error_description: &'static str,
    id: &'static str,
}

impl OAuthError {
    /// A refusal with the registered `error` code and our own `id`.
    #[must_use]
    pub fn new(
        status: StatusCode,
        error: &'static str,
        id: &'static str,
        error_description: &'static str,
    ) -> OAuthError {
        OAuthError {
            status,
            error,
            error_description,
            id,
        }
    }

    /// The stable identifier.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }
}

#[derive(Serialize)]
struct OAuthBody {
    error: &'static str,
    error_description: &'static str,
    id: &'static str,
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = OAuthBody {
            error: self.error,
            error_description: self.error_description,
            id: self.id,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_sent_as_problem_json() {
        let response = Problem::not_found().with_detail("x").into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let kind = response.headers().get(header::CONTENT_TYPE).unwrap();
        assert_eq!(kind, "application/problem+json");
    }

    #[test]
    fn a_problem_names_the_scheme_when_unauthorized_and_then_alone() {
        let refusal = Problem::unauthorized("Officer", "x", "y").into_response();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        let challenge = refusal.headers().get(header::WWW_AUTHENTICATE).unwrap();
        assert_eq!(challenge, "Officer");
        let other = Problem::not_found().into_response();
        assert!(other.headers().get(header::WWW_AUTHENTICATE).is_none());
    }

    #[test]
    fn an_oauth_refusal_is_not_cached_and_names_the_scheme_when_unauthorized() {
        let refusal = OAuthError::new(StatusCode::UNAUTHORIZED, "invalid_token", "x", "y");
        let response = refusal.into_response();
        assert_eq!(
            response.headers().get(header::CACHE_CONTROL).unwrap(),
            "no-store"
        );
        assert_eq!(
            response.headers().get(header::WWW_AUTHENTICATE).unwrap(),
            "Bearer"
        );
    }
}
