//! Metadata of the issuer and of its authorization server, and the nonce.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{CERTIFICATE, COMMITMENT_PROOF, PRE_AUTHORIZED_CODE};
use crate::uri::HttpsUri;

/// A document found under an issuer's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WellKnown {
    /// [`IssuerMetadata`].
    CredentialIssuer,
    /// [`AuthorizationServerMetadata`].
    AuthorizationServer,
}

impl WellKnown {
    /// The document's path, without the issuer's own.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            WellKnown::CredentialIssuer => "/.well-known/openid-credential-issuer",
            WellKnown::AuthorizationServer => "/.well-known/oauth-authorization-server",
        }
    }

    /// Where the document of `issuer` is: the path stands between its host and its own path.
    ///
    /// Source: OpenID4VCI 1.0 §12.2.2; RFC 8414 §3.1.
    ///
    /// # Errors
    ///
    /// [`MetadataError::Issuer`] if the name cannot be an issuer's because it has a query.
    pub fn of(self, issuer: &HttpsUri) -> Result<HttpsUri, MetadataError> {
        if issuer.has_query() {
            return Err(MetadataError::Issuer);
        }
        let (authority, path) = issuer.split_path();
        let uri = format!("{authority}{}{}", self.path(), path.trim_end_matches('/'));
        HttpsUri::parse(&uri).map_err(|_| MetadataError::Issuer)
    }
}

/// What a credential issuer says about itself.
///
/// Source: OpenID4VCI 1.0 §12.2.4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The issuer's name.
    pub credential_issuer: HttpsUri,
    /// Its authorization servers; absent means itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<HttpsUri>>,
    /// Where credentials are requested.
    pub credential_endpoint: HttpsUri,
    /// Where nonces come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<HttpsUri>,
    /// What it issues, by name.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

impl IssuerMetadata {
    /// Metadata of an issuer of the web certificate that is its own authorization server.
    #[must_use]
    pub fn new(issuer: HttpsUri, credential: HttpsUri, nonce: HttpsUri) -> IssuerMetadata {
        let configuration = CredentialConfiguration::certificate();
        IssuerMetadata {
            credential_issuer: issuer,
            authorization_servers: None,
            credential_endpoint: credential,
            nonce_endpoint: Some(nonce),
            credential_configurations_supported: BTreeMap::from([(
                CERTIFICATE.to_owned(),
                configuration,
            )]),
        }
    }

    /// Reads metadata that was fetched under `issuer`'s name.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if it is malformed or says another name.
    pub fn parse(json: &[u8], issuer: &HttpsUri) -> Result<IssuerMetadata, MetadataError> {
        let metadata: IssuerMetadata =
            serde_json::from_slice(json).map_err(|_| MetadataError::Malformed)?;
        if &metadata.credential_issuer != issuer {
            return Err(MetadataError::Issuer);
        }
        let none = metadata
            .authorization_servers
            .as_ref()
            .is_some_and(Vec::is_empty);
        if none {
            Err(MetadataError::Malformed)
        } else {
            Ok(metadata)
        }
    }

    /// The authorization server to use: the first one, or the issuer itself.
    #[must_use]
    pub fn authorization_server(&self) -> &HttpsUri {
        let servers = self.authorization_servers.as_deref().unwrap_or_default();
        servers.first().unwrap_or(&self.credential_issuer)
    }
}

/// A kind of credential that is issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// Credential format identifier.
    pub format: String,
    /// How the holder's key is expressed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cryptographic_binding_methods_supported: Vec<String>,
    /// What the request must prove, by proof type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof_types_supported: BTreeMap<String, ProofType>,
    /// What the format adds, and how to show the credential.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl CredentialConfiguration {
    /// The web certificate.
    #[must_use]
    pub fn certificate() -> CredentialConfiguration {
        let proof_type = ProofType {
            proof_signing_alg_values_supported: vec!["ES256".to_owned()],
        };
        CredentialConfiguration {
            format: CERTIFICATE.to_owned(),
            cryptographic_binding_methods_supported: vec!["jwk".to_owned()],
            proof_types_supported: BTreeMap::from([(COMMITMENT_PROOF.to_owned(), proof_type)]),
            others: Map::new(),
        }
    }
}

/// What a proof must look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofType {
    /// Algorithms of its signature.
    pub proof_signing_alg_values_supported: Vec<String>,
}

/// What an authorization server for pre-authorized codes says about itself.
///
/// Source: RFC 8414 §2; OpenID4VCI 1.0 §12.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// The server's name.
    pub issuer: HttpsUri,
    /// Where tokens come from.
    pub token_endpoint: HttpsUri,
    /// Its grant types.
    #[serde(default)]
    pub grant_types_supported: Vec<String>,
    /// Its response types; empty, because it has no authorization endpoint.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// How clients authenticate.
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// Whether a code is redeemed without naming a client.
    #[serde(rename = "pre-authorized_grant_anonymous_access_supported", default)]
    pub anonymous_access_supported: bool,
}

impl AuthorizationServerMetadata {
    /// Metadata of a server that redeems pre-authorized codes of clients it does not know.
    #[must_use]
    pub fn new(issuer: HttpsUri, token: HttpsUri) -> AuthorizationServerMetadata {
        AuthorizationServerMetadata {
            issuer,
            token_endpoint: token,
            grant_types_supported: vec![PRE_AUTHORIZED_CODE.to_owned()],
            response_types_supported: Vec::new(),
            token_endpoint_auth_methods_supported: vec!["none".to_owned()],
            anonymous_access_supported: true,
        }
    }

    /// Reads metadata that was fetched under `issuer`'s name.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if it is malformed, says another name, or the server does not redeem
    /// pre-authorized codes of unnamed clients.
    pub fn parse(
        json: &[u8],
        issuer: &HttpsUri,
    ) -> Result<AuthorizationServerMetadata, MetadataError> {
        let metadata: AuthorizationServerMetadata =
            serde_json::from_slice(json).map_err(|_| MetadataError::Malformed)?;
        if &metadata.issuer != issuer {
            return Err(MetadataError::Issuer);
        }
        let grants = &metadata.grant_types_supported;
        let redeems = grants.iter().any(|grant| grant == PRE_AUTHORIZED_CODE);
        if redeems && metadata.anonymous_access_supported {
            Ok(metadata)
        } else {
            Err(MetadataError::Grant)
        }
    }
}

/// A fresh nonce for a proof. Send it with `Cache-Control: no-store`.
///
/// Source: OpenID4VCI 1.0 §7.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// The nonce.
    pub c_nonce: String,
}

/// Why metadata is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Not JSON of its shape.
    #[error("metadata is malformed")]
    Malformed,
    /// It names another issuer than the one it was fetched from, or the name cannot be one.
    #[error("metadata is of another issuer")]
    Issuer,
    /// The server does not redeem pre-authorized codes of clients it does not know.
    #[error("authorization server does not redeem pre-authorized codes")]
    Grant,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn uri(text: &str) -> HttpsUri {
        HttpsUri::parse(text).unwrap()
    }

    fn issuer() -> HttpsUri {
        uri("https://issuer.example")
    }

    #[test]
    fn documents_are_found_between_host_and_path() {
        // OpenID4VCI 1.0 §12.2.2's own examples, and RFC 8414's rule about the last slash.
        for (issuer, expected) in [
            (
                "https://issuer.example.com/tenant",
                "https://issuer.example.com/.well-known/openid-credential-issuer/tenant",
            ),
            (
                "https://tenant.issuer.example.com",
                "https://tenant.issuer.example.com/.well-known/openid-credential-issuer",
            ),
            (
                "https://issuer.example:8443/",
                "https://issuer.example:8443/.well-known/openid-credential-issuer",
            ),
        ] {
            assert_eq!(
                WellKnown::CredentialIssuer.of(&uri(issuer)),
                Ok(uri(expected))
            );
        }
        let query = WellKnown::AuthorizationServer.of(&uri("https://issuer.example/?x"));
        assert_eq!(query, Err(MetadataError::Issuer));
    }

    #[test]
    fn issuer_metadata_survives_a_round_trip() {
        let own = IssuerMetadata::new(
            issuer(),
            uri("https://issuer.example/credential"),
            uri("https://issuer.example/nonce"),
        );
        let value = json!({
            "credential_issuer": "https://issuer.example",
            "credential_endpoint": "https://issuer.example/credential",
            "nonce_endpoint": "https://issuer.example/nonce",
            "credential_configurations_supported": {"bauta_certificate": {
                "format": "bauta_certificate",
                "cryptographic_binding_methods_supported": ["jwk"],
                "proof_types_supported": {
                    "bauta_commitment": {"proof_signing_alg_values_supported": ["ES256"]}}
            }}
        });
        assert_eq!(serde_json::to_value(&own).unwrap(), value);
        let parsed = IssuerMetadata::parse(value.to_string().as_bytes(), &issuer());
        assert_eq!(parsed, Ok(own.clone()));
        assert_eq!(own.authorization_server(), &issuer());
    }

    #[test]
    fn metadata_of_others_or_without_what_is_needed_is_refused() {
        let own = IssuerMetadata::new(issuer(), issuer(), issuer());
        let json = serde_json::to_vec(&own).unwrap();
        let slash = uri("https://issuer.example/");
        assert_eq!(
            IssuerMetadata::parse(&json, &slash),
            Err(MetadataError::Issuer)
        );
        assert_eq!(
            IssuerMetadata::parse(b"{}", &issuer()),
            Err(MetadataError::Malformed)
        );
        let mut none = serde_json::to_value(&own).unwrap();
        none["authorization_servers"] = json!([]);
        let none = IssuerMetadata::parse(none.to_string().as_bytes(), &issuer());
        assert_eq!(none, Err(MetadataError::Malformed));
    }

    #[test]
    fn the_authorization_server_must_redeem_codes_of_unnamed_clients() {
        let own = AuthorizationServerMetadata::new(issuer(), uri("https://issuer.example/token"));
        let value = serde_json::to_value(&own).unwrap();
        assert_eq!(
            value["pre-authorized_grant_anonymous_access_supported"],
            json!(true)
        );
        let parse = |value: &Value| {
            AuthorizationServerMetadata::parse(value.to_string().as_bytes(), &issuer())
        };
        assert_eq!(parse(&value), Ok(own));
        for (member, replacement, error) in [
            (
                "issuer",
                json!("https://other.example"),
                MetadataError::Issuer,
            ),
            (
                "token_endpoint",
                json!("http://issuer.example"),
                MetadataError::Malformed,
            ),
            (
                "grant_types_supported",
                json!(["authorization_code"]),
                MetadataError::Grant,
            ),
            (
                "pre-authorized_grant_anonymous_access_supported",
                json!(false),
                MetadataError::Grant,
            ),
        ] {
            let mut changed = value.clone();
            changed[member] = replacement;
            assert_eq!(parse(&changed), Err(error), "{member}");
        }
    }

    #[test]
    fn a_nonce_is_called_c_nonce() {
        let nonce: NonceResponse = serde_json::from_value(json!({"c_nonce": "n"})).unwrap();
        assert_eq!(
            serde_json::to_value(nonce).unwrap(),
            json!({"c_nonce": "n"})
        );
    }
}
