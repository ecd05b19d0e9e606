//! The way to a chip: octets there, octets back.

use thiserror::Error;
use zeroize::Zeroizing;

/// A contactless chip in the field of a reader, or a program that stands for one.
pub trait Transport {
    /// Sends a command (ISO/IEC 7816-4, short or extended length) and returns the answer: data
    /// and two status octets.
    ///
    /// # Errors
    ///
    /// [`TransportError`] when the chip left the field or does not answer.
    fn transmit(&mut self, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError>;
}

/// The chip cannot be reached, for a reason of the reader's; no octet of a command or an answer is
/// in it.
#[derive(Debug, Error)]
#[error("the chip does not answer: {0}")]
pub struct TransportError(pub String);
