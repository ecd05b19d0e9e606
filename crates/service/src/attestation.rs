//! The enrolment service's signed word to the trustees that it has seen evidence.
//!
//! It says what kind of evidence, how good, and which blinded elements belong to it; it holds
//! nothing about the person or the document. Format: JWS `bauta-evidence+jwt`.

use credential::jose::{self, PublicKey, SigningKey, jws};
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};

/// `typ` of the signed attestation.
const TYP: &str = "bauta-evidence+jwt";
/// The longest time for which an attestation may be made, in seconds.
pub const LIFETIME_MAX_SECS: u64 = 3600;
/// How far the clocks of the two sides may differ, in seconds.
const CLOCK_SKEW_SECS: u64 = 60;

/// The kind of a piece of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A passport whose chip was read.
    Passport,
    /// A card whose chip was read.
    Card,
    /// A number and a name that an authoritative register confirmed.
    ResidentNumber,
}

impl EvidenceKind {
    /// The name on the wire and in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EvidenceKind::Passport => "passport",
            EvidenceKind::Card => "card",
            EvidenceKind::ResidentNumber => "resident_number",
        }
    }
}

/// How far a piece of evidence can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceLevel {
    /// Data that somebody else can have too, and an officer who has seen person and document.
    LowOfficer,
    /// Signed data of a chip that proved to be the original one, and such an officer.
    SubstantialOfficer,
    /// Such a chip, and a machine that found the living face to be the one of the portrait.
    SubstantialFace,
}

impl EvidenceLevel {
    /// The name on the wire, in the log and in the certificate.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EvidenceLevel::LowOfficer => "low_officer",
            EvidenceLevel::SubstantialOfficer => "substantial_officer",
            EvidenceLevel::SubstantialFace => "substantial_face",
        }
    }
}

/// What an attestation says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Name of the enrolment service.
    pub iss: String,
    /// Random identifier of the evidence, 16 bytes in base64url.
    pub evidence_id: String,
    /// What the evidence is.
    pub kind: EvidenceKind,
    /// How good it is.
    pub level: EvidenceLevel,
    /// SHA-256 over the blinded elements, in base64url.
    pub elements_sha256: String,
    /// When it was signed.
    pub iat: UnixTime,
    /// The first second at which it is no longer taken.
    pub exp: UnixTime,
}

/// Why a trustee refuses an attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationError {
    /// Not signed by the enrolment service, or of another form.
    #[error("attestation is not signed by the enrolment service")]
    Signature,
    /// Of another enrolment service.
    #[error("attestation is of another enrolment service")]
    Issuer,
    /// Expired, made in the future or for too long.
    #[error("attestation is not valid at this time")]
    Time,
}

impl Attestation {
    /// Signs the attestation.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        jws::sign(key, TYP, self)
    }

    /// Verifies an attestation of the enrolment service `issuer`.
    ///
    /// # Errors
    ///
    /// The variants of [`AttestationError`].
    pub fn verify(
        compact: &str,
        issuer: &str,
        key: &PublicKey,
        now: UnixTime,
    ) -> Result<Attestation, AttestationError> {
        let attestation: Attestation = jws::UnverifiedJws::parse(compact)
            .and_then(|jws| jws.verify(key, TYP))
            .map_err(|_| AttestationError::Signature)?;
        if attestation.iss != issuer {
            return Err(AttestationError::Issuer);
        }
        let latest_end = now.plus_secs(LIFETIME_MAX_SECS + CLOCK_SKEW_SECS);
        if now >= attestation.exp
            || attestation.exp > latest_end
            || attestation.iat > now.plus_secs(CLOCK_SKEW_SECS)
        {
            return Err(AttestationError::Time);
        }
        Ok(attestation)
    }
}

/// The hash that ties an attestation to its blinded elements.
#[must_use]
pub fn elements_hash(elements: &[[u8; 32]]) -> [u8; 32] {
    jose::sha256(elements.as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn attestation() -> Attestation {
        Attestation {
            iss: "enrolment".to_owned(),
            evidence_id: jose::encode([1; 16]),
            kind: EvidenceKind::Passport,
            level: EvidenceLevel::SubstantialOfficer,
            elements_sha256: jose::encode(elements_hash(&[[2; 32]])),
            iat: NOW,
            exp: NOW.plus_secs(900),
        }
    }

    #[test]
    fn an_attestation_is_taken_until_the_second_it_expires() {
        let key = SigningKey::generate();
        let compact = attestation().sign(&key);
        let verify = |now| Attestation::verify(&compact, "enrolment", key.public(), now);
        assert_eq!(verify(NOW), Ok(attestation()));
        assert_eq!(verify(NOW.plus_secs(899)), Ok(attestation()));
        assert_eq!(verify(NOW.plus_secs(900)), Err(AttestationError::Time));
    }

    #[test]
    fn other_keys_issuers_types_and_times_are_refused() {
        let key = SigningKey::generate();
        let verify = |compact: &str| Attestation::verify(compact, "enrolment", key.public(), NOW);
        let stranger = SigningKey::generate();
        let forged = attestation().sign(&stranger);
        assert_eq!(verify(&forged), Err(AttestationError::Signature));
        let other_type = jws::sign(&key, "bauta-manifest+jwt", &attestation());
        assert_eq!(verify(&other_type), Err(AttestationError::Signature));
        let other = Attestation {
            iss: "other".to_owned(),
            ..attestation()
        };
        assert_eq!(verify(&other.sign(&key)), Err(AttestationError::Issuer));
        let long = Attestation {
            exp: NOW.plus_secs(LIFETIME_MAX_SECS + 61),
            ..attestation()
        };
        assert_eq!(verify(&long.sign(&key)), Err(AttestationError::Time));
        let early = Attestation {
            iat: NOW.plus_secs(61),
            ..attestation()
        };
        assert_eq!(verify(&early.sign(&key)), Err(AttestationError::Time));
        assert_eq!(verify("a.b.c"), Err(AttestationError::Signature));
    }
}
