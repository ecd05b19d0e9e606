//! A trustee's side: its share of the key, and the evaluations it makes.

use std::fmt;
use std::num::NonZeroU8;

use curve25519_dalek::{RistrettoPoint, Scalar};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::blinding::BlindedElement;
use crate::dleq::{Proof, Statement};
use crate::element::{DecodeError, Element, scalar_from_bytes, split};
use crate::group_key::GroupKey;
use crate::suite::random_scalar;

/// The most shares a key can have. A bound of ours: trustees are organisations, and checking a
/// group key takes time that grows with the square of their number.
pub const MAX_SHARES: u8 = 64;

/// Where a share lies on the key's polynomial: 1 to [`MAX_SHARES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct ShareIndex(NonZeroU8);

/// One trustee's secret share of the key.
#[derive(ZeroizeOnDrop)]
pub struct ShareKey {
    #[zeroize(skip)]
    index: ShareIndex,
    scalar: Scalar,
    bytes: [u8; ShareKey::LENGTH],
    #[zeroize(skip)]
    public_key: Element,
}

/// A trustee's answer: the blinded element to the power of its share, with the proof of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evaluation {
    pub(crate) index: ShareIndex,
    pub(crate) element: Element,
    pub(crate) proof: Proof,
}

/// A key that cannot be dealt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DealError {
    /// `1 <= threshold <= shares <= MAX_SHARES` does not hold.
    #[error("threshold {threshold} of {shares} shares is out of range")]
    Threshold {
        /// The shares that are needed.
        threshold: u8,
        /// The shares that there are.
        shares: u8,
    },
    /// The key or a share is zero, which a working generator never gives.
    #[error("key or share is zero: the random generator is broken")]
    Zero,
}

/// Makes a key and shares it: any `threshold` of the `shares` trustees can evaluate together.
///
/// Whoever calls this holds the whole key until the shares are handed out and dropped.
///
/// # Errors
///
/// [`DealError::Threshold`] unless `1 <= threshold <= shares <= MAX_SHARES`; [`DealError::Zero`]
/// with a broken generator.
pub fn deal(
    threshold: u8,
    shares: u8,
    rng: &mut impl CryptoRng,
) -> Result<(Vec<ShareKey>, GroupKey), DealError> {
    if threshold == 0 || threshold > shares || shares > MAX_SHARES {
        return Err(DealError::Threshold { threshold, shares });
    }
    let polynomial: Zeroizing<Vec<Scalar>> =
        Zeroizing::new((0..threshold).map(|_| *random_scalar(rng)).collect());
    deal_polynomial(threshold, shares, &polynomial)
}

/// `polynomial` holds `threshold` coefficients, the key first.
pub(crate) fn deal_polynomial(
    threshold: u8,
    shares: u8,
    polynomial: &[Scalar],
) -> Result<(Vec<ShareKey>, GroupKey), DealError> {
    let key = Zeroizing::new(value_at(polynomial, Scalar::ZERO));
    let public_key = Element::new(RistrettoPoint::mul_base(&key)).ok_or(DealError::Zero)?;
    let share_keys = (1..=shares)
        .filter_map(NonZeroU8::new)
        .map(|index| {
            let index = ShareIndex(index);
            let scalar = Zeroizing::new(value_at(polynomial, index.to_scalar()));
            ShareKey::new(index, &scalar).ok_or(DealError::Zero)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let share_public_keys = share_keys
        .iter()
        .map(|key| (key.index, key.public_key))
        .collect();
    let group_key = GroupKey::of_dealt(threshold, public_key, share_public_keys);
    Ok((share_keys, group_key))
}

fn value_at(polynomial: &[Scalar], x: Scalar) -> Scalar {
    polynomial
        .iter()
        .rev()
        .fold(Scalar::ZERO, |value, coefficient| value * x + coefficient)
}

impl ShareKey {
    /// The length of the encoding in bytes: the index, then the scalar.
    pub const LENGTH: usize = 33;

    fn new(index: ShareIndex, scalar: &Scalar) -> Option<Self> {
        let public_key = Element::new(RistrettoPoint::mul_base(scalar))?;
        let mut bytes = [0; Self::LENGTH];
        let (head, tail) = bytes.split_at_mut(1);
        head.fill(u8::from(index));
        tail.copy_from_slice(scalar.as_bytes());
        Some(Self {
            index,
            scalar: *scalar,
            bytes,
            public_key,
        })
    }

    /// Which share this is.
    #[must_use]
    pub fn index(&self) -> ShareIndex {
        self.index
    }

    /// The share's public key, to be compared with
    /// [`GroupKey::share_public_key`](crate::GroupKey::share_public_key).
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        *self.public_key.bytes()
    }

    /// Raises `blinded` to this share and proves it.
    ///
    /// Source: RFC 9497 §3.3.2, BlindEvaluate.
    pub fn evaluate(&self, blinded: &BlindedElement, rng: &mut impl CryptoRng) -> Evaluation {
        self.evaluate_with(blinded, &random_scalar(rng))
    }

    pub(crate) fn evaluate_with(&self, blinded: &BlindedElement, nonce: &Scalar) -> Evaluation {
        let element = Element::of_nonzero(self.scalar * blinded.0.point());
        let statement = Statement {
            public_key: &self.public_key,
            blinded: &blinded.0,
            evaluated: &element,
        };
        let proof = Proof::new(&statement, &self.scalar, nonce);
        Evaluation {
            index: self.index,
            element,
            proof,
        }
    }

    /// The index and the secret scalar, to be stored where only this trustee can read.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.bytes
    }

    /// Reads exactly [`LENGTH`](Self::LENGTH) bytes, those of [`expose`](Self::expose).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`]; [`DecodeError::Index`]; [`DecodeError::Scalar`] for zero and for
    /// whatever is not below the group's order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let ([index], rest) = split(bytes)?;
        let (scalar, rest) = split(rest)?;
        if !rest.is_empty() {
            return Err(DecodeError::Length);
        }
        let scalar = Zeroizing::new(scalar);
        let scalar = Zeroizing::new(scalar_from_bytes(*scalar)?);
        Self::new(ShareIndex::try_from(index)?, &scalar).ok_or(DecodeError::Scalar)
    }
}

impl Evaluation {
    /// The length of the encoding in bytes: the index, the element, the proof's challenge and
    /// response.
    pub const LENGTH: usize = 1 + 32 + Proof::LENGTH;

    /// The share that this claims to be made with.
    #[must_use]
    pub fn index(&self) -> ShareIndex {
        self.index
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let (index, rest) = bytes.split_at_mut(1);
        let (element, proof) = rest.split_at_mut(32);
        index.fill(u8::from(self.index));
        element.copy_from_slice(self.element.bytes());
        proof.copy_from_slice(&self.proof.to_bytes());
        bytes
    }

    /// Reads exactly [`LENGTH`](Self::LENGTH) bytes. The proof is checked where evaluations are
    /// combined.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`], [`DecodeError::Index`], [`DecodeError::Element`],
    /// [`DecodeError::Scalar`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let ([index], rest) = split(bytes)?;
        let (element, rest) = split(rest)?;
        let proof = rest.try_into().map_err(|_| DecodeError::Length)?;
        Ok(Self {
            index: ShareIndex::try_from(index)?,
            element: Element::from_bytes(element)?,
            proof: Proof::from_bytes(proof)?,
        })
    }
}

impl ShareIndex {
    pub(crate) fn to_scalar(self) -> Scalar {
        Scalar::from(self.0.get())
    }
}

impl From<ShareIndex> for u8 {
    fn from(index: ShareIndex) -> Self {
        index.0.get()
    }
}

impl TryFrom<u8> for ShareIndex {
    type Error = DecodeError;

    fn try_from(index: u8) -> Result<Self, DecodeError> {
        NonZeroU8::new(index)
            .filter(|index| index.get() <= MAX_SHARES)
            .map(Self)
            .ok_or(DecodeError::Index)
    }
}

impl fmt::Display for ShareIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
