//! C, the commitment to the nym_secrets that the register keeps, and the proof of its opening.
//! Source: `docs/specs.md`, section "issuing".

use rand_core::CryptoRng;

use super::{
    Blind, NYM_SECRETS, NymSecrets, SLOTS, SignerEntropy, layout, nym_answers, nym_commitment,
    own_hash, respond,
};
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar};
use crate::domains;
use crate::suite::Octets;

/// Octets of an opening proof: challenge, response of the blind, responses of the nym_secrets.
pub const OPENING_PROOF_LEN: usize = (2 + NYM_SECRETS) * SCALAR_LEN;

/// C, the Pedersen commitment to a person's nym_secrets. It hides them perfectly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NymCommitment(pub(super) G1);

impl NymCommitment {
    /// Commits to `secrets` under a fresh blind.
    pub fn commit(secrets: &NymSecrets, rng: &mut impl CryptoRng) -> (NymCommitment, Blind) {
        let blind = Blind::draw(rng);
        (NymCommitment(nym_commitment(secrets, &blind)), blind)
    }

    /// The final C: this commitment with the signer's entropy added to the last nym_secret.
    #[must_use]
    pub fn add_entropy(&self, entropy: &SignerEntropy) -> NymCommitment {
        NymCommitment(self.0 + layout().sum([SLOTS - 1], std::slice::from_ref(&entropy.0)))
    }

    /// Compressed, 48 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G1_LEN] {
        self.0.to_bytes()
    }

    /// Parses a compressed point.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a point off the subgroup or the identity.
    pub fn from_bytes(bytes: &[u8; G1_LEN]) -> Result<NymCommitment, Invalid> {
        G1::from_bytes(bytes).map(NymCommitment).ok_or(Invalid)
    }

    /// Proves that the opening is known; `binding` is all that the proof is to be bound to
    /// (nonce, purpose, device key).
    pub fn prove_opening(
        &self,
        secrets: &NymSecrets,
        blind: &Blind,
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> [u8; OPENING_PROOF_LEN] {
        let masks = NymSecrets::draw(rng);
        let blind_mask = Blind::draw(rng);
        let t = nym_commitment(&masks, &blind_mask);
        let c = hash(&challenge_input(self, &t, binding));
        let mut out = Octets::default();
        out.scalar(&c);
        out.scalar(&(blind_mask.0 + blind.0 * c));
        respond(&mut out, &masks.0, &secrets.0, c);
        out.0.try_into().expect("the proof has a fixed length")
    }

    /// Verifies what [`NymCommitment::prove_opening`] made.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it does not hold for this commitment and `binding`.
    pub fn verify_opening(
        &self,
        proof: &[u8; OPENING_PROOF_LEN],
        binding: &[u8],
    ) -> Result<(), Invalid> {
        self.verify_with(proof, binding, hash)
    }

    /// The verifier with its hash, which tests of zero knowledge replace.
    fn verify_with(
        &self,
        proof: &[u8; OPENING_PROOF_LEN],
        binding: &[u8],
        hash: impl Fn(&Octets) -> Scalar,
    ) -> Result<(), Invalid> {
        let scalars = parse_scalars(proof)?;
        let [c, blind_hat, hats @ ..] = scalars.as_slice() else {
            return Err(Invalid);
        };
        let t = layout().announced(nym_answers(hats, blind_hat), (&self.0, *c));
        Invalid::when(hash(&challenge_input(self, &t, binding)) != *c)
    }
}

fn hash(input: &Octets) -> Scalar {
    own_hash(domains::NYM_OPENING, input)
}

fn challenge_input(c: &NymCommitment, t: &G1, binding: &[u8]) -> Octets {
    let mut input = Octets::default();
    input.point(&c.0);
    input.point(t);
    input.prefixed(binding);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
