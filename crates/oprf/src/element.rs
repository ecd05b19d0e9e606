//! Group elements and scalars as 32 bytes.

use std::fmt;

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use thiserror::Error;

/// Bytes that are not what they should encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The number of bytes is wrong.
    #[error("length is wrong")]
    Length,
    /// Not the canonical encoding of a group element, or the identity.
    #[error("not a canonical group element other than the identity")]
    Element,
    /// Not a scalar below the group's order, or zero where a key is expected.
    #[error("not a canonical scalar")]
    Scalar,
    /// A share's index is zero or above [`MAX_SHARES`](crate::MAX_SHARES).
    #[error("share index is out of range")]
    Index,
    /// Not 64 hexadecimal digits.
    #[error("not hexadecimal of 32 bytes")]
    Hex,
}

/// A public group element with its encoding; never the identity.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Element {
    point: RistrettoPoint,
    bytes: [u8; 32],
}

impl Element {
    /// `None` for the identity.
    pub(crate) fn new(point: RistrettoPoint) -> Option<Self> {
        (!point.is_identity()).then(|| Self::of_nonzero(point))
    }

    /// A product of what is known not to be zero or the identity, which cannot be the identity in
    /// a group of prime order.
    pub(crate) fn of_nonzero(point: RistrettoPoint) -> Self {
        Self {
            point,
            bytes: point.compress().to_bytes(),
        }
    }

    /// Source: RFC 9497 §4.1, DeserializeElement; RFC 9496 §4.3.1.
    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Result<Self, DecodeError> {
        let point = CompressedRistretto(bytes)
            .decompress()
            .ok_or(DecodeError::Element)?;
        Self::new(point).ok_or(DecodeError::Element)
    }

    pub(crate) fn point(&self) -> &RistrettoPoint {
        &self.point
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.bytes))
    }
}

impl From<Element> for String {
    fn from(element: Element) -> Self {
        hex::encode(element.bytes)
    }
}

impl TryFrom<String> for Element {
    type Error = DecodeError;

    fn try_from(text: String) -> Result<Self, DecodeError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DecodeError::Hex)?;
        Self::from_bytes(bytes)
    }
}

/// Source: RFC 9497 §4.1, DeserializeScalar.
pub(crate) fn scalar_from_bytes(bytes: [u8; 32]) -> Result<Scalar, DecodeError> {
    Option::from(Scalar::from_canonical_bytes(bytes)).ok_or(DecodeError::Scalar)
}

/// The first `N` bytes and the rest.
pub(crate) fn split<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), DecodeError> {
    let (head, tail) = bytes.split_first_chunk().ok_or(DecodeError::Length)?;
    Ok((*head, tail))
}
