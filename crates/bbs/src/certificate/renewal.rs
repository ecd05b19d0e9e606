//! Renewal: the issuer signs the commitment that it keeps once more, for another epoch.
//!
//! K, from which the certificate of an enrolment was signed, stays in the issuer's row, and every
//! later certificate is a signature on the same K: all have the same slots, blind included. One proof
//! shows a valid certificate of an old epoch with exactly the slots of K. The issuer sees device key
//! limbs, web number and generation, which its row must agree with, and learns nothing about the other
//! slots. So a certificate that was forged with a leaked key of an old epoch, with other attributes or
//! secrets, is not renewed, and who can write to the row but has no certificate renews nothing either
//! (who has a leaked key as well makes rows of their own).
//! Source: `docs/specs.md`, "Issuing".

use rand_core::CryptoRng;

use super::{Certificate, NYM_SECRETS, SLOTS, SlotCommitment, layout, own_hash};
use crate::Invalid;
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar};
use crate::domains;
use crate::proof::{
    Commitments, Proof, ProofRandomness, Prover, Split, Statement, header_with_nym, verify_init,
    verify_pairing,
};
use crate::signature::PublicKey;
use crate::suite::Octets;

/// Slots 1 to 6, opened to the issuer: device key limbs, web number, generation.
pub const OPENED_SLOTS: usize = 6;
/// Hidden slots: the blind and all others.
const HIDDEN: usize = SLOTS - OPENED_SLOTS;
/// Octets of a renewal proof: those of a BBS proof with 21 hidden slots.
pub const RENEWAL_PROOF_LEN: usize = 3 * G1_LEN + (4 + HIDDEN) * SCALAR_LEN;

/// K as the register keeps it. It is signed again only after a renewal's proof.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeptCommitment(G1);

/// What the issuer fixes before it looks at a renewal.
pub struct ExpectedRenewal<'a> {
    /// The issuer's key under which the old certificate was signed.
    pub issuer: &'a PublicKey,
    /// The header of the old certificate.
    pub header: &'a [u8],
    /// The values of slots 1 to 6 by the issuer's own row.
    pub opened: &'a [Scalar; OPENED_SLOTS],
    /// All that the proof is to be bound to.
    pub binding: &'a [u8],
}

impl Certificate {
    /// Proves this certificate and that it has the slots of K.
    ///
    /// # Errors
    ///
    /// [`Invalid`] never for a certificate that was verified.
    pub fn renew(
        &self,
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<[u8; RENEWAL_PROOF_LEN], Invalid> {
        self.renew_as(&self.messages, binding, rng)
    }

    /// As [`Certificate::renew`], towards a K with `slots`: an honest holder's are the certificate's
    /// own.
    fn renew_as(
        &self,
        slots: &[Scalar],
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<[u8; RENEWAL_PROOF_LEN], Invalid> {
        let prover = self.prover(ProofRandomness::draw(HIDDEN, rng))?;
        let k = layout().sum(0..SLOTS, slots);
        let announced = (&k, &prover.of_masks());
        let input = challenge_input(&prover.commitments, &prover.shown, announced, binding);
        let proof = prover.answer(own_hash(domains::RENEWAL, &input));
        proof.to_bytes().try_into().map_err(|_| Invalid)
    }

    fn prover(&self, random: Box<ProofRandomness>) -> Result<Prover, Invalid> {
        let header = header_with_nym(&self.header, NYM_SECRETS);
        let domain = layout().domain(&self.issuer, &header);
        let signed = (&self.signature, self.messages.as_slice());
        Prover::new((layout(), domain), signed, &split()?, random)
    }
}

impl KeptCommitment {
    /// Parses a compressed point.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a point off the subgroup or the identity.
    pub fn from_bytes(bytes: &[u8; G1_LEN]) -> Result<KeptCommitment, Invalid> {
        G1::from_bytes(bytes).map(KeptCommitment).ok_or(Invalid)
    }

    /// Verifies what [`Certificate::renew`] made; the commitment can then be signed.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the certificate is not the issuer's under this header, opened slots have
    /// other values, or K differs from it in a slot.
    pub fn verify_renewal(
        &self,
        proof: &[u8; RENEWAL_PROOF_LEN],
        expected: &ExpectedRenewal<'_>,
    ) -> Result<SlotCommitment, Invalid> {
        self.verify_with(proof, expected, |input| own_hash(domains::RENEWAL, input))
    }

    /// The verifier with its hash, which tests of zero knowledge replace.
    fn verify_with(
        &self,
        proof: &[u8; RENEWAL_PROOF_LEN],
        expected: &ExpectedRenewal<'_>,
        hash: impl Fn(&Octets) -> Scalar,
    ) -> Result<SlotCommitment, Invalid> {
        let proof = Proof::from_bytes(proof)?;
        let header = header_with_nym(expected.header, NYM_SECRETS);
        let statement = statement(expected.issuer, &header, expected.binding);
        let split = split()?;
        Invalid::when(proof.m_hats.len() != split.hidden.len())?;
        let shown = shown(expected.opened);
        let commitments = verify_init(&statement, &proof, &shown, &split);
        let t_k = commitments.of_answers(&proof, statement.parameters, &self.0);
        let input = challenge_input(&commitments, &shown, (&self.0, &t_k), expected.binding);
        Invalid::when(hash(&input) != proof.challenge)?;
        verify_pairing(expected.issuer, (&proof.abar, &proof.bbar))?;
        Ok(SlotCommitment(self.0))
    }
}

fn statement<'a>(issuer: &'a PublicKey, header: &'a [u8], binding: &'a [u8]) -> Statement<'a> {
    Statement {
        parameters: layout(),
        issuer,
        header,
        ph: binding,
        nym: None,
    }
}

fn split() -> Result<Split, Invalid> {
    let opened: Vec<usize> = (1..=OPENED_SLOTS).collect();
    Split::new(layout(), NYM_SECRETS, &opened)
}

/// The opened slots with their absolute indexes.
fn shown(opened: &[Scalar]) -> Vec<(usize, Scalar)> {
    (1..).zip(opened.iter().copied()).collect()
}

/// `announced` is K, and the prover's first message for it.
fn challenge_input(
    commitments: &Commitments,
    shown: &[(usize, Scalar)],
    announced: (&G1, &G1),
    binding: &[u8],
) -> Octets {
    let mut input = Octets::default();
    commitments.write(&mut input, shown);
    input.point(announced.0);
    input.point(announced.1);
    input.scalar(&commitments.domain);
    input.prefixed(binding);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
