//! Renewal: from a certificate of one epoch to a commitment from which the issuer signs the next.
//!
//! One proof shows a valid certificate, and that K and F hold the same value as it in every slot but
//! the blind. F is the commitment from which the first certificate of this enrolment was signed; the
//! issuer keeps it in its row. The issuer sees device key limbs, web number and generation, which its
//! row must agree with, and learns nothing about the other slots. Without F, whoever has a leaked key
//! of an old epoch could forge a certificate with other attributes and renew it into a genuine one.
//!
//! K is F under another blind, so K - F is a multiple of the blind's generator; that, and an opening
//! of K to the certificate's slots, is what is proved. Source: `docs/specs.md`, "Issuing".

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{Blind, Certificate, NYM_SECRETS, SLOTS, SlotCommitment, layout, own_hash};
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar, announced, msm_vartime, sum_of_products};
use crate::domains;
use crate::proof::{
    Commitments, Proof, ProofRandomness, Split, Statement, finalize, header_with_nym, proof_init,
    verify_init, verify_pairing,
};
use crate::signature::PublicKey;
use crate::suite::Octets;

/// Slots 1 to 6, opened to the issuer: device key limbs, web number, generation.
pub const OPENED_SLOTS: usize = 6;
/// Hidden slots: the blind and all others.
const HIDDEN: usize = SLOTS - OPENED_SLOTS;
/// Octets of a renewal proof: three points, the scalars of a BBS proof with 21 hidden slots, the
/// responses of K's blind and of its difference from F's.
pub const RENEWAL_PROOF_LEN: usize = 3 * G1_LEN + (4 + HIDDEN + 2) * SCALAR_LEN;

/// F, the [`SlotCommitment`] of an enrolment's first certificate, as the register keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FirstCommitment(G1);

impl FirstCommitment {
    /// Parses a compressed point.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a point off the subgroup or the identity.
    pub fn from_bytes(bytes: &[u8; G1_LEN]) -> Result<FirstCommitment, Invalid> {
        G1::from_bytes(bytes).map(FirstCommitment).ok_or(Invalid)
    }
}

/// What the issuer fixes before it looks at a renewal.
pub struct ExpectedRenewal<'a> {
    /// The issuer's key under which the old certificate was signed.
    pub issuer: &'a PublicKey,
    /// The header of the old certificate.
    pub header: &'a [u8],
    /// The values of slots 1 to 6 by the issuer's own row.
    pub opened: &'a [Scalar; OPENED_SLOTS],
    /// F, by the issuer's own row.
    pub first: &'a FirstCommitment,
    /// All that the proof is to be bound to.
    pub binding: &'a [u8],
}

impl Certificate {
    /// Commits to the slots of this certificate under a fresh blind and proves it. `first_blind` is
    /// that of F.
    ///
    /// Returned are the octets of K, its blind and the proof.
    ///
    /// # Errors
    ///
    /// [`Invalid`] never for a certificate that was verified.
    pub fn renew(
        &self,
        first_blind: &Blind,
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<([u8; G1_LEN], Blind, [u8; RENEWAL_PROOF_LEN]), Invalid> {
        self.renew_as(&self.messages, first_blind, binding, rng)
    }

    /// As [`Certificate::renew`], with `slots` in K and F: an honest holder's are the certificate's
    /// own.
    fn renew_as(
        &self,
        slots: &[Scalar],
        first_blind: &Blind,
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<([u8; G1_LEN], Blind, [u8; RENEWAL_PROOF_LEN]), Invalid> {
        let header = header_with_nym(&self.header, NYM_SECRETS);
        let statement = statement(&self.issuer, &header, binding);
        let split = split(&statement)?;
        let random = ProofRandomness::draw(HIDDEN, rng);
        let (more, k_mask, more_mask) = (Blind::draw(rng), Blind::draw(rng), Blind::draw(rng));

        let first = with_blind(&layout().parameters.message_generators, first_blind, slots);
        // The certificate's own blind is another than K's, and so is its mask.
        let t_k = with_blind(&split.hidden_generators, &k_mask, &random.messages);
        let blind = Blind(first_blind.0 + more.0);
        let announced = Announced {
            first,
            k: first + layout().blind.mul(&more.0),
            t_k,
            t_more: layout().blind.mul(&more_mask.0),
        };

        let (signature, messages) = (&self.signature, &self.messages);
        let commitments = proof_init(&statement, signature, messages, &random, &split);
        let opened = messages.get(1..=OPENED_SLOTS).ok_or(Invalid)?;
        let input = challenge_input(&commitments, &shown(opened), &announced, binding);
        let challenge = own_hash(domains::RENEWAL, &input);
        let hidden = split.hidden_of(messages);
        let proof = finalize(&commitments, signature, &hidden, &random, challenge);
        let mut out = Octets(proof.to_bytes());
        out.scalar(&(k_mask.0 + blind.0 * challenge));
        out.scalar(&(more_mask.0 + more.0 * challenge));
        let proof = out.0.try_into().map_err(|_| Invalid)?;
        Ok((announced.k.to_bytes(), blind, proof))
    }
}

/// Σ generators\[i\] · values\[i\], with `blind` in place of the first value.
fn with_blind(generators: &[G1], blind: &Blind, values: &[Scalar]) -> G1 {
    let rest = values.iter().skip(1).copied();
    let mut all = Zeroizing::new(Vec::with_capacity(values.len()));
    all.extend(std::iter::once(blind.0).chain(rest));
    sum_of_products(generators, &all)
}

/// The commitments F and K, and the prover's first messages for K and for K - F.
struct Announced {
    first: G1,
    k: G1,
    t_k: G1,
    t_more: G1,
}

impl SlotCommitment {
    /// Verifies what [`Certificate::renew`] made; only such a commitment can be signed.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the certificate is not the issuer's under this header, opened slots have
    /// other values, or K or F differs from it in a slot.
    pub fn verify_renewal(
        k: &[u8; G1_LEN],
        proof: &[u8; RENEWAL_PROOF_LEN],
        expected: &ExpectedRenewal<'_>,
    ) -> Result<SlotCommitment, Invalid> {
        verify_with(k, proof, expected, |input| {
            own_hash(domains::RENEWAL, input)
        })
    }
}

/// The verifier with its hash, which tests of zero knowledge replace.
fn verify_with(
    k: &[u8; G1_LEN],
    proof: &[u8; RENEWAL_PROOF_LEN],
    expected: &ExpectedRenewal<'_>,
    hash: impl Fn(&Octets) -> Scalar,
) -> Result<SlotCommitment, Invalid> {
    let k = G1::from_bytes(k).ok_or(Invalid)?;
    let (bbs, hats) = proof.split_at(RENEWAL_PROOF_LEN - 2 * SCALAR_LEN);
    let (proof, hats) = (Proof::from_bytes(bbs)?, parse_scalars(hats)?);
    let (Some((_, carried)), [k_hat, more_hat]) = (proof.m_hats.split_first(), hats.as_slice())
    else {
        return Err(Invalid);
    };
    let header = header_with_nym(expected.header, NYM_SECRETS);
    let statement = statement(expected.issuer, &header, expected.binding);
    let split = split(&statement)?;
    Invalid::when(proof.m_hats.len() != split.hidden.len())?;
    let shown = shown(expected.opened);
    let commitments = verify_init(&statement, &proof, &shown, &split);
    let (first, challenge) = (expected.first.0, proof.challenge);
    let opened: Vec<_> = split
        .disclosed_generators
        .iter()
        .copied()
        .zip(*expected.opened)
        .collect();
    let answers = split
        .hidden_generators
        .iter()
        .zip(std::iter::once(k_hat).chain(carried));
    let announced = Announced {
        first,
        k,
        t_k: announced(answers, (&(k - msm_vartime(&opened)), challenge)),
        t_more: announced([(&layout().blind, more_hat)], (&(k - first), challenge)),
    };
    let input = challenge_input(&commitments, &shown, &announced, expected.binding);
    Invalid::when(hash(&input) != challenge)?;
    verify_pairing(&statement, &proof)?;
    Ok(SlotCommitment(k))
}

fn statement<'a>(issuer: &'a PublicKey, header: &'a [u8], binding: &'a [u8]) -> Statement<'a> {
    Statement {
        parameters: &layout().parameters,
        issuer,
        header,
        ph: binding,
        nym: None,
    }
}

fn split(statement: &Statement<'_>) -> Result<Split, Invalid> {
    let opened: Vec<usize> = (1..=OPENED_SLOTS).collect();
    Split::new(statement, &opened)
}

/// The opened slots with their absolute indexes.
fn shown(opened: &[Scalar]) -> Vec<(usize, Scalar)> {
    (1..).zip(opened.iter().copied()).collect()
}

fn challenge_input(
    commitments: &Commitments,
    shown: &[(usize, Scalar)],
    announced: &Announced,
    binding: &[u8],
) -> Octets {
    let mut input = Octets::default();
    commitments.write(&mut input, shown);
    let Announced {
        first,
        k,
        t_k,
        t_more,
    } = announced;
    for point in [first, k, t_k, t_more] {
        input.point(point);
    }
    input.scalar(&commitments.domain);
    input.prefixed(binding);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
