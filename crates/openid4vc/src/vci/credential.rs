//! The credential endpoint.

use credential::jose;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{COMMITMENT_PROOF, ProofError, UnverifiedProof};
use crate::oauth::{ErrorCode, OAuthError};

/// A request for one credential.
///
/// Source: OpenID4VCI 1.0 §8.2.
pub struct CredentialRequest {
    /// Name of a credential configuration, one the caller says it supports.
    pub credential_configuration_id: String,
    /// The proof, unverified.
    pub proof: UnverifiedProof,
}

impl CredentialRequest {
    /// Reads a request; `supported` are the names of the issuer's credential configurations.
    ///
    /// # Errors
    ///
    /// [`CredentialRequestError`].
    pub fn parse(
        json: &[u8],
        supported: &[&str],
    ) -> Result<CredentialRequest, CredentialRequestError> {
        let fields: Fields = jose::parse_object(json).ok_or(CredentialRequestError::Malformed)?;
        if fields.credential_identifier.is_some() {
            return Err(CredentialRequestError::Identifier);
        }
        if fields.credential_response_encryption.is_some() {
            return Err(CredentialRequestError::Encryption);
        }
        let id = fields
            .credential_configuration_id
            .ok_or(CredentialRequestError::Malformed)?;
        if !supported.contains(&id.as_str()) {
            return Err(CredentialRequestError::Configuration);
        }
        let proofs = fields.proofs.ok_or(CredentialRequestError::NoProof)?;
        Ok(CredentialRequest {
            credential_configuration_id: id,
            proof: single_proof(&proofs)?,
        })
    }

    /// Writes a request with one proof.
    #[must_use]
    pub fn compose(credential_configuration_id: &str, proof: &str) -> String {
        json!({
            "credential_configuration_id": credential_configuration_id,
            "proofs": {COMMITMENT_PROOF: [proof]},
        })
        .to_string()
    }
}

/// The answer with credentials.
///
/// Source: OpenID4VCI 1.0 §8.3.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialResponse {
    credentials: Vec<IssuedCredential>,
}

impl CredentialResponse {
    /// An answer with one credential.
    #[must_use]
    pub fn of(credential: String) -> CredentialResponse {
        CredentialResponse {
            credentials: vec![IssuedCredential { credential }],
        }
    }

    /// The credential, if there is exactly one.
    #[must_use]
    pub fn single(&self) -> Option<&str> {
        match self.credentials.as_slice() {
            [one] => Some(&one.credential),
            _ => None,
        }
    }
}

/// Why a credential request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRequestError {
    /// Not JSON of a request's shape, or without a configuration.
    #[error("credential request is malformed")]
    Malformed,
    /// `credential_identifier`, which this issuer never hands out.
    #[error("credential identifier is unknown")]
    Identifier,
    /// The configuration is not supported.
    #[error("credential configuration is unknown")]
    Configuration,
    /// The response is to be encrypted, which is not supported.
    #[error("encrypted credential responses are not supported")]
    Encryption,
    /// No proof.
    #[error("credential request holds no proof")]
    NoProof,
    /// Another proof type, or another number of proofs than one.
    #[error("credential request needs exactly one proof of type bauta_commitment")]
    ProofType,
    /// The proof is malformed.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl From<CredentialRequestError> for OAuthError {
    fn from(error: CredentialRequestError) -> OAuthError {
        let code = match error {
            CredentialRequestError::Malformed => ErrorCode::InvalidCredentialRequest,
            CredentialRequestError::Identifier => ErrorCode::UnknownCredentialIdentifier,
            CredentialRequestError::Configuration => ErrorCode::UnknownCredentialConfiguration,
            CredentialRequestError::Encryption => ErrorCode::InvalidEncryptionParameters,
            CredentialRequestError::NoProof
            | CredentialRequestError::ProofType
            | CredentialRequestError::Proof(_) => ErrorCode::InvalidProof,
        };
        OAuthError::new(code, &error)
    }
}

#[derive(Deserialize)]
struct Fields {
    credential_configuration_id: Option<String>,
    credential_identifier: Option<IgnoredAny>,
    credential_response_encryption: Option<IgnoredAny>,
    proofs: Option<Map<String, Value>>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct IssuedCredential {
    credential: String,
}

/// The one proof of the one type. `proofs` has exactly one member (§8.2).
fn single_proof(proofs: &Map<String, Value>) -> Result<UnverifiedProof, CredentialRequestError> {
    let only = proofs.get(COMMITMENT_PROOF).filter(|_| proofs.len() == 1);
    match only.and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::String(proof)]) => Ok(UnverifiedProof::parse(proof)?),
        _ => Err(CredentialRequestError::ProofType),
    }
}

#[cfg(test)]
mod tests {
    use credential::jose::SigningKey;
    use credential::time::UnixTime;
    use proptest::prelude::*;

    use super::super::{CERTIFICATE, CommitmentProof};
    use super::*;
    use crate::uri::HttpsUri;

    fn proof() -> String {
        let issuer = HttpsUri::parse("https://issuer.example").unwrap();
        let proof = CommitmentProof {
            nonce: "n".to_owned(),
            iat: UnixTime(5),
            commitment: vec![1],
            proof: vec![2],
        };
        proof.sign(&issuer, &SigningKey::generate())
    }

    fn parse(json: &Value) -> Result<CredentialRequest, CredentialRequestError> {
        CredentialRequest::parse(json.to_string().as_bytes(), &[CERTIFICATE])
    }

    #[test]
    fn a_request_survives_a_round_trip() {
        let text = CredentialRequest::compose(CERTIFICATE, &proof());
        let request = CredentialRequest::parse(text.as_bytes(), &[CERTIFICATE])
            .ok()
            .unwrap();
        assert_eq!(request.credential_configuration_id, CERTIFICATE);
        let mut more: Value = serde_json::from_str(&text).unwrap();
        more["unknown"] = json!(1);
        assert!(parse(&more).is_ok());
    }

    #[test]
    fn other_requests_are_refused_with_their_code() {
        let proof = proof();
        let id = CERTIFICATE;
        let cases = [
            (json!({}), ErrorCode::InvalidCredentialRequest),
            (
                json!([id, null, null, {"bauta_commitment": [proof]}]),
                ErrorCode::InvalidCredentialRequest,
            ),
            (
                json!({"credential_configuration_id": 1}),
                ErrorCode::InvalidCredentialRequest,
            ),
            (
                json!({"credential_identifier": "x"}),
                ErrorCode::UnknownCredentialIdentifier,
            ),
            (
                json!({"credential_configuration_id": "other"}),
                ErrorCode::UnknownCredentialConfiguration,
            ),
            (
                json!({"credential_configuration_id": id,
                    "credential_response_encryption": {"enc": "A256GCM"}}),
                ErrorCode::InvalidEncryptionParameters,
            ),
            (
                json!({"credential_configuration_id": id}),
                ErrorCode::InvalidProof,
            ),
            (
                json!({"credential_configuration_id": id, "proofs": {}}),
                ErrorCode::InvalidProof,
            ),
        ];
        for (json, code) in cases {
            assert_eq!(
                OAuthError::from(parse(&json).err().unwrap()).error,
                code,
                "{json}"
            );
        }
        for proofs in [
            json!({"jwt": [proof]}),
            json!({"bauta_commitment": []}),
            json!({"bauta_commitment": [proof, proof]}),
            json!({"bauta_commitment": proof}),
            json!({"bauta_commitment": [proof], "jwt": [proof]}),
            json!({"bauta_commitment": ["a.b.c"]}),
        ] {
            let json = json!({"credential_configuration_id": id, "proofs": proofs});
            let error = OAuthError::from(parse(&json).err().unwrap()).error;
            assert_eq!(error, ErrorCode::InvalidProof, "{json}");
        }
    }

    #[test]
    fn the_answer_has_the_members_of_the_specification() {
        let answer = CredentialResponse::of("a".to_owned());
        let value = json!({"credentials": [{"credential": "a"}]});
        assert_eq!(serde_json::to_value(&answer).unwrap(), value);
        assert_eq!(answer.single(), Some("a"));
        let none: CredentialResponse = serde_json::from_value(json!({"credentials": []})).unwrap();
        assert_eq!(none.single(), None);
        let deferred = json!({"transaction_id": "t", "interval": 5});
        assert!(serde_json::from_value::<CredentialResponse>(deferred).is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,80}") {
            let _ = CredentialRequest::parse(text.as_bytes(), &[CERTIFICATE]);
        }
    }
}
