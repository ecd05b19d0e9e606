//! Travel documents.
#![forbid(unsafe_code)]

mod certificate;
mod dg1;
mod dg2;
mod hash;
mod mrz;
mod passive;
mod signature;
mod sod;
pub mod specimen;
mod state;
mod time;
mod tlv;
mod trust;

pub use certificate::CertificateError;
pub use dg1::{Dg1Error, compose_dg1, parse_dg1};
pub use dg2::{Dg2Error, ImageFormat, Portrait, compose_dg2};
pub use hash::HashError;
pub use mrz::{BadCharacter, Field, Mrz, MrzError, MrzFields, Sex, check_digit};
pub use passive::{
    DocumentFiles, PassiveAuthError, SigningTime, VerifiedDocument, VerifiedSecurityObject,
};
pub use signature::SignatureError;
pub use sod::{SecurityObject, SodError};
pub use state::{CountryCode, NotAState, StateCode};
pub use time::{CalendarDate, NoSuchDay, Period, UnixTime};
pub use tlv::TlvError;
pub use trust::{AuthorityError, TrustFolderError, TrustStore};

#[cfg(test)]
mod real_documents;
