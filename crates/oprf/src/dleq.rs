//! The proof that one key is behind a public key and an evaluation.
//!
//! The RFC proves a batch; here a batch has one pair, blinded and evaluated.
//!
//! Source: RFC 9497 §2.2.

use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest, Sha512};

use crate::element::{DecodeError, Element, scalar_from_bytes, split};
use crate::suite::{CHALLENGE_LABEL, COMPOSITE_LABEL, SEED_DST, hash_to_scalar};

/// A challenge and the response to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Proof {
    challenge: Scalar,
    response: Scalar,
}

/// What a proof is about: `evaluated` is `blinded` to the power of the key behind `public_key`.
pub(crate) struct Statement<'a> {
    pub(crate) public_key: &'a Element,
    pub(crate) blinded: &'a Element,
    pub(crate) evaluated: &'a Element,
}

impl Proof {
    pub(crate) const LENGTH: usize = 64;

    /// GenerateProof. `nonce` is secret, uniform and never used twice: two proofs with one nonce
    /// give the key away.
    ///
    /// Source: RFC 9497 §2.2.1.
    pub(crate) fn new(statement: &Statement<'_>, key: &Scalar, nonce: &Scalar) -> Self {
        let m = statement.weight() * statement.blinded.point();
        let z = key * m;
        let challenge = statement.challenge([m, z, RistrettoPoint::mul_base(nonce), nonce * m]);
        Self {
            challenge,
            response: nonce - challenge * key,
        }
    }

    /// VerifyProof.
    ///
    /// Source: RFC 9497 §2.2.2.
    pub(crate) fn holds(&self, statement: &Statement<'_>) -> bool {
        let weight = statement.weight();
        let m = weight * statement.blinded.point();
        let z = weight * statement.evaluated.point();
        let commitment = RistrettoPoint::mul_base(&self.response)
            + self.challenge * statement.public_key.point();
        let commitment_m = self.response * m + self.challenge * z;
        self.challenge == statement.challenge([m, z, commitment, commitment_m])
    }

    /// The challenge, then the response.
    pub(crate) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let (challenge, response) = bytes.split_at_mut(32);
        challenge.copy_from_slice(self.challenge.as_bytes());
        response.copy_from_slice(self.response.as_bytes());
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self, DecodeError> {
        let (challenge, rest) = split(bytes)?;
        let (response, _) = split(rest)?;
        Ok(Self {
            challenge: scalar_from_bytes(challenge)?,
            response: scalar_from_bytes(response)?,
        })
    }
}

impl Statement<'_> {
    /// `d0` of ComputeComposites, the weight of the batch's only pair.
    ///
    /// Source: RFC 9497 §2.2.1.
    fn weight(&self) -> Scalar {
        let mut seed_input = Vec::new();
        push_prefixed(&mut seed_input, self.public_key.bytes());
        push_prefixed(&mut seed_input, SEED_DST);

        let mut input = Vec::new();
        push_prefixed(&mut input, &Sha512::digest(&seed_input));
        input.extend([0, 0]); // the pair's place in the batch
        push_prefixed(&mut input, self.blinded.bytes());
        push_prefixed(&mut input, self.evaluated.bytes());
        input.extend(COMPOSITE_LABEL);
        hash_to_scalar(&input)
    }

    fn challenge(&self, transcript: [RistrettoPoint; 4]) -> Scalar {
        let mut input = Vec::new();
        push_prefixed(&mut input, self.public_key.bytes());
        for point in transcript {
            push_prefixed(&mut input, point.compress().as_bytes());
        }
        input.extend(CHALLENGE_LABEL);
        hash_to_scalar(&input)
    }
}

/// `I2OSP(length, 2) || bytes`.
fn push_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).expect("elements, digests and labels are short");
    out.extend(length.to_be_bytes());
    out.extend(bytes);
}
