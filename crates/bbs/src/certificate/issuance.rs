//! K, the commitment to all slots, its proof at an enrolment, and the issuer's signature on it.
//! Source: `docs/specs.md`, section "issuing".

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    BLIND_SLOT, Blind, KNOWN, KNOWN_SLOTS, KnownSlots, NYM_SECRETS, NymCommitment, NymSecrets,
    layout, nym_answers, nym_commitment, own_hash, respond,
};
use crate::Invalid;
use crate::blind::{parse_scalars, sign_b};
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar};
use crate::domains;
use crate::proof::header_with_nym;
use crate::signature::{SecretKey, Signature};
use crate::suite::Octets;

/// Octets of a slot proof: challenge, responses of both blinds and of the nym_secrets.
pub const SLOT_PROOF_LEN: usize = (3 + NYM_SECRETS) * SCALAR_LEN;

/// K, a commitment to all slots, from which the issuer makes the certificate's signature: that of
/// the enrolment, and with every renewal that of another epoch.
pub struct SlotCommitment(pub(super) G1);

impl SlotCommitment {
    /// Commits to all slots of a first certificate and proves that the known slots hold `known`
    /// and the others the opening of `c`, the stored commitment.
    ///
    /// `opening` is the opening of `c`. Returned are the octets of K, its blind (slot 0) and the
    /// proof.
    pub fn prove(
        known: &KnownSlots,
        c: &NymCommitment,
        opening: (&NymSecrets, &Blind),
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> ([u8; G1_LEN], Blind, [u8; SLOT_PROOF_LEN]) {
        let blind = Blind::draw(rng);
        let (k, proof) = SlotCommitment::prove_again(known, c, opening, &blind, binding, rng);
        (k, blind, proof)
    }

    /// As [`SlotCommitment::prove`], with the blind of an earlier K. The slots must be those of that
    /// K, so that it is the same: two with one blind would tell what is between their slots.
    pub fn prove_again(
        known: &KnownSlots,
        c: &NymCommitment,
        opening: (&NymSecrets, &Blind),
        blind: &Blind,
        binding: &[u8],
        rng: &mut impl CryptoRng,
    ) -> ([u8; G1_LEN], [u8; SLOT_PROOF_LEN]) {
        let (secrets, c_blind) = opening;
        let k = layout().sum(KNOWN, &known.0) + nym_commitment(secrets, blind);

        let masks = NymSecrets::draw(rng);
        let (k_mask, c_mask) = (Blind::draw(rng), Blind::draw(rng));
        let t_k = nym_commitment(&masks, &k_mask);
        let between = Zeroizing::new([c_mask.0 - k_mask.0]);
        let t_c = t_k + layout().sum([BLIND_SLOT], between.as_slice());
        let challenge = hash(&challenge_input(known, &k, c, (&t_k, &t_c), binding));

        let mut out = Octets::default();
        out.scalar(&challenge);
        out.scalar(&(k_mask.0 + blind.0 * challenge));
        out.scalar(&(c_mask.0 + c_blind.0 * challenge));
        respond(&mut out, &masks.0, &secrets.0, challenge);
        let proof = out.0.try_into().expect("the proof has a fixed length");
        (k.to_bytes(), proof)
    }

    /// Verifies what [`SlotCommitment::prove`] made; only such a commitment can be signed.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when K does not hold exactly `known` and the opening of `c`.
    pub fn verify(
        k: &[u8; G1_LEN],
        known: &KnownSlots,
        c: &NymCommitment,
        proof: &[u8; SLOT_PROOF_LEN],
        binding: &[u8],
    ) -> Result<SlotCommitment, Invalid> {
        Self::verify_with(k, known, c, proof, binding, hash)
    }

    /// The verifier with its hash, which tests of zero knowledge replace.
    fn verify_with(
        k: &[u8; G1_LEN],
        known: &KnownSlots,
        c: &NymCommitment,
        proof: &[u8; SLOT_PROOF_LEN],
        binding: &[u8],
        hash: impl Fn(&Octets) -> Scalar,
    ) -> Result<SlotCommitment, Invalid> {
        let k = G1::from_bytes(k).ok_or(Invalid)?;
        let scalars = parse_scalars(proof)?;
        let [challenge, k_hat, c_hat, hats @ ..] = scalars.as_slice() else {
            return Err(Invalid);
        };
        let opened = layout().sum(KNOWN, &known.0);
        let t_k = layout().announced(nym_answers(hats, k_hat), (&(k - opened), *challenge));
        let t_c = layout().announced(nym_answers(hats, c_hat), (&c.0, *challenge));
        Invalid::when(hash(&challenge_input(known, &k, c, (&t_k, &t_c), binding)) != *challenge)?;
        Ok(SlotCommitment(k))
    }

    /// The octets of K.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; G1_LEN] {
        self.0.to_bytes()
    }

    /// Signs the committed slots under `header`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with negligible probability.
    pub fn sign(&self, key: &SecretKey, header: &[u8]) -> Result<Signature, Invalid> {
        let parameters = layout();
        let header = header_with_nym(header, NYM_SECRETS);
        let domain = parameters.domain(&key.public(), &header);
        let b = parameters.b(&domain, &[]) + self.0;
        sign_b(parameters, key, &b)
    }
}

fn hash(input: &Octets) -> Scalar {
    own_hash(domains::FIRST_ISSUANCE, input)
}

fn challenge_input(
    known: &KnownSlots,
    k: &G1,
    c: &NymCommitment,
    t: (&G1, &G1),
    binding: &[u8],
) -> Zeroizing<Octets> {
    // Reserved at once: a buffer that grows leaves copies of the slots behind.
    let length = KNOWN_SLOTS * SCALAR_LEN + 4 * G1_LEN + 8 + binding.len();
    let mut input = Zeroizing::new(Octets(Vec::with_capacity(length)));
    for value in &known.0 {
        input.scalar(value);
    }
    for point in [k, &c.0, t.0, t.1] {
        input.point(point);
    }
    input.prefixed(binding);
    input
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests;
