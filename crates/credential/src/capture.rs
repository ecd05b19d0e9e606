//! What a device signs about the frames of its camera.

use serde::{Deserialize, Serialize};

use crate::jose::{self, PublicKey, SigningKey, jws};
use crate::origin::Origin;

/// `typ` of the statement.
const TYP: &str = "bauta-capture+jwt";

/// That these frames were taken at these times, for this challenge of this session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureStatement {
    /// The operator.
    pub aud: Origin,
    /// The enrolment session.
    pub session: String,
    /// The nonce of the challenge.
    pub nonce: String,
    /// When each frame was taken, in milliseconds from the beginning.
    pub times_ms: Vec<u32>,
    /// [`frames_digest`] in base64url.
    pub frames_sha256: String,
}

impl CaptureStatement {
    /// Signs it with the key of the device.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> String {
        jws::sign(key, TYP, self)
    }

    /// A statement by the device with this key; `None` for anything else.
    #[must_use]
    pub fn verify(compact: &str, key: &PublicKey) -> Option<CaptureStatement> {
        let statement = jws::UnverifiedJws::parse(compact);
        statement.and_then(|jws| jws.verify(key, TYP)).ok()
    }
}

/// SHA-256 over the SHA-256 of each frame as it was encoded, in their order.
#[must_use]
pub fn frames_digest<'f>(frames: impl Iterator<Item = &'f [u8]>) -> [u8; 32] {
    let digests: Vec<[u8; 32]> = frames.map(jose::sha256).collect();
    jose::sha256(digests.as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_borders_of_frames_are_signed() {
        let digest = |frames: &[&[u8]]| frames_digest(frames.iter().copied());
        let all = [
            digest(&[b"ab", b"c"]),
            digest(&[b"a", b"bc"]),
            digest(&[b"c", b"ab"]),
            digest(&[b"abc"]),
            digest(&[]),
        ];
        for (number, one) in all.iter().enumerate() {
            assert!(all.iter().skip(number + 1).all(|other| other != one));
        }
    }

    #[test]
    fn a_statement_counts_under_the_devices_key_alone() {
        let (key, other) = (SigningKey::generate(), SigningKey::generate());
        let statement = CaptureStatement {
            aud: Origin::parse("https://operator.example").unwrap(),
            session: "AAAA".to_owned(),
            nonce: "BBBB".to_owned(),
            times_ms: vec![0, 250],
            frames_sha256: jose::encode(frames_digest([&b"1"[..], b"2"].into_iter())),
        };
        let signed = statement.sign(&key);
        assert_eq!(
            CaptureStatement::verify(&signed, key.public()),
            Some(statement)
        );
        assert_eq!(CaptureStatement::verify(&signed, other.public()), None);
    }
}
