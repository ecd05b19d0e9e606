//! The `Authorization` header.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::problem::Problem;

/// A bearer token of a request.
pub struct Bearer(pub String);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        credentials(&parts.headers, "Bearer")
            .map(|token| Bearer(token.to_owned()))
            .ok_or_else(|| {
                let id = "missing-authorization";
                Problem::unauthorized("Bearer", id, "A bearer token is needed")
            })
    }
}

/// What stands after `scheme` in the header, if it is there once.
#[must_use]
pub fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (name, rest) = value.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let pairs = values
            .iter()
            .map(|value| (header::AUTHORIZATION, value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn one_header_of_the_right_scheme_is_taken() {
        assert_eq!(
            credentials(&headers(&["bearer abc"]), "Bearer"),
            Some("abc")
        );
        assert_eq!(credentials(&headers(&["Basic abc"]), "Bearer"), None);
        assert_eq!(credentials(&headers(&["Bearer"]), "Bearer"), None);
        assert_eq!(
            credentials(&headers(&["Bearer a", "Bearer b"]), "Bearer"),
            None
        );
        assert_eq!(credentials(&headers(&[]), "Bearer"), None);
    }
}
