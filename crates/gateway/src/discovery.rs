//! What the gateway says about itself.

use crate::gateway::Gateway;
use crate::id_token::JwkSet;
use serde::Serialize;

/// Provider metadata.
///
/// Source: OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2, RFC 9207 section 3.
#[derive(Clone, Debug, Serialize)]
#[expect(
    missing_docs,
    reason = "the members are named and described by the specification"
)]
pub struct ProviderMetadata {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: String,
    pub jwks_uri: String,
    pub end_session_endpoint: String,
    pub scopes_supported: &'static [&'static str],
    pub response_types_supported: &'static [&'static str],
    pub response_modes_supported: &'static [&'static str],
    pub grant_types_supported: &'static [&'static str],
    pub acr_values_supported: &'static [&'static str],
    pub subject_types_supported: &'static [&'static str],
    pub id_token_signing_alg_values_supported: &'static [&'static str],
    pub token_endpoint_auth_methods_supported: &'static [&'static str],
    pub code_challenge_methods_supported: &'static [&'static str],
    pub claims_supported: &'static [&'static str],
    pub prompt_values_supported: &'static [&'static str],
    pub claims_parameter_supported: bool,
    pub request_parameter_supported: bool,
    pub request_uri_parameter_supported: bool,
    pub authorization_response_iss_parameter_supported: bool,
}

impl Gateway {
    /// The provider metadata.
    #[must_use]
    pub fn metadata(&self) -> ProviderMetadata {
        let at = |path: &str| format!("{}{path}", self.issuer());
        ProviderMetadata {
            issuer: self.issuer().to_owned(),
            authorization_endpoint: at(AUTHORIZE),
            token_endpoint: at(TOKEN),
            userinfo_endpoint: at(USERINFO),
            jwks_uri: at(JWKS),
            end_session_endpoint: at(END_SESSION),
            scopes_supported: &["openid"],
            response_types_supported: &["code"],
            response_modes_supported: &["query", "form_post"],
            grant_types_supported: &["authorization_code"],
            acr_values_supported: &["urn:bauta:acr:possession", "urn:bauta:acr:unlock"],
            subject_types_supported: &["pairwise"],
            id_token_signing_alg_values_supported: &["ES256", "RS256"],
            token_endpoint_auth_methods_supported: &[
                "client_secret_basic",
                "client_secret_post",
                "none",
            ],
            code_challenge_methods_supported: &["S256"],
            claims_supported: CLAIMS,
            prompt_values_supported: &["none", "login", "consent", "select_account"],
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            authorization_response_iss_parameter_supported: true,
        }
    }

    /// The keys that verify ID tokens.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.id_token_keys.jwks()
    }
}

/// Path of the metadata.
pub const METADATA: &str = "/.well-known/openid-configuration";
/// Path of the authorization endpoint.
pub const AUTHORIZE: &str = "/authorize";
/// Path of the token endpoint.
pub const TOKEN: &str = "/token";
/// Path of the userinfo endpoint.
pub const USERINFO: &str = "/userinfo";
/// Path of the JWK Set.
pub const JWKS: &str = "/jwks";
/// Path of the log-out endpoint.
pub const END_SESSION: &str = "/logout";

const CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "at_hash",
    "generation",
];
