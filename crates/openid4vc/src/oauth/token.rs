//! The token endpoint with an authorization code.

use serde::{Deserialize, Serialize};

use super::{ClientAuthentication, ClientAuthenticationError, CodeVerifier, ErrorCode, OAuthError};
use crate::Secret;
use crate::form::{FormError, Parameters};
use crate::secret::reveal;

/// A request to exchange an authorization code.
///
/// Source: RFC 6749 §4.1.3; RFC 7636 §4.5.
pub struct TokenRequest {
    /// Who asks.
    pub client: ClientAuthentication,
    /// What it asks with.
    pub grant: CodeGrant,
}

/// An authorization code with what must match the request it came from.
pub struct CodeGrant {
    /// The code.
    pub code: Secret,
    /// Must equal the authorization request's.
    pub redirect_uri: Option<String>,
    /// Must match the authorization request's challenge; present exactly when that had one.
    pub code_verifier: Option<CodeVerifier>,
}

impl TokenRequest {
    /// Reads a request. `authorization` is the value of the `Authorization` header, if any.
    ///
    /// # Errors
    ///
    /// [`TokenError`], in the order form, grant type, client, parameters.
    pub fn parse(authorization: Option<&str>, body: &str) -> Result<TokenRequest, TokenError> {
        let body = Parameters::parse(body, MAX_BYTES)?;
        match body.get("grant_type") {
            None => return Err(TokenError::Missing("grant_type")),
            Some("authorization_code") => {}
            Some(_) => return Err(TokenError::GrantType),
        }
        let client = ClientAuthentication::parse(authorization, &body)?;
        let code = body.secret("code").ok_or(TokenError::Missing("code"))?;
        let code_verifier = body
            .secret("code_verifier")
            .map(CodeVerifier::parse)
            .transpose();
        let code_verifier = code_verifier.map_err(|_| TokenError::Verifier)?;
        let redirect_uri = body.text("redirect_uri");
        Ok(TokenRequest {
            client,
            grant: CodeGrant {
                code,
                redirect_uri,
                code_verifier,
            },
        })
    }
}

/// The answer to a successful token request. Send it with `Cache-Control: no-store`.
///
/// Source: RFC 6749 §5.1; OpenID Connect Core §3.1.3.3.
#[derive(Serialize, Deserialize)]
pub struct TokenResponse {
    /// Access token.
    #[serde(serialize_with = "reveal")]
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: String,
    /// Life of the access token in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Scope granted, where it is not the one asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The ID token, where `openid` was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

impl TokenResponse {
    /// An answer with a bearer token alone.
    #[must_use]
    pub fn bearer(access_token: Secret, expires_in: u64) -> TokenResponse {
        TokenResponse {
            access_token,
            token_type: "Bearer".to_owned(),
            expires_in: Some(expires_in),
            scope: None,
            id_token: None,
        }
    }
}

/// Why a token request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A parameter has no value.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// `grant_type` is another one.
    #[error("grant_type is not supported")]
    GrantType,
    /// The client cannot be told.
    #[error(transparent)]
    Client(#[from] ClientAuthenticationError),
    /// `code_verifier` is malformed.
    #[error("code_verifier is malformed")]
    Verifier,
}

impl From<TokenError> for OAuthError {
    fn from(error: TokenError) -> OAuthError {
        let code = match error {
            TokenError::Form(_) | TokenError::Missing(_) => ErrorCode::InvalidRequest,
            TokenError::GrantType => ErrorCode::UnsupportedGrantType,
            TokenError::Client(ClientAuthenticationError::Several) => ErrorCode::InvalidRequest,
            TokenError::Client(
                ClientAuthenticationError::Missing | ClientAuthenticationError::Malformed,
            ) => ErrorCode::InvalidClient,
            // A verifier that cannot be right is judged like one that is wrong (RFC 7636 §4.6).
            TokenError::Verifier => ErrorCode::InvalidGrant,
        };
        OAuthError::new(code, &error)
    }
}

const MAX_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const BODY: &str = "grant_type=authorization_code&code=abc&redirect_uri=https%3A%2F%2Fa.example\
        %2Fcb&client_id=c&code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&extra=1";

    #[test]
    fn a_code_request_is_read() {
        let request = TokenRequest::parse(None, BODY).ok().unwrap();
        assert_eq!(request.client.client_id(), "c");
        assert_eq!(request.grant.code.expose(), "abc");
        assert_eq!(
            request.grant.redirect_uri.as_deref(),
            Some("https://a.example/cb")
        );
        assert!(request.grant.code_verifier.is_some());
    }

    #[test]
    fn incomplete_and_foreign_requests_are_refused_with_their_code() {
        let cases = [
            ("", ErrorCode::InvalidRequest),
            (
                "grant_type=password&client_id=c",
                ErrorCode::UnsupportedGrantType,
            ),
            (
                "grant_type=authorization_code&code=a",
                ErrorCode::InvalidClient,
            ),
            (
                "grant_type=authorization_code&client_id=c",
                ErrorCode::InvalidRequest,
            ),
            (
                "grant_type=authorization_code&client_id=c&code=",
                ErrorCode::InvalidRequest,
            ),
            (
                "grant_type=authorization_code&client_id=c&code=a&code=b",
                ErrorCode::InvalidRequest,
            ),
            (
                "grant_type=authorization_code&client_id=c&code=a&code_verifier=x",
                ErrorCode::InvalidGrant,
            ),
        ];
        for (body, code) in cases {
            let error = TokenRequest::parse(None, body).err().unwrap();
            assert_eq!(OAuthError::from(error).error, code, "{body}");
        }
        let header = TokenRequest::parse(Some("Basic !"), BODY).err().unwrap();
        assert_eq!(OAuthError::from(header).error, ErrorCode::InvalidClient);
    }

    #[test]
    fn the_answer_has_the_members_of_the_specification() {
        let answer = TokenResponse::bearer(Secret::from("t".to_owned()), 60);
        assert_eq!(
            serde_json::to_value(&answer).unwrap(),
            json!({"access_token": "t", "token_type": "Bearer", "expires_in": 60})
        );
    }
}
