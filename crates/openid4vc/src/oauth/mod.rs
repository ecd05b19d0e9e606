//! OAuth 2.0: authorization requests, PKCE, client authentication and token requests.

mod authorization;
mod client;
mod error;
mod pkce;
mod token;

pub use authorization::{
    Answer, AuthorizationError, AuthorizationParameters, AuthorizationRequest, Pkce, Prompt,
    RedirectTarget, ResponseMode, Scope,
};
pub use client::{ClientAuthentication, ClientAuthenticationError, bearer_token};
pub use error::{ErrorCode, OAuthError};
pub use pkce::{CodeChallenge, CodeVerifier, PkceError};
pub use token::{CodeGrant, TokenError, TokenRequest, TokenResponse};
