//! How a client says who it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::Secret;
use crate::form::{Parameters, form_decode};

/// What a client presented; whether the secret is right is for the caller to check.
///
/// Source: RFC 6749 §2.3.1; OpenID Connect Core §9.
pub enum ClientAuthentication {
    /// `none`: a public client names itself.
    Public {
        /// The client's id.
        client_id: String,
    },
    /// `client_secret_basic`: in the header.
    Basic {
        /// The client's id.
        client_id: String,
        /// The secret presented.
        secret: Secret,
    },
    /// `client_secret_post`: in the body.
    Post {
        /// The client's id.
        client_id: String,
        /// The secret presented.
        secret: Secret,
    },
}

impl ClientAuthentication {
    /// Reads header and body of a request to the token endpoint.
    ///
    /// `authorization` is the value of the `Authorization` header, if there is one.
    ///
    /// # Errors
    ///
    /// [`ClientAuthenticationError`] if there is no client, more than one, or the header is
    /// malformed.
    pub fn parse(
        authorization: Option<&str>,
        body: &Parameters,
    ) -> Result<ClientAuthentication, ClientAuthenticationError> {
        let named = body.text("client_id");
        let Some(header) = authorization else {
            let client_id = named.ok_or(ClientAuthenticationError::Missing)?;
            return Ok(match body.secret("client_secret") {
                Some(secret) => ClientAuthentication::Post { client_id, secret },
                None => ClientAuthentication::Public { client_id },
            });
        };
        if body.has("client_secret") {
            return Err(ClientAuthenticationError::Several);
        }
        let (client_id, secret) = parse_basic(header)?;
        if named.is_some_and(|named| named != client_id) {
            return Err(ClientAuthenticationError::Several);
        }
        Ok(ClientAuthentication::Basic { client_id, secret })
    }

    /// The client's id, as it claims.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            ClientAuthentication::Public { client_id }
            | ClientAuthentication::Basic { client_id, .. }
            | ClientAuthentication::Post { client_id, .. } => client_id,
        }
    }

    /// The secret presented, if any.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            ClientAuthentication::Public { .. } => None,
            ClientAuthentication::Basic { secret, .. }
            | ClientAuthentication::Post { secret, .. } => Some(secret),
        }
    }

    /// The method's registered name.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            ClientAuthentication::Public { .. } => "none",
            ClientAuthentication::Basic { .. } => "client_secret_basic",
            ClientAuthentication::Post { .. } => "client_secret_post",
        }
    }
}

/// The token of an `Authorization: Bearer` header.
///
/// Source: RFC 6750 §2.1.
#[must_use]
pub fn bearer_token(authorization: &str) -> Option<Secret> {
    let token = credentials(authorization, "Bearer")?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    (!token.is_empty() && token.bytes().all(allowed)).then(|| Secret::from(token.to_owned()))
}

/// Why client authentication cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthenticationError {
    /// Neither header nor `client_id`.
    #[error("request names no client")]
    Missing,
    /// Two methods at once, or two different clients.
    #[error("request authenticates its client in two ways")]
    Several,
    /// The header is not Basic with an id and a secret.
    #[error("authorization header is malformed")]
    Malformed,
}

/// Id and secret are form-encoded each before they are joined (RFC 6749 §2.3.1).
fn parse_basic(header: &str) -> Result<(String, Secret), ClientAuthenticationError> {
    let malformed = ClientAuthenticationError::Malformed;
    let encoded = credentials(header, "Basic").ok_or(malformed)?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| malformed)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed)?;
    let (client_id, secret) = text.split_once(':').ok_or(malformed)?;
    let client_id = form_decode(client_id).map_err(|_| malformed)?;
    let secret = form_decode(secret)
        .map(Secret::from)
        .map_err(|_| malformed)?;
    if client_id.is_empty() {
        Err(malformed)
    } else {
        Ok((client_id, secret))
    }
}

/// What follows the scheme, whose case does not matter (RFC 9110 §11.1).
fn credentials<'a>(header: &'a str, scheme: &str) -> Option<&'a str> {
    let (name, rest) = header.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme)
        .then(|| rest.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(
        header: Option<&str>,
        body: &str,
    ) -> Result<ClientAuthentication, ClientAuthenticationError> {
        ClientAuthentication::parse(header, &Parameters::parse(body, 1000).unwrap())
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn the_three_methods_are_told_apart() {
        let cases = [
            (None, "client_id=a", "none", None),
            (
                None,
                "client_id=a&client_secret=s%3A",
                "client_secret_post",
                Some("s:"),
            ),
            (
                Some(basic("a:s%3A+1")),
                "",
                "client_secret_basic",
                Some("s: 1"),
            ),
            (
                Some(basic("a:b:c")),
                "client_id=a",
                "client_secret_basic",
                Some("b:c"),
            ),
        ];
        for (header, body, method, secret) in cases {
            let client = parse(header.as_deref(), body).ok().unwrap();
            assert_eq!(client.client_id(), "a");
            assert_eq!(client.method(), method);
            assert_eq!(client.secret().map(Secret::expose), secret);
        }
        // RFC 6749 §2.3.1's own example.
        let header = "basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
        let client = parse(Some(header), "").ok().unwrap();
        assert_eq!(client.client_id(), "s6BhdRkqt3");
        assert_eq!(client.secret().unwrap().expose(), "7Fjfp0ZBr1KtDRbnfVdmIw");
    }

    #[test]
    fn two_methods_or_none_are_refused() {
        let error = |header: Option<&str>, body| parse(header, body).err();
        assert_eq!(error(None, ""), Some(ClientAuthenticationError::Missing));
        assert_eq!(
            error(None, "client_secret=s"),
            Some(ClientAuthenticationError::Missing)
        );
        let header = basic("a:s");
        let several = Some(ClientAuthenticationError::Several);
        assert_eq!(error(Some(&header), "client_id=a&client_secret=s"), several);
        assert_eq!(error(Some(&header), "client_id=b"), several);
        let bare = STANDARD.encode("a:s");
        for header in [
            "",
            "Basic",
            "Basic *",
            "Bearer x",
            &bare,
            &basic("a"),
            &basic(":s"),
        ] {
            let malformed = Some(ClientAuthenticationError::Malformed);
            assert_eq!(error(Some(header), ""), malformed, "{header}");
        }
        let not_text = format!("Basic {}", STANDARD.encode([b'a', b':', 0xff]));
        assert_eq!(
            error(Some(&not_text), ""),
            Some(ClientAuthenticationError::Malformed)
        );
    }

    #[test]
    fn a_bearer_token_is_read_from_its_header_only() {
        assert_eq!(
            bearer_token("Bearer abc.-_~+/=").unwrap().expose(),
            "abc.-_~+/="
        );
        assert_eq!(bearer_token("bearer  a").unwrap().expose(), "a");
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            "Bearer a b",
            "Bearer ä",
        ] {
            assert!(bearer_token(header).is_none(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(header in "(Basic |Bearer )?[A-Za-z0-9+/=]{0,30}|\\PC{0,30}") {
            let _ = (parse(Some(&header), ""), bearer_token(&header));
        }
    }
}
