//! The token request with a pre-authorized code. Its answer is [`crate::oauth::TokenResponse`].

use zeroize::Zeroizing;

use super::PRE_AUTHORIZED_CODE;
use crate::Secret;
use crate::form::{FormError, Parameters, compose};
use crate::oauth::{ErrorCode, OAuthError};

/// A request to exchange a pre-authorized code. The client is not authenticated; whoever knows
/// code and transaction code is served.
///
/// Source: OpenID4VCI 1.0 §6.1.
pub struct PreAuthorizedRequest {
    /// The code.
    pub pre_authorized_code: Secret,
    /// What the person typed in.
    pub tx_code: Option<Secret>,
}

impl PreAuthorizedRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// [`PreAuthorizedRequestError`].
    pub fn parse(body: &str) -> Result<PreAuthorizedRequest, PreAuthorizedRequestError> {
        let body = Parameters::parse(body, MAX_BYTES)?;
        match body.get("grant_type") {
            None => return Err(PreAuthorizedRequestError::Missing("grant_type")),
            Some(PRE_AUTHORIZED_CODE) => {}
            Some(_) => return Err(PreAuthorizedRequestError::GrantType),
        }
        let code = body.secret("pre-authorized_code");
        Ok(PreAuthorizedRequest {
            pre_authorized_code: code
                .ok_or(PreAuthorizedRequestError::Missing("pre-authorized_code"))?,
            tx_code: body.secret("tx_code"),
        })
    }

    /// Writes the body of a request.
    #[must_use]
    pub fn to_form(&self) -> Zeroizing<String> {
        let mut pairs = vec![
            ("grant_type", PRE_AUTHORIZED_CODE),
            ("pre-authorized_code", self.pre_authorized_code.expose()),
        ];
        pairs.extend(self.tx_code.as_ref().map(|code| ("tx_code", code.expose())));
        Zeroizing::new(compose(pairs))
    }
}

/// Why a token request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreAuthorizedRequestError {
    /// Not a form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A parameter has no value.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// `grant_type` is another one.
    #[error("grant_type is not supported")]
    GrantType,
}

impl From<PreAuthorizedRequestError> for OAuthError {
    fn from(error: PreAuthorizedRequestError) -> OAuthError {
        let code = match error {
            PreAuthorizedRequestError::Form(_) | PreAuthorizedRequestError::Missing(_) => {
                ErrorCode::InvalidRequest
            }
            PreAuthorizedRequestError::GrantType => ErrorCode::UnsupportedGrantType,
        };
        OAuthError::new(code, &error)
    }
}

const MAX_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_request_of_the_specification_is_read_and_written() {
        // OpenID4VCI 1.0 §6.1.1.
        let body = "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code\
            &pre-authorized_code=SplxlOBeZQQYbYS6WxSbIA&tx_code=493536&client_id=ignored";
        let request = PreAuthorizedRequest::parse(body).ok().unwrap();
        assert_eq!(
            request.pre_authorized_code.expose(),
            "SplxlOBeZQQYbYS6WxSbIA"
        );
        let again = PreAuthorizedRequest::parse(&request.to_form())
            .ok()
            .unwrap();
        assert_eq!(again.tx_code.unwrap().expose(), "493536");
    }

    #[test]
    fn incomplete_and_foreign_requests_are_refused_with_their_code() {
        let grant = format!("grant_type={PRE_AUTHORIZED_CODE}");
        let cases = [
            (String::new(), ErrorCode::InvalidRequest),
            (grant.clone(), ErrorCode::InvalidRequest),
            (
                format!("{grant}&pre-authorized_code="),
                ErrorCode::InvalidRequest,
            ),
            (
                format!("{grant}&tx_code=1&tx_code=2"),
                ErrorCode::InvalidRequest,
            ),
            (
                "grant_type=authorization_code&code=x".to_owned(),
                ErrorCode::UnsupportedGrantType,
            ),
        ];
        for (body, code) in cases {
            let error = PreAuthorizedRequest::parse(&body).err().unwrap();
            assert_eq!(OAuthError::from(error).error, code, "{body}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "[a-z_%0-9+&=:-]{0,60}|\\PC{0,40}") {
            let _ = PreAuthorizedRequest::parse(&text);
        }
    }
}
