//! Renewal: from a certificate of one epoch to a commitment from which the issuer signs the next.
//!
//! One proof shows a valid certificate, that K holds the same value as it in every slot but the
//! blind, and that its nym_secrets are the opening of C, the commitment in the register's row. The
//! issuer sees device key limbs, web number and generation, which its row must agree with, and
//! learns nothing about the other slots. Without C, whoever forged certificates with a leaked key
//! of an old epoch could renew them, with other nym_secrets each, for ever; with C the holder of a
//! row can still renew other attributes (docs/review-bbs.md). Source: `docs/specs.md`, "Issuing".

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Blind, Certificate, Layout, NYM_SECRETS, NymCommitment, SLOTS, SlotCommitment, layout,
    nym_product, own_hash,
};
use crate::Invalid;
use crate::blind::parse_scalars;
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar, msm_vartime, sum_of_products};
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
/// responses of K's and of C's blind.
pub const RENEWAL_PROOF_LEN: usize = 3 * G1_LEN + (4 + HIDDEN + 2) * SCALAR_LEN;

/// What the issuer fixes before it looks at a renewal.
pub struct ExpectedRenewal<'a> {
    /// The issuer's key under which the old certificate was signed.
    pub issuer: &'a PublicKey,
    /// The header of the old certificate.
    pub header: &'a [u8],
    /// The values of slots 1 to 6 by the issuer's own row.
    pub opened: &'a [Scalar; OPENED_SLOTS],
    /// C, by the issuer's own row.
    pub commitment: &'a NymCommitment,
    /// All that the proof is to be bound to.
    pub binding: &'a [u8],
}

impl Certificate {
    /// Commits to the slots of this certificate under a fresh blind and proves it. `commitment` is
    /// C with its blind.
    ///
    /// Returned are the octets of K, its blind and the proof.
    ///
    /// # Errors
    ///
    /// [`Invalid`] never for a certificate that was verified.
    pub fn renew(
        &self,
        commitment: (&NymCommitment, &Blind),
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<([u8; G1_LEN], Blind, [u8; RENEWAL_PROOF_LEN]), Invalid> {
        self.renew_as(&self.messages, commitment, binding, rng)
    }

    /// As [`Certificate::renew`], with `slots` in K: an honest holder's are the certificate's own.
    fn renew_as(
        &self,
        slots: &[Scalar],
        (c, c_blind): (&NymCommitment, &Blind),
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<([u8; G1_LEN], Blind, [u8; RENEWAL_PROOF_LEN]), Invalid> {
        let random = ProofRandomness::draw(HIDDEN, rng);
        let blind = Blind::draw(rng);
        let (k_mask, c_mask) = (Blind::draw(rng), Blind::draw(rng));
        let (own, in_k) = (Slots::of(&self.messages)?, Slots::of(slots)?);
        let (_, masks) = random.messages.split_first().ok_or(Invalid)?;

        let Generators { first, rest } = generators(layout());
        let announced = Announced {
            k: sum_of_products(first, in_k.opened)
                + sum_of_products(rest, in_k.carried)
                + layout().blind.mul(&blind.0),
            t_k: sum_of_products(rest, masks) + layout().blind.mul(&k_mask.0),
            c: c.0,
            t_c: nym_product(nyms(masks)?) + layout().blind.mul(&c_mask.0),
        };

        let header = header_with_nym(&self.header, NYM_SECRETS);
        let statement = statement(&self.issuer, &header, binding);
        let split = split(&statement)?;
        let (signature, messages) = (&self.signature, &self.messages);
        let commitments = proof_init(&statement, None, signature, messages, &random, &split);
        let input = challenge_input(&commitments, &shown(own.opened), &announced, binding);
        let challenge = own_hash(domains::RENEWAL, &input);
        let hidden = Zeroizing::new([std::slice::from_ref(own.blind), own.carried].concat());
        let proof = finalize(&commitments, signature, &hidden, &random, challenge);
        let mut out = Octets(proof.to_bytes());
        out.scalar(&(k_mask.0 + blind.0 * challenge));
        out.scalar(&(c_mask.0 + c_blind.0 * challenge));
        let proof = out.0.try_into().map_err(|_| Invalid)?;
        Ok((announced.k.to_bytes(), blind, proof))
    }
}

/// The commitments K and C, and the prover's first message for each.
struct Announced {
    k: G1,
    t_k: G1,
    c: G1,
    t_c: G1,
}

/// The nym_secrets among carried slots, or their masks or responses.
fn nyms(carried: &[Scalar]) -> Result<&[Scalar], Invalid> {
    let start = carried.len().checked_sub(NYM_SECRETS).ok_or(Invalid)?;
    carried.get(start..).ok_or(Invalid)
}

/// All slots of a certificate: the blind, the opened ones, the carried ones.
struct Slots<'a> {
    blind: &'a Scalar,
    opened: &'a [Scalar],
    carried: &'a [Scalar],
}

impl Slots<'_> {
    fn of(slots: &[Scalar]) -> Result<Slots<'_>, Invalid> {
        let (blind, rest) = slots.split_first().ok_or(Invalid)?;
        let (opened, carried) = rest.split_at_checked(OPENED_SLOTS).ok_or(Invalid)?;
        Ok(Slots {
            blind,
            opened,
            carried,
        })
    }
}

impl SlotCommitment {
    /// Verifies what [`Certificate::renew`] made; only such a commitment can be signed.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the certificate is not the issuer's under this header, opened slots have
    /// other values, or K differs from it in a slot.
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
    let (_, carried) = proof.m_hats.split_first().ok_or(Invalid)?;
    let [k_hat, c_hat] = hats.as_slice() else {
        return Err(Invalid);
    };
    if carried.len() != HIDDEN - 1 {
        return Err(Invalid);
    }

    let header = header_with_nym(expected.header, NYM_SECRETS);
    let statement = statement(expected.issuer, &header, expected.binding);
    let shown = shown(expected.opened);
    let commitments = verify_init(&statement, None, &proof, &shown, &split(&statement)?);
    let Generators { first, rest } = generators(layout());
    let (challenge, blind) = (proof.challenge, layout().blind);
    let mut of_k = vec![(blind, *k_hat), (k, -challenge)];
    of_k.extend(
        first
            .iter()
            .zip(expected.opened)
            .map(|(g, m)| (*g, *m * challenge)),
    );
    of_k.extend(rest.iter().copied().zip(carried.iter().copied()));
    let mut of_c = vec![(blind, *c_hat), (expected.commitment.0, -challenge)];
    of_c.extend(
        layout()
            .nyms
            .iter()
            .copied()
            .zip(nyms(carried)?.iter().copied()),
    );
    let announced = Announced {
        k,
        t_k: msm_vartime(&of_k),
        c: expected.commitment.0,
        t_c: msm_vartime(&of_c),
    };
    let input = challenge_input(&commitments, &shown, &announced, expected.binding);
    if hash(&input) != challenge {
        return Err(Invalid);
    }
    verify_pairing(&statement, &proof)?;
    Ok(SlotCommitment(k))
}

/// Generators of the opened slots and of the carried ones.
struct Generators<'a> {
    first: &'a [G1],
    rest: &'a [G1],
}

fn generators(layout: &Layout) -> Generators<'_> {
    let all = layout.parameters.message_generators.as_slice();
    let (first, rest) = all.split_at(1).1.split_at(OPENED_SLOTS);
    Generators { first, rest }
}

fn statement<'a>(issuer: &'a PublicKey, header: &'a [u8], binding: &'a [u8]) -> Statement<'a> {
    Statement {
        parameters: &layout().parameters,
        issuer,
        header,
        ph: binding,
    }
}

fn split(statement: &Statement<'_>) -> Result<Split, Invalid> {
    let opened: Vec<usize> = (1..=OPENED_SLOTS).collect();
    Split::new(statement.parameters, &opened, None)
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
    let Announced { k, t_k, c, t_c } = announced;
    for point in [k, t_k, c, t_c] {
        input.point(point);
    }
    input.scalar(&commitments.domain);
    input.prefixed(binding);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
