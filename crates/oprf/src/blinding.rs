//! The enrolment service's side: blinding an input and unblinding what the trustees made of it.
//!
//! Source: RFC 9497 §3.3.2.

use curve25519_dalek::Scalar;
use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::element::{DecodeError, Element, scalar_from_bytes, split};
use crate::suite::{HASH_TO_GROUP_DST, hash_to_group, random_scalar};
use crate::tag::Tag;

/// The secret that hid one input, and what it was hidden as.
///
/// It is good for one tag. A trustee answers once per piece of evidence, so whoever may have to ask
/// again keeps the blind until enough trustees have answered, see [`expose`](Self::expose).
#[derive(ZeroizeOnDrop)]
pub struct Blind {
    scalar: Scalar,
    bytes: [u8; Blind::LENGTH],
    #[zeroize(skip)]
    blinded: Element,
}

/// An input as the trustees see it: a uniformly random element whatever the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlindedElement(pub(crate) Element);

/// A blinded element to the power of the joint key, made by
/// [`GroupKey::combine`](crate::GroupKey::combine) from proven evaluations only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvaluatedElement {
    pub(crate) blinded: Element,
    pub(crate) evaluated: Element,
}

/// An input that cannot be blinded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BlindError {
    /// RFC 9497 §3.3.1 `InvalidInputError`, or a generator that gave zero. Neither can be met by
    /// chance.
    #[error("input or blind leads to the identity element")]
    Identity,
}

/// The evaluated element belongs to another blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("evaluated element belongs to another blind")]
pub struct WrongBlind;

/// Hides `input`, of any length and already in its canonical encoding, behind a fresh blind.
///
/// Source: RFC 9497 §3.3.1, Blind.
///
/// # Errors
///
/// [`BlindError::Identity`], which no input is known to cause.
pub fn blind(
    input: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Blind, BlindedElement), BlindError> {
    blind_with(input, &random_scalar(rng))
}

pub(crate) fn blind_with(
    input: &[u8],
    scalar: &Scalar,
) -> Result<(Blind, BlindedElement), BlindError> {
    let point = hash_to_group(input, HASH_TO_GROUP_DST);
    let blinded = Element::new(scalar * *point).ok_or(BlindError::Identity)?;
    Ok((Blind::new(scalar, blinded), BlindedElement(blinded)))
}

impl Blind {
    /// The length of the encoding in bytes: the scalar, then the blinded element.
    pub const LENGTH: usize = 64;

    pub(crate) fn new(scalar: &Scalar, blinded: Element) -> Self {
        let mut bytes = [0; Self::LENGTH];
        let (head, tail) = bytes.split_at_mut(32);
        head.copy_from_slice(scalar.as_bytes());
        tail.copy_from_slice(blinded.bytes());
        Self {
            scalar: *scalar,
            bytes,
            blinded,
        }
    }

    /// What the input was hidden as, to be sent to the trustees again.
    #[must_use]
    pub fn blinded(&self) -> BlindedElement {
        BlindedElement(self.blinded)
    }

    /// The scalar and the blinded element, to be stored encrypted. With them a guess at the input
    /// can be tested without any trustee.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.bytes
    }

    /// Reads exactly [`LENGTH`](Self::LENGTH) bytes, those of [`expose`](Self::expose).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`]; [`DecodeError::Scalar`] for zero and for whatever is not below the
    /// group's order; [`DecodeError::Element`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (scalar, rest) = split(bytes)?;
        let scalar = Zeroizing::new(scalar);
        let blinded = BlindedElement::from_bytes(rest)?;
        let scalar = Zeroizing::new(scalar_from_bytes(*scalar)?);
        if *scalar == Scalar::ZERO {
            return Err(DecodeError::Scalar);
        }
        Ok(Self::new(&scalar, blinded.0))
    }

    /// Takes the blind off: the tag of the input that was blinded.
    ///
    /// # Errors
    ///
    /// [`WrongBlind`] if `evaluated` comes from another blinded element than this blind's.
    pub fn unblind(self, evaluated: &EvaluatedElement) -> Result<Tag, WrongBlind> {
        if evaluated.blinded != self.blinded {
            return Err(WrongBlind);
        }
        let inverse = Zeroizing::new(self.scalar.invert());
        let point = Zeroizing::new(*inverse * evaluated.evaluated.point());
        Ok(Tag::of_point(&point))
    }
}

impl BlindedElement {
    /// The length of the encoding in bytes.
    pub const LENGTH: usize = 32;

    /// The element's canonical encoding.
    ///
    /// Source: RFC 9497 §4.1, SerializeElement.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        *self.0.bytes()
    }

    /// Reads exactly [`LENGTH`](Self::LENGTH) bytes.
    ///
    /// Source: RFC 9497 §4.1, DeserializeElement.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`]; [`DecodeError::Element`] for the identity and for whatever is not
    /// canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        match split(bytes)? {
            (bytes, []) => Element::from_bytes(bytes).map(Self),
            (_, [_, ..]) => Err(DecodeError::Length),
        }
    }
}
