//! In the place of PC/SC where the program was built without it.

use mrtd::{Transport, TransportError};
use zeroize::Zeroizing;

use super::ReaderSeen;
use crate::failure::Failure;

/// There is none.
pub(super) enum Chip {}

impl Chip {
    pub(super) fn open(_part: &str) -> Result<Chip, Failure> {
        Err(missing())
    }
}

pub(super) fn list() -> Result<Vec<ReaderSeen>, Failure> {
    Err(missing())
}

fn missing() -> Failure {
    Failure::of(
        "reader-support-missing",
        "this program was built without support for readers",
    )
}

impl Transport for Chip {
    fn transmit(&mut self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, TransportError> {
        match *self {}
    }
}
