//! bauta's profile: one layout for the whole population, its issuing steps and its proofs.
//!
//! Slots by absolute index: 0 the prover's blind, 1 to 16 the known slots (device key limbs, web
//! number, attributes), 17 to 26 the nym_secrets. All of them are committed messages of the
//! pseudonym interface (L = 0), so every certificate has the same generators and domain.
//! Source: `docs/specs.md`, section "web certificate".

mod renewal;

use std::sync::OnceLock;

use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

pub use self::renewal::{ExpectedRenewal, OPENED_SLOTS, RENEWAL_PROOF_LEN};
use crate::Invalid;
use crate::blind::{parse_scalars, sign_b};
use crate::blst::{G1, G1_LEN, SCALAR_LEN, Scalar, msm_vartime, sum_of_products};
use crate::domains;
use crate::proof::{
    NymStatement, Proof, Statement, header_with_nym, prove_with_nym, verify_with_nym,
};
use crate::pseudonym::{Context, Pseudonym};
use crate::signature::{self, PublicKey, SecretKey, Signature};
use crate::suite::{Interface, Octets, Parameters, hash_to_scalar, p1};

/// N, the number of nym_secrets.
pub const NYM_SECRETS: usize = 10;
/// Slots 1 to 16: those whose values the issuer knows at a first issuance.
pub const KNOWN_SLOTS: usize = 16;
/// All slots: the blind, the known slots, the nym_secrets.
pub const SLOTS: usize = 1 + KNOWN_SLOTS + NYM_SECRETS;
/// Slots that may be disclosed to a site; device key limbs (1 to 4), web number (5), the blind
/// and the nym_secrets never are.
pub const DISCLOSABLE: std::ops::RangeInclusive<usize> = 6..=KNOWN_SLOTS;

/// Octets of an opening proof: challenge, response of the blind, responses of the nym_secrets.
pub const OPENING_PROOF_LEN: usize = (2 + NYM_SECRETS) * SCALAR_LEN;
/// Octets of a slot proof: challenge, responses of both blinds and of the nym_secrets.
pub const SLOT_PROOF_LEN: usize = (3 + NYM_SECRETS) * SCALAR_LEN;
/// Octets of a sign-in proof: challenge and response.
pub const SIGN_IN_PROOF_LEN: usize = 2 * SCALAR_LEN;

/// The one set of generators.
fn layout() -> &'static Layout {
    static LAYOUT: OnceLock<Layout> = OnceLock::new();
    LAYOUT.get_or_init(|| {
        let parameters = Interface::pseudonym().parameters(0, Some(SLOTS - 1));
        let generators = parameters.message_generators.as_slice();
        let (blind, rest) = generators.split_first().expect("the layout has slots");
        let (known, nyms) = rest.split_at(KNOWN_SLOTS);
        Layout {
            blind: *blind,
            known: known.to_vec(),
            nyms: nyms.to_vec(),
            parameters,
        }
    })
}

struct Layout {
    parameters: Parameters,
    blind: G1,
    known: Vec<G1>,
    nyms: Vec<G1>,
}

/// The scalar of a slot value given as octets (text slots and decoys).
#[must_use]
pub fn octets_slot(value: &[u8]) -> Scalar {
    layout().parameters.interface.message_to_scalar(value)
}

/// The values of slots 1 to 16, in their order.
#[derive(ZeroizeOnDrop)]
pub struct KnownSlots(Vec<Scalar>);

impl KnownSlots {
    /// Takes the values in slot order.
    #[must_use]
    pub fn new(values: [Scalar; KNOWN_SLOTS]) -> KnownSlots {
        KnownSlots(values.to_vec())
    }

    /// The value of a disclosable slot by its absolute index.
    fn disclosed(&self, slot: usize) -> Result<Scalar, Invalid> {
        if !DISCLOSABLE.contains(&slot) {
            return Err(Invalid);
        }
        self.0.get(slot - 1).copied().ok_or(Invalid)
    }
}

/// The holder's N secret scalars. They leave the wallet only inside its sealed backup.
#[derive(ZeroizeOnDrop)]
pub struct NymSecrets(Vec<Scalar>);

impl NymSecrets {
    /// Draws fresh secrets.
    pub fn draw(rng: &mut impl CryptoRng) -> NymSecrets {
        NymSecrets((0..NYM_SECRETS).map(|_| Scalar::random(rng)).collect())
    }

    /// The secrets after the signer's entropy was added to the last of them.
    #[must_use]
    pub fn add_entropy(&self, entropy: &SignerEntropy) -> NymSecrets {
        let mut secrets = self.0.clone();
        if let Some(last) = secrets.last_mut() {
            *last = *last + entropy.0;
        }
        NymSecrets(secrets)
    }

    /// N times 32 octets, for the sealed vault and backup alone.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.iter().flat_map(Scalar::to_bytes).collect())
    }

    /// Parses what [`NymSecrets::expose`] gave.
    ///
    /// # Errors
    ///
    /// [`Invalid`] unless there are N scalars below r.
    pub fn from_bytes(bytes: &[u8]) -> Result<NymSecrets, Invalid> {
        let secrets = NymSecrets(parse_scalars(bytes)?);
        if secrets.0.len() == NYM_SECRETS {
            Ok(secrets)
        } else {
            Err(Invalid)
        }
    }

    /// The pseudonym of these secrets in `context`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with negligible probability (the identity or the base point).
    pub fn pseudonym(&self, context: &Context) -> Result<Pseudonym, Invalid> {
        context.pseudonym(&self.0)
    }
}

/// What the signer adds to the last nym_secret, so that nobody chooses them alone.
#[derive(Clone, Copy)]
pub struct SignerEntropy(Scalar);

impl SignerEntropy {
    /// Draws fresh entropy.
    pub fn draw(rng: &mut impl CryptoRng) -> SignerEntropy {
        SignerEntropy(Scalar::random(rng))
    }

    /// 32 octets.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; SCALAR_LEN] {
        self.0.to_bytes()
    }

    /// Parses 32 octets.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a value not below r.
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<SignerEntropy, Invalid> {
        Scalar::from_bytes(bytes).map(SignerEntropy).ok_or(Invalid)
    }
}

/// The blind of a commitment.
#[derive(ZeroizeOnDrop)]
pub struct Blind(Scalar);

impl Blind {
    fn draw(rng: &mut impl CryptoRng) -> Blind {
        Blind(Scalar::random(rng))
    }

    /// 32 octets, for the sealed vault and backup alone.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<[u8; SCALAR_LEN]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Parses 32 octets.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a value not below r.
    pub fn from_bytes(bytes: &[u8; SCALAR_LEN]) -> Result<Blind, Invalid> {
        Scalar::from_bytes(bytes).map(Blind).ok_or(Invalid)
    }
}

/// C, the Pedersen commitment to a person's nym_secrets. It hides them perfectly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NymCommitment(G1);

impl NymCommitment {
    /// Commits to `secrets` under a fresh blind.
    pub fn commit(secrets: &NymSecrets, rng: &mut impl CryptoRng) -> (NymCommitment, Blind) {
        let blind = Blind::draw(rng);
        (
            NymCommitment(nym_product(&secrets.0) + layout().blind.mul(&blind.0)),
            blind,
        )
    }

    /// The final C: this commitment with the signer's entropy added to the last nym_secret.
    #[must_use]
    pub fn add_entropy(&self, entropy: &SignerEntropy) -> NymCommitment {
        let last = layout().nyms.last().expect("N is not zero");
        NymCommitment(self.0 + last.mul(&entropy.0))
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
        let t = nym_product(&masks.0) + layout().blind.mul(&blind_mask.0);
        let c = opening_challenge(self, &t, binding);
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
        let scalars = parse_scalars(proof)?;
        let [c, blind_hat, hats @ ..] = scalars.as_slice() else {
            return Err(Invalid);
        };
        let mut terms = vec![(layout().blind, *blind_hat), (self.0, -*c)];
        terms.extend(layout().nyms.iter().copied().zip(hats.iter().copied()));
        if opening_challenge(self, &msm_vartime(&terms), binding) == *c {
            Ok(())
        } else {
            Err(Invalid)
        }
    }
}

/// K, a commitment to all slots, from which the issuer makes the certificate's signature.
pub struct SlotCommitment(G1);

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
        let (secrets, c_blind) = opening;
        let blind = Blind::draw(rng);
        let k = sum_of_products(&layout().known, &known.0)
            + nym_product(&secrets.0)
            + layout().blind.mul(&blind.0);

        let masks = NymSecrets::draw(rng);
        let (k_mask, c_mask) = (Blind::draw(rng), Blind::draw(rng));
        let shared = nym_product(&masks.0);
        let t_k = shared + layout().blind.mul(&k_mask.0);
        let t_c = shared + layout().blind.mul(&c_mask.0);
        let challenge = slot_challenge(known, &k, c, (&t_k, &t_c), binding);

        let mut out = Octets::default();
        out.scalar(&challenge);
        out.scalar(&(k_mask.0 + blind.0 * challenge));
        out.scalar(&(c_mask.0 + c_blind.0 * challenge));
        respond(&mut out, &masks.0, &secrets.0, challenge);
        (
            k.to_bytes(),
            blind,
            out.0.try_into().expect("the proof has a fixed length"),
        )
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
        let k = G1::from_bytes(k).ok_or(Invalid)?;
        let scalars = parse_scalars(proof)?;
        let [challenge, k_hat, c_hat, hats @ ..] = scalars.as_slice() else {
            return Err(Invalid);
        };
        let opened = sum_of_products(&layout().known, &known.0);
        let nyms: Vec<_> = layout()
            .nyms
            .iter()
            .copied()
            .zip(hats.iter().copied())
            .collect();
        let commitment_of = |hat: &Scalar, point: G1| {
            let mut terms = nyms.clone();
            terms.push((layout().blind, *hat));
            terms.push((point, -*challenge));
            msm_vartime(&terms)
        };
        let t_k = commitment_of(k_hat, k - opened);
        let t_c = commitment_of(c_hat, c.0);
        if slot_challenge(known, &k, c, (&t_k, &t_c), binding) == *challenge {
            Ok(SlotCommitment(k))
        } else {
            Err(Invalid)
        }
    }

    /// Signs the committed slots under `header`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with negligible probability.
    pub fn sign(&self, key: &SecretKey, header: &[u8]) -> Result<Signature, Invalid> {
        let parameters = &layout().parameters;
        let header = header_with_nym(header, NYM_SECRETS);
        let domain = parameters.domain(&key.public(), &header);
        let b = p1() + parameters.q1.mul(&domain) + self.0;
        sign_b(parameters, key, &b)
    }
}

/// A certificate in the holder's hands: the issuer's signature and all that it signs.
pub struct Certificate {
    signature: Signature,
    messages: Zeroizing<Vec<Scalar>>,
    known: KnownSlots,
    issuer: PublicKey,
    header: Vec<u8>,
}

impl Certificate {
    /// Puts a received signature together with what it should sign, and verifies it.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when the signature is not the issuer's over these slots and this header.
    pub fn verify(
        signature: Signature,
        issuer: &PublicKey,
        header: &[u8],
        known: KnownSlots,
        secrets: (&NymSecrets, &Blind),
    ) -> Result<Certificate, Invalid> {
        let (nyms, blind) = secrets;
        let messages = Zeroizing::new([&[blind.0], known.0.as_slice(), &nyms.0].concat());
        let signed_header = header_with_nym(header, NYM_SECRETS);
        let parameters = &layout().parameters;
        signature::verify(parameters, issuer, &signed_header, &messages, &signature)?;
        Ok(Certificate {
            signature,
            messages,
            known,
            issuer: *issuer,
            header: header.to_vec(),
        })
    }

    /// Proves possession in `context`, disclosing the slots at the ascending indexes `disclosed`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for an index that is not disclosable or out of order.
    pub fn present(
        &self,
        context: &Context,
        ph: &[u8],
        disclosed: &[usize],
        rng: &mut impl CryptoRng,
    ) -> Result<(Vec<u8>, Pseudonym), Invalid> {
        for slot in disclosed {
            self.known.disclosed(*slot)?;
        }
        let statement = Statement {
            parameters: &layout().parameters,
            issuer: &self.issuer,
            header: &self.header,
            ph,
        };
        let nym = NymStatement {
            context,
            nym_secrets: NYM_SECRETS,
        };
        let (proof, pseudonym) = prove_with_nym(
            &statement,
            &nym,
            &self.signature,
            &self.messages,
            disclosed,
            rng,
        )?;
        Ok((proof.to_bytes(), pseudonym))
    }
}

/// What a verifier fixes before it looks at a presentation.
pub struct Expected<'a> {
    /// The issuer's key of the epoch.
    pub issuer: &'a PublicKey,
    /// The header of the epoch.
    pub header: &'a [u8],
    /// The context in which the pseudonym has to be.
    pub context: &'a Context,
    /// The presentation header.
    pub ph: &'a [u8],
}

/// Verifies what [`Certificate::present`] made, for exactly the slots of `disclosed` (ascending).
///
/// # Errors
///
/// [`Invalid`] when it does not hold, or a slot is not disclosable.
pub fn verify_presentation(
    expected: &Expected<'_>,
    pseudonym: &Pseudonym,
    proof: &[u8],
    disclosed: &[(usize, Scalar)],
) -> Result<(), Invalid> {
    if disclosed
        .iter()
        .any(|(slot, _)| !DISCLOSABLE.contains(slot))
    {
        return Err(Invalid);
    }
    let statement = Statement {
        parameters: &layout().parameters,
        issuer: expected.issuer,
        header: expected.header,
        ph: expected.ph,
    };
    let nym = NymStatement {
        context: expected.context,
        nym_secrets: NYM_SECRETS,
    };
    verify_with_nym(
        &statement,
        &nym,
        pseudonym,
        &Proof::from_bytes(proof)?,
        disclosed,
    )
}

/// Proves knowledge of the exponent of the pseudonym in `context`, bound to `transcript`.
///
/// # Errors
///
/// [`Invalid`] with negligible probability (no such pseudonym).
pub fn prove_sign_in(
    secrets: &NymSecrets,
    context: &Context,
    transcript: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Pseudonym, [u8; SIGN_IN_PROOF_LEN]), Invalid> {
    let exponent = context.evaluate(&secrets.0);
    let pseudonym = context.pseudonym(&secrets.0)?;
    let mask = Blind::draw(rng);
    let t = context.base().mul(&mask.0);
    let c = sign_in_challenge(&pseudonym, context, &t, transcript);
    let mut out = Octets::default();
    out.scalar(&c);
    out.scalar(&(mask.0 + *exponent * c));
    Ok((
        pseudonym,
        out.0.try_into().expect("the proof has a fixed length"),
    ))
}

/// Verifies what [`prove_sign_in`] made.
///
/// # Errors
///
/// [`Invalid`] when it does not hold.
pub fn verify_sign_in(
    pseudonym: &Pseudonym,
    context: &Context,
    transcript: &[u8],
    proof: &[u8; SIGN_IN_PROOF_LEN],
) -> Result<(), Invalid> {
    let scalars = parse_scalars(proof)?;
    let [c, response] = scalars.as_slice() else {
        return Err(Invalid);
    };
    let t = msm_vartime(&[(*context.base(), *response), (pseudonym.0, -*c)]);
    if sign_in_challenge(pseudonym, context, &t, transcript) == *c {
        Ok(())
    } else {
        Err(Invalid)
    }
}

fn nym_product(scalars: &[Scalar]) -> G1 {
    sum_of_products(&layout().nyms, scalars)
}

/// Appends mask + secret · challenge for each secret.
fn respond(out: &mut Octets, masks: &[Scalar], secrets: &[Scalar], challenge: Scalar) {
    for (mask, secret) in masks.iter().zip(secrets) {
        out.scalar(&(*mask + *secret * challenge));
    }
}

fn own_hash(domain: &[u8], input: &Octets) -> Scalar {
    hash_to_scalar(
        &input.0,
        &[domain, Interface::pseudonym().api_id()].concat(),
    )
}

fn opening_challenge(c: &NymCommitment, t: &G1, binding: &[u8]) -> Scalar {
    let mut input = Octets::default();
    input.point(&c.0);
    input.point(t);
    input.prefixed(binding);
    own_hash(domains::NYM_OPENING, &input)
}

fn slot_challenge(
    known: &KnownSlots,
    k: &G1,
    c: &NymCommitment,
    t: (&G1, &G1),
    binding: &[u8],
) -> Scalar {
    // Reserved at once: a buffer that grows leaves copies of the slots behind.
    let length = KNOWN_SLOTS * SCALAR_LEN + 4 * G1_LEN + 8 + binding.len();
    let mut input = Octets(Vec::with_capacity(length));
    for value in &known.0 {
        input.scalar(value);
    }
    for point in [k, &c.0, t.0, t.1] {
        input.point(point);
    }
    input.prefixed(binding);
    let challenge = own_hash(domains::FIRST_ISSUANCE, &input);
    zeroize::Zeroize::zeroize(&mut input.0);
    challenge
}

fn sign_in_challenge(
    pseudonym: &Pseudonym,
    context: &Context,
    t: &G1,
    transcript: &[u8],
) -> Scalar {
    let mut input = Octets::default();
    input.prefixed(context.id());
    input.point(context.base());
    input.point(&pseudonym.0);
    input.point(t);
    input.prefixed(transcript);
    own_hash(domains::SIGN_IN, &input)
}

#[cfg(test)]
mod tests;
