//! Request bodies: read whole within the route's limit, parsed, refused without being quoted.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use bytes::{Bytes, BytesMut};
use credential::jose;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use super::problem::{OAuthError, Problem};

/// A JSON body. Unlike axum's own, its refusal never quotes what was sent: a parser's message
/// may hold a name or a number.
#[derive(Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        needs_json(&request)?;
        let body = read(request).await?;
        jose::parse_object(&body).map(StrictJson).ok_or_else(|| {
            Problem::malformed_request().with_detail("the body is not the JSON object expected")
        })
    }
}

/// A JSON body as it came, for who needs its octets.
pub struct JsonOctets(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonOctets {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        needs_json(&request)?;
        read(request).await.map(JsonOctets)
    }
}

fn needs_json(request: &Request) -> Result<(), Problem> {
    if is(request, "application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "This endpoint takes application/json",
    ))
}

/// A body as it came, for endpoints of OAuth.
#[derive(Debug)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = OAuthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthError> {
        let refused = |problem: Problem| {
            let title = "the body cannot be read or is too large";
            OAuthError::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                problem.id(),
                title,
            )
        };
        read(request).await.map(RawBody).map_err(refused)
    }
}

/// The media type of a compact JWS.
pub const JWT: &str = "application/jwt";

/// A compact JWS as the whole body.
#[derive(Debug)]
pub struct Jwt(pub String);

impl<S: Send + Sync> FromRequest<S> for Jwt {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is(&request, JWT) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "This endpoint takes application/jwt",
            ));
        }
        let body = read(request).await?;
        String::from_utf8(body.into())
            .map(Jwt)
            .map_err(|_| Problem::malformed_request())
    }
}

/// The largest body of a route, in bytes, as an `Extension` around it; the innermost counts.
#[derive(Clone, Copy, Debug)]
pub struct BodyMax(pub usize);

/// The largest body of a route that sets nothing.
const DEFAULT_BODY_MAX: BodyMax = BodyMax(64 * 1024);

/// How much of a body that is too large is still taken off the wire, so that the refusal reaches
/// a client that is still sending.
const DRAIN_MAX_BYTES: usize = 4 << 20;

/// Takes a body off the wire that is not wanted, as much of it as the route would take, so that the
/// refusal reaches a client that is still sending. Nothing of it is kept.
pub async fn discard(request: Request) {
    let mut left = body_max(&request);
    let mut body = request.into_body();
    while let Some(Ok(frame)) = body.frame().await {
        let taken = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(taken) else {
            break;
        };
        left = rest;
    }
}

fn body_max(request: &Request) -> usize {
    let set: Option<&BodyMax> = request.extensions().get();
    set.unwrap_or(&DEFAULT_BODY_MAX).0
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let max = body_max(&request);
    let mut body = request.into_body();
    let mut whole = BytesMut::new();
    let mut discarded = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Problem::malformed_request())?.into_data() else {
            continue;
        };
        if discarded == 0 && whole.len() + data.len() <= max {
            whole.extend_from_slice(&data);
            continue;
        }
        discarded += data.len();
        if discarded > DRAIN_MAX_BYTES {
            break;
        }
    }
    if discarded == 0 {
        return Ok(whole.freeze());
    }
    Err(Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body-too-large",
        "The body is larger than this endpoint takes",
    ))
}

fn is(request: &Request, media_type: &str) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let Some(kind) = kind.and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = kind.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(media_type)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        name: String,
    }

    #[tokio::test]
    async fn a_json_body_is_an_object_and_no_list_of_its_members() {
        let read = async |body: &'static str| {
            let request = Request::builder().header(header::CONTENT_TYPE, "application/json");
            let request = request.body(Body::from(body)).unwrap();
            StrictJson::<Named>::from_request(request, &()).await
        };
        let StrictJson(named) = read("\n {\"name\": \"x\"}").await.unwrap();
        assert_eq!(named.name, "x");
        for other in [
            "[\"x\"]",
            "\"x\"",
            "null",
            "",
            "{\"name\": \"x\", \"more\": 1}",
        ] {
            let refused = read(other).await.unwrap_err();
            assert_eq!(refused.id(), "malformed-request", "{other}");
        }
    }
}
