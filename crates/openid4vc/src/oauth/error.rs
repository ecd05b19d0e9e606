//! Error codes and the error object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong, in the words of the specifications. Others are read as
/// [`ErrorCode::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// RFC 6749 §4.1.2.1 and §5.2: a parameter is missing, repeated or malformed.
    InvalidRequest,
    /// RFC 6749 §5.2: client authentication failed.
    InvalidClient,
    /// RFC 6749 §5.2: the code is unknown, used, expired or someone else's.
    InvalidGrant,
    /// RFC 6749 §4.1.2.1 and §5.2: this client may not use this method.
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 §4.1.2.1 and §5.2.
    InvalidScope,
    /// RFC 6749 §4.1.2.1: the person or the server said no.
    AccessDenied,
    /// RFC 6749 §4.1.2.1.
    ServerError,
    /// RFC 6749 §4.1.2.1.
    TemporarilyUnavailable,
    /// RFC 6750 §3.1: the access token is unknown, expired or revoked.
    InvalidToken,
    /// RFC 6750 §3.1.
    InsufficientScope,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, but a page must be shown.
    InteractionRequired,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, but nobody is logged in.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6.
    AccountSelectionRequired,
    /// OpenID Connect Core §3.1.2.6.
    ConsentRequired,
    /// OpenID Connect Core §3.1.2.6.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6.
    RequestUriNotSupported,
    /// OpenID Connect Core §3.1.2.6.
    RegistrationNotSupported,
    /// OpenID4VP §8.5: the wallet does not know the formats asked for.
    VpFormatsNotSupported,
    /// OpenID4VP §8.5.
    InvalidRequestUriMethod,
    /// OpenID4VP §8.5.
    InvalidTransactionData,
    /// OpenID4VP §8.5.
    WalletUnavailable,
    /// OpenID4VCI §8.3.1.2: the credential request is malformed.
    InvalidCredentialRequest,
    /// OpenID4VCI §8.3.1.2.
    UnknownCredentialConfiguration,
    /// OpenID4VCI §8.3.1.2.
    UnknownCredentialIdentifier,
    /// OpenID4VCI §8.3.1.2: a proof is missing or does not verify.
    InvalidProof,
    /// OpenID4VCI §8.3.1.2: a proof holds another nonce than the current one.
    InvalidNonce,
    /// OpenID4VCI §8.3.1.2.
    InvalidEncryptionParameters,
    /// OpenID4VCI §8.3.1.2: the request will not be granted, however often it is repeated.
    CredentialRequestDenied,
    /// A code this list does not hold; never sent by us.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// The code as it stands in `error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidGrant => "invalid_grant",
            ErrorCode::UnauthorizedClient => "unauthorized_client",
            ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::ServerError => "server_error",
            ErrorCode::TemporarilyUnavailable => "temporarily_unavailable",
            ErrorCode::InvalidToken => "invalid_token",
            ErrorCode::InsufficientScope => "insufficient_scope",
            ErrorCode::InteractionRequired => "interaction_required",
            ErrorCode::LoginRequired => "login_required",
            ErrorCode::AccountSelectionRequired => "account_selection_required",
            ErrorCode::ConsentRequired => "consent_required",
            ErrorCode::RequestNotSupported => "request_not_supported",
            ErrorCode::RequestUriNotSupported => "request_uri_not_supported",
            ErrorCode::RegistrationNotSupported => "registration_not_supported",
            ErrorCode::VpFormatsNotSupported => "vp_formats_not_supported",
            ErrorCode::InvalidRequestUriMethod => "invalid_request_uri_method",
            ErrorCode::InvalidTransactionData => "invalid_transaction_data",
            ErrorCode::WalletUnavailable => "wallet_unavailable",
            ErrorCode::InvalidCredentialRequest => "invalid_credential_request",
            ErrorCode::UnknownCredentialConfiguration => "unknown_credential_configuration",
            ErrorCode::UnknownCredentialIdentifier => "unknown_credential_identifier",
            ErrorCode::InvalidProof => "invalid_proof",
            ErrorCode::InvalidNonce => "invalid_nonce",
            ErrorCode::InvalidEncryptionParameters => "invalid_encryption_parameters",
            ErrorCode::CredentialRequestDenied => "credential_request_denied",
            ErrorCode::Unknown => "unknown",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error object of a token, nonce, credential or userinfo endpoint.
///
/// Source: RFC 6749 §5.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}")]
pub struct OAuthError {
    /// What went wrong.
    pub error: ErrorCode,
    /// The same for a developer, in ASCII without quotes or backslashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl OAuthError {
    /// An error with a description.
    #[must_use]
    pub fn new(error: ErrorCode, description: &impl fmt::Display) -> OAuthError {
        let allowed = |c: char| c == ' ' || (c.is_ascii_graphic() && c != '"' && c != '\\');
        let description = description
            .to_string()
            .chars()
            .filter(|&c| allowed(c))
            .collect();
        OAuthError {
            error,
            error_description: Some(description),
        }
    }
}

impl From<ErrorCode> for OAuthError {
    fn from(error: ErrorCode) -> OAuthError {
        OAuthError {
            error,
            error_description: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_error_object_has_the_members_of_the_specification() {
        let error = OAuthError::new(ErrorCode::InvalidGrant, &"code \"is\" used");
        let value = json!({"error": "invalid_grant", "error_description": "code is used"});
        assert_eq!(serde_json::to_value(&error).unwrap(), value);
        assert_eq!(serde_json::from_value::<OAuthError>(value).unwrap(), error);
        let bare = serde_json::to_value(OAuthError::from(ErrorCode::LoginRequired)).unwrap();
        assert_eq!(bare, json!({"error": "login_required"}));
    }

    #[test]
    fn names_and_serde_agree_and_foreign_codes_are_read() {
        for code in [
            ErrorCode::RequestUriNotSupported,
            ErrorCode::VpFormatsNotSupported,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        let foreign: OAuthError = serde_json::from_value(json!({"error": "slow_down"})).unwrap();
        assert_eq!(foreign.error, ErrorCode::Unknown);
    }
}
