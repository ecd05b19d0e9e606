//! Travel documents.
#![forbid(unsafe_code)]

mod mrz;
mod state;
mod time;

pub use mrz::{BadCharacter, Field, Mrz, MrzError, MrzFields, Sex, check_digit};
pub use state::{CountryCode, NotAState, StateCode};
pub use time::{CalendarDate, NoSuchDay, UnixTime};
mod certificate;
mod dg1;
mod dg2;
mod hash;
mod signature;
mod tlv;
pub use certificate::CertificateError;
pub use dg1::{Dg1Error, compose_dg1, parse_dg1};
pub use dg2::{Dg2Error, ImageFormat, Portrait, compose_dg2};
pub use hash::HashError;
pub use signature::SignatureError;
pub use tlv::TlvError;
