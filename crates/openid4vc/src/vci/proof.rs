//! The proof type `bauta_commitment`: a blind commitment, signed by the device it is for.

use credential::jose::jws::{self, Header, JwsError, UnverifiedJws};
use credential::jose::{PublicKey, SigningKey, decode, encode};
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::uri::HttpsUri;

/// A commitment of the wallet with the proof that it is well-formed, for one nonce of one issuer.
///
/// The bytes are the credential format's; here they are only carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentProof {
    /// The issuer's nonce, which it lets be used once.
    pub nonce: String,
    /// When it was made, by the wallet's clock.
    pub iat: UnixTime,
    /// The commitment.
    pub commitment: Vec<u8>,
    /// The proof.
    pub proof: Vec<u8>,
}

impl CommitmentProof {
    /// Signs it for `issuer` with the device's key, which goes into the header.
    #[must_use]
    pub fn sign(&self, issuer: &HttpsUri, device: &SigningKey) -> String {
        let header = Header {
            jwk: Some(*device.public()),
            ..Header::of_type(TYP)
        };
        let claims = Claims {
            aud: issuer.as_str().to_owned(),
            nonce: self.nonce.clone(),
            iat: self.iat,
            commitment: encode(&self.commitment),
            proof: encode(&self.proof),
        };
        jws::sign_with_header(device, &header, &claims)
    }
}

/// A proof as it stands in a credential request.
pub struct UnverifiedProof(UnverifiedJws);

impl UnverifiedProof {
    /// Reads the compact form.
    ///
    /// # Errors
    ///
    /// [`ProofError::Jws`].
    pub fn parse(compact: &str) -> Result<UnverifiedProof, ProofError> {
        Ok(UnverifiedProof(UnverifiedJws::parse(compact)?))
    }

    /// Checks that the holder of the key in the header made it for `issuer`, and returns that key
    /// with the content.
    ///
    /// The nonce is for the caller to consume; it alone limits how old the proof may be, because a
    /// wallet's clock may be wrong. So is the commitment's own proof to verify.
    ///
    /// # Errors
    ///
    /// [`ProofError`].
    pub fn verify(&self, issuer: &HttpsUri) -> Result<(PublicKey, CommitmentProof), ProofError> {
        let device = self.0.header().jwk.ok_or(ProofError::NoKey)?;
        let claims: Claims = self.0.verify(&device, TYP)?;
        if claims.aud != issuer.as_str() {
            return Err(ProofError::Audience);
        }
        let bytes = |text: &str| decode(text).map_err(|_| ProofError::Content);
        let proof = CommitmentProof {
            commitment: bytes(&claims.commitment)?,
            proof: bytes(&claims.proof)?,
            nonce: claims.nonce,
            iat: claims.iat,
        };
        Ok((device, proof))
    }
}

/// Why a proof is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Signature or form are wrong.
    #[error("commitment proof: {0}")]
    Jws(#[from] JwsError),
    /// The header has no key.
    #[error("commitment proof names no device key")]
    NoKey,
    /// Made for another issuer.
    #[error("commitment proof is for another issuer")]
    Audience,
    /// Commitment or proof are not base64url.
    #[error("commitment proof is malformed")]
    Content,
}

const TYP: &str = "bauta-commitment+jwt";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: String,
    nonce: String,
    iat: UnixTime,
    commitment: String,
    proof: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn issuer() -> HttpsUri {
        HttpsUri::parse("https://issuer.example").unwrap()
    }

    fn proof() -> CommitmentProof {
        CommitmentProof {
            nonce: "n".to_owned(),
            iat: UnixTime(5),
            commitment: vec![1; 48],
            proof: vec![2; 100],
        }
    }

    fn verify(compact: &str) -> Result<(PublicKey, CommitmentProof), ProofError> {
        UnverifiedProof::parse(compact)?.verify(&issuer())
    }

    #[test]
    fn a_proof_brings_the_key_of_its_device() {
        let device = SigningKey::generate();
        let compact = proof().sign(&issuer(), &device);
        assert_eq!(verify(&compact), Ok((*device.public(), proof())));
    }

    #[test]
    fn proofs_for_others_of_others_or_of_other_types_are_refused() {
        let device = SigningKey::generate();
        let other = HttpsUri::parse("https://other.example").unwrap();
        assert_eq!(
            verify(&proof().sign(&other, &device)),
            Err(ProofError::Audience)
        );

        let claims = json!({"aud": "https://issuer.example", "nonce": "n", "iat": 5,
            "commitment": "AQ", "proof": "Ag"});
        let signed =
            |header: &Header, claims| verify(&jws::sign_with_header(&device, header, claims));
        let own = Header {
            jwk: Some(*device.public()),
            ..Header::of_type(TYP)
        };
        assert!(signed(&own, &claims).is_ok());
        assert_eq!(
            signed(&Header::of_type(TYP), &claims),
            Err(ProofError::NoKey)
        );
        // Somebody else's key in the header.
        let stolen = Header {
            jwk: Some(*SigningKey::generate().public()),
            ..own.clone()
        };
        assert_eq!(
            signed(&stolen, &claims),
            Err(ProofError::Jws(JwsError::Signature))
        );
        let typed = Header {
            typ: Some("openid4vci-proof+jwt".to_owned()),
            ..own.clone()
        };
        assert_eq!(
            signed(&typed, &claims),
            Err(ProofError::Jws(JwsError::Type))
        );
        let mut changed = claims.clone();
        changed["proof"] = json!("=");
        assert_eq!(signed(&own, &changed), Err(ProofError::Content));
        let mut more = claims.clone();
        more["name"] = json!("x");
        assert_eq!(signed(&own, &more), Err(ProofError::Jws(JwsError::Payload)));
    }
}
