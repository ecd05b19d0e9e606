//! The provider's metadata.

use serde::{Deserialize, Serialize};

use super::SigningAlgorithm;
use crate::uri::HttpsUri;

/// Addresses of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Authorization endpoint.
    pub authorization: HttpsUri,
    /// Token endpoint.
    pub token: HttpsUri,
    /// Userinfo endpoint.
    pub userinfo: HttpsUri,
    /// Where the keys are.
    pub jwks: HttpsUri,
    /// Where to log out.
    pub end_session: HttpsUri,
}

/// The document at `/.well-known/openid-configuration`.
///
/// Source: OpenID Connect Discovery 1.0 §3; RFC 8414 §2; RFC 9207 §3; RP-Initiated Logout §2.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMetadata {
    /// The provider's name, and what its metadata is found under.
    pub issuer: HttpsUri,
    /// Authorization endpoint.
    pub authorization_endpoint: HttpsUri,
    /// Token endpoint.
    pub token_endpoint: HttpsUri,
    /// Userinfo endpoint.
    pub userinfo_endpoint: HttpsUri,
    /// Where the keys are.
    pub jwks_uri: HttpsUri,
    /// Where to log out.
    pub end_session_endpoint: HttpsUri,
    /// Known scope values.
    pub scopes_supported: Vec<String>,
    /// `code` alone.
    pub response_types_supported: Vec<String>,
    /// `query` and `form_post`.
    pub response_modes_supported: Vec<String>,
    /// `authorization_code` alone.
    pub grant_types_supported: Vec<String>,
    /// Contexts a token may name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values_supported: Vec<String>,
    /// `pairwise`: no two sites know a person by the same `sub`.
    pub subject_types_supported: Vec<String>,
    /// Algorithms of ID tokens.
    pub id_token_signing_alg_values_supported: Vec<SigningAlgorithm>,
    /// How clients authenticate.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// `S256` alone.
    pub code_challenge_methods_supported: Vec<String>,
    /// Claims a token or the userinfo may hold.
    pub claims_supported: Vec<String>,
    /// Prompts that are understood.
    pub prompt_values_supported: Vec<String>,
    /// Whether `claims` is understood.
    pub claims_parameter_supported: bool,
    /// Whether `request` is understood.
    pub request_parameter_supported: bool,
    /// Whether `request_uri` is understood. Its absence would mean yes.
    pub request_uri_parameter_supported: bool,
    /// Whether answers name the issuer.
    pub authorization_response_iss_parameter_supported: bool,
}

impl ProviderMetadata {
    /// What this crate's types support; the caller adds contexts and further scopes and claims.
    #[must_use]
    pub fn new(issuer: HttpsUri, endpoints: Endpoints) -> ProviderMetadata {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        ProviderMetadata {
            issuer,
            authorization_endpoint: endpoints.authorization,
            token_endpoint: endpoints.token,
            userinfo_endpoint: endpoints.userinfo,
            jwks_uri: endpoints.jwks,
            end_session_endpoint: endpoints.end_session,
            scopes_supported: texts(&["openid"]),
            response_types_supported: texts(&["code"]),
            response_modes_supported: texts(&["query", "form_post"]),
            grant_types_supported: texts(&["authorization_code"]),
            acr_values_supported: Vec::new(),
            subject_types_supported: texts(&["pairwise"]),
            id_token_signing_alg_values_supported: vec![
                SigningAlgorithm::Es256,
                SigningAlgorithm::Rs256,
            ],
            token_endpoint_auth_methods_supported: texts(&[
                "client_secret_basic",
                "client_secret_post",
                "none",
            ]),
            code_challenge_methods_supported: texts(&["S256"]),
            claims_supported: texts(&[
                "iss",
                "sub",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "acr",
                "amr",
            ]),
            prompt_values_supported: texts(&["none", "login", "consent", "select_account"]),
            claims_parameter_supported: false,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            authorization_response_iss_parameter_supported: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_survives_a_round_trip_and_has_every_required_member() {
        let uri = |path| HttpsUri::parse(&format!("https://op.example{path}")).unwrap();
        let endpoints = Endpoints {
            authorization: uri("/authorize"),
            token: uri("/token"),
            userinfo: uri("/userinfo"),
            jwks: uri("/jwks"),
            end_session: uri("/logout"),
        };
        let metadata = ProviderMetadata::new(uri(""), endpoints);
        let json = serde_json::to_value(&metadata).unwrap();
        assert_eq!(json["issuer"], "https://op.example");
        for required in [
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "response_types_supported",
            "subject_types_supported",
            "id_token_signing_alg_values_supported",
        ] {
            assert!(!json[required].is_null(), "{required}");
        }
        // RS256 must be among them (Discovery §3).
        assert_eq!(json["id_token_signing_alg_values_supported"][1], "RS256");
        assert_eq!(
            serde_json::from_value::<ProviderMetadata>(json).unwrap(),
            metadata
        );
    }
}
