//! Specimen passports, for demonstrations and tests.
//!
//! They are made like real ones, by an authority and a document signer with keys of their own,
//! but of Utopia (`UTO`), a state that does not exist; a service accepts them only if the
//! specimen authority's certificate is put into its trust store. Everything stays in memory.
//! With the same generator everything comes out the same.

pub(crate) mod authority;
mod chip;
mod chip_keys;
pub(crate) mod key;
pub(crate) mod passport;
mod people;
pub(crate) mod portrait;

use thiserror::Error;

use crate::dg2::Dg2Error;
use crate::mrz::MrzError;

pub use authority::{SpecimenAuthority, SpecimenSigner};
pub use chip::SpecimenChip;
pub use chip_keys::{CardAccessFile, ChipAccess, ChipKeys, ChipOptions, LongAnswers};
pub use key::{ActiveKind, SignatureKind};
pub use passport::{SpecimenHolder, SpecimenPassport, SpecimenPortrait};
pub use people::specimen_holder;

/// Why a specimen cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecimenError {
    /// A value does not fit the machine-readable zone.
    #[error("the machine-readable zone cannot be written")]
    Mrz(#[from] MrzError),
    /// The portrait does not fit.
    #[error("the portrait cannot be written")]
    Portrait(#[from] Dg2Error),
    /// No key could be made, or it could not sign.
    #[error("the key cannot be used")]
    Key,
    /// A time is after the year 9999.
    #[error("a time is after the year 9999")]
    Time,
}

#[cfg(test)]
mod tests;
