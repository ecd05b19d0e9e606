//! bauta's profile: one layout for the whole population, its issuing steps and its proofs.
//!
//! Slots by absolute index: 0 the prover's blind, 1 to 16 the known slots (device key limbs, web
//! number, attributes), 17 to 26 the nym_secrets. All of them are committed messages of the
//! pseudonym interface (L = 0), so every certificate has the same generators and domain.
//! Source: `docs/specs.md`, section "web certificate".

mod age;
mod issuance;
mod opening;
mod presentation;
mod renewal;
mod secrets;
mod sign_in;

use std::sync::OnceLock;

use zeroize::{ZeroizeOnDrop, Zeroizing};

pub use self::age::{AGE_PROOF_LEN, BIRTH_DAY_SLOT};
pub use self::issuance::{SLOT_PROOF_LEN, SlotCommitment};
pub use self::opening::{NymCommitment, OPENING_PROOF_LEN};
pub use self::presentation::{Asked, Expected, Presented, verify_presentation};
pub use self::renewal::{ExpectedRenewal, KeptCommitment, OPENED_SLOTS, RENEWAL_PROOF_LEN};
pub use self::secrets::{Blind, NymSecrets, SignerEntropy};
pub use self::sign_in::{SIGN_IN_PROOF_LEN, prove_sign_in, verify_sign_in};
use crate::Invalid;
use crate::blst::{G1, Scalar};
use crate::proof::header_with_nym;
use crate::signature::{self, PublicKey, Signature};
use crate::suite::{Interface, Octets, Parameters, hash_to_scalar};

/// N, the number of nym_secrets.
pub const NYM_SECRETS: usize = 10;
/// Slots 1 to 16: those whose values the issuer knows at a first issuance.
pub const KNOWN_SLOTS: usize = 16;
/// All slots: the blind, the known slots, the nym_secrets.
pub const SLOTS: usize = 1 + KNOWN_SLOTS + NYM_SECRETS;
/// Slots that may be disclosed to a site; device key limbs (1 to 4), web number (5), the blind
/// and the nym_secrets never are.
pub const DISCLOSABLE: std::ops::RangeInclusive<usize> = 6..=KNOWN_SLOTS;

/// The one set of generators.
fn layout() -> &'static Parameters {
    static LAYOUT: OnceLock<Parameters> = OnceLock::new();
    LAYOUT.get_or_init(|| Interface::pseudonym().parameters(0, Some(SLOTS - 1)))
}

/// The slot of the blind.
const BLIND_SLOT: usize = 0;
/// Slots 1 to 16.
const KNOWN: std::ops::RangeInclusive<usize> = 1..=KNOWN_SLOTS;
/// The slots of the nym_secrets.
const NYMS: std::ops::Range<usize> = 1 + KNOWN_SLOTS..SLOTS;

/// The scalar of a slot value given as octets (text slots and decoys).
#[must_use]
pub fn octets_slot(value: &[u8]) -> Scalar {
    layout().interface.message_to_scalar(value)
}

/// The values of slots 1 to 16, in their order.
#[derive(ZeroizeOnDrop)]
pub struct KnownSlots(Vec<Scalar>);

impl KnownSlots {
    /// Takes the values in slot order.
    #[must_use]
    pub fn new(values: &[Scalar; KNOWN_SLOTS]) -> KnownSlots {
        KnownSlots(values.to_vec())
    }
}

/// A certificate in the holder's hands: the issuer's signature and all that it signs.
pub struct Certificate {
    signature: Signature,
    messages: Zeroizing<Vec<Scalar>>,
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
        known: &KnownSlots,
        secrets: (&NymSecrets, &Blind),
    ) -> Result<Certificate, Invalid> {
        let (nyms, blind) = secrets;
        let blind = std::slice::from_ref(&blind.0);
        let messages = Zeroizing::new([blind, known.0.as_slice(), &nyms.0].concat());
        let signed_header = header_with_nym(header, NYM_SECRETS);
        let parameters = layout();
        signature::verify(parameters, issuer, &signed_header, &messages, &signature)?;
        Ok(Certificate {
            signature,
            messages,
            issuer: *issuer,
            header: header.to_vec(),
        })
    }

    /// The value of a slot by its absolute index.
    fn slot(&self, index: usize) -> Result<&Scalar, Invalid> {
        self.messages.get(index).ok_or(Invalid)
    }
}

/// Σ nym_secrets over their slots' generators, and the blind.
fn nym_commitment(secrets: &NymSecrets, blind: &Blind) -> G1 {
    let scalars = Zeroizing::new([secrets.0.as_slice(), std::slice::from_ref(&blind.0)].concat());
    layout().sum(NYMS.chain([BLIND_SLOT]), &scalars)
}

/// The responses for such a commitment with their slots.
fn nym_answers<'a>(
    hats: &'a [Scalar],
    blind_hat: &'a Scalar,
) -> impl Iterator<Item = (usize, &'a Scalar)> {
    NYMS.zip(hats).chain([(BLIND_SLOT, blind_hat)])
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

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
pub(crate) mod tests;
#[cfg(test)]
mod vectors;
