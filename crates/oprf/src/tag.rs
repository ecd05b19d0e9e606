//! The function's value for one input.

use curve25519_dalek::RistrettoPoint;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::element::{DecodeError, Element, split};
use crate::suite::{FINALIZE_LABEL, TAG_INDEX_DST};

/// `T = H1(input)^k`, the same for the same input whichever trustees answered.
///
/// It is kept as a group element, without the input, so that the trustees can re-key it without
/// the input. With it a guess at the input can be tested only through the trustees; it is still to
/// be stored encrypted.
#[derive(ZeroizeOnDrop)]
pub struct Tag([u8; 32]);

/// H2 of a tag: what its row is found by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagIndex([u8; 32]);

/// The input of [`finalize`] is longer than 65 535 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("input is longer than 65535 bytes")]
pub struct InputTooLong;

impl Tag {
    /// The length of the encoding in bytes.
    pub const LENGTH: usize = 32;

    pub(crate) fn of_point(point: &RistrettoPoint) -> Self {
        let mut compressed = point.compress();
        let tag = Self(compressed.to_bytes());
        compressed.zeroize();
        tag
    }

    /// SHA-256 over a domain-separation string and the tag.
    #[must_use]
    pub fn index(&self) -> TagIndex {
        TagIndex(
            Sha256::new()
                .chain_update(TAG_INDEX_DST)
                .chain_update(self.0)
                .finalize()
                .into(),
        )
    }

    /// The tag's canonical encoding, to be stored encrypted.
    #[must_use]
    pub fn expose(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Reads exactly [`LENGTH`](Self::LENGTH) bytes, those of [`expose`](Self::expose).
    ///
    /// # Errors
    ///
    /// [`DecodeError::Length`]; [`DecodeError::Element`] for the identity and for whatever is not
    /// canonical.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        match split(bytes)? {
            (bytes, []) => Element::from_bytes(bytes).map(|element| Self(*element.bytes())),
            (_, [_, ..]) => Err(DecodeError::Length),
        }
    }
}

/// In constant time.
impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Tag {}

impl TagIndex {
    /// The 32 bytes a row is stored under.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The RFC's 64-byte output for `input`, of which `tag` is the tag.
///
/// Registration goes by [`Tag::index`]; this output depends on the input and so cannot be
/// re-keyed.
///
/// Source: RFC 9497 §3.3.1, Finalize.
///
/// # Errors
///
/// [`InputTooLong`] above 65 535 bytes.
pub fn finalize(input: &[u8], tag: &Tag) -> Result<[u8; 64], InputTooLong> {
    let length = u16::try_from(input.len()).map_err(|_| InputTooLong)?;
    Ok(Sha512::new()
        .chain_update(length.to_be_bytes())
        .chain_update(input)
        .chain_update(ELEMENT_LENGTH.to_be_bytes())
        .chain_update(tag.0)
        .chain_update(FINALIZE_LABEL)
        .finalize()
        .into())
}

/// `Ne`, the encoded element's length. Source: RFC 9497 §4.1.
const ELEMENT_LENGTH: u16 = 32;
