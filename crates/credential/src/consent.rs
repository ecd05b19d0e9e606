//! What a person agreed to before an enrolment, as the person keeps it.

use serde::{Deserialize, Serialize};

use crate::jose::{PublicKey, SigningKey, jws};
use crate::origin::Origin;
use crate::time::UnixTime;

/// `typ` of a receipt.
const RECEIPT_TYP: &str = "bauta-consent+jwt";

/// What a person has chosen to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenEvidence {
    /// A document with a chip, or its data.
    Document,
    /// A number and a name, which an authoritative register knows.
    ResidentNumber,
}

/// Whether a machine may compare the face; apart from everything else that is agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceConsent {
    /// It may.
    Given,
    /// It may not: an officer compares.
    Withheld,
}

/// The operator's signed word of what was agreed to. The holder keeps it; the operator does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentReceipt {
    /// The operator.
    pub iss: Origin,
    /// The enrolment session.
    pub session: String,
    /// The number of the notice.
    pub notice_version: u32,
    /// SHA-256 of the notice, base64url.
    pub notice_sha256: String,
    /// What was chosen.
    pub evidence: ChosenEvidence,
    /// Whether a machine may compare the face.
    pub face: FaceConsent,
    /// When.
    pub iat: UnixTime,
}

impl ConsentReceipt {
    /// Signs it with the operator's key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        jws::sign(key, RECEIPT_TYP, self)
    }

    /// A receipt by the operator with this key; `None` for anything else.
    #[must_use]
    pub fn verify(compact: &str, key: &PublicKey) -> Option<ConsentReceipt> {
        let receipt = jws::UnverifiedJws::parse(compact);
        receipt.and_then(|jws| jws.verify(key, RECEIPT_TYP)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_counts_under_the_operators_key_alone() {
        let key = SigningKey::generate();
        let receipt = ConsentReceipt {
            iss: Origin::parse("https://operator.example").unwrap(),
            session: "AAAA".to_owned(),
            notice_version: 1,
            notice_sha256: "BBBB".to_owned(),
            evidence: ChosenEvidence::Document,
            face: FaceConsent::Withheld,
            iat: UnixTime(1_800_000_000),
        };
        let signed = receipt.sign(&key);
        assert_eq!(ConsentReceipt::verify(&signed, key.public()), Some(receipt));
        let other = SigningKey::generate();
        assert_eq!(ConsentReceipt::verify(&signed, other.public()), None);
        assert_eq!(ConsentReceipt::verify("a.b.c", key.public()), None);
    }
}
