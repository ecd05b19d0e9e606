//! Machine readable travel documents: passports and cards as their chip holds them.
//!
//! It reads the machine-readable zone (TD1, TD2, TD3 and Chinese permits), data groups 1, 2, 7, 11
//! and 12 and the document security object, and does passive authentication: hashes, signature,
//! trust chain to an authority of the issuing state, revocation, validity at the time of signing,
//! and agreement of the states. It reads master lists and checks link certificates. It opens chips
//! (PACE, basic access control), reads them, and asks them whether they are the original ones
//! (active and chip authentication), through a [`Transport`]. It makes specimens, chips of theirs
//! included. It does no input or output but for [`TrustStore::load_folder`] and
//! [`TrustStore::load_file`].
//!
//! Passive authentication alone does not show that a chip is the original one. Of documents that
//! rest on SHA-1 it says so; whoever relies on them decides. It does not do: Diffie-Hellman without
//! elliptic curves, terminal authentication, fingers and eyes.
//!
//! Specifications: ICAO Doc 9303, 8th edition, parts 3, 4, 10, 11 and 12; RFC 5652; RFC 5280.
//! Not reviewed by anybody outside the project.
//!
//! ```
//! use mrtd::specimen::{SignatureKind, SpecimenAuthority, specimen_holder};
//! use mrtd::{CalendarDate, DocumentFiles, Period, TrustStore, UnixTime};
//! use rand_core::SeedableRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = rand_chacha::ChaCha20Rng::from_seed([7; 32]); // a real generator, outside tests
//! let now = UnixTime(1_780_272_000);
//! let years = Period { from: now, until: UnixTime(now.0 + 315_576_000) };
//! let authority = SpecimenAuthority::generate(SignatureKind::EcdsaP256, years, &mut rng)?;
//! let signer = authority.issue_signer(SignatureKind::EcdsaP256, years, years, &mut rng)?;
//! let holder = specimen_holder(1, CalendarDate::from_unix(now)?)?;
//! let passport = signer.issue(&holder, Some(now), &mut rng)?;
//!
//! let trust = TrustStore::from_der([authority.certificate()]).map_err(|(_, error)| error)?;
//! let (dg2, sod) = (Some(passport.dg2.as_slice()), &passport.sod);
//! let files = DocumentFiles { dg1: &passport.dg1, dg2, others: &[], sod };
//! let document = files.authenticate(&trust, now)?;
//! assert_eq!(document.mrz().family_name(), "SPECIMEN");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod access;
mod active;
mod apdu;
mod bac;
mod certificate;
mod chip_authentication;
mod chip_reader;
mod cipher;
mod cms;
mod curve;
mod details;
mod dg1;
mod dg11;
mod dg12;
mod dg2;
mod dg7;
mod document;
mod hash;
mod image;
mod mrz;
mod pace;
mod passive;
mod secure_messaging;
mod security_info;
mod signature;
mod sod;
pub mod specimen;
mod state;
mod time;
mod tlv;
mod transport;
mod trust;

pub use access::AccessKey;
pub use active::{ActiveAuthError, ActiveKey, Challenge};
pub use apdu::Status;
pub use certificate::CertificateError;
pub use chip_authentication::{ChipAuthError, ChipAuthentication, ChipQuestion};
pub use chip_reader::{ChipReader, File, ReadError};
pub use cipher::Cipher;
pub use cms::{CmsError, SignedDataError};
pub use curve::Curve;
pub use details::{DetailsError, WrittenName};
pub use dg1::{Dg1Error, compose_dg1, parse_dg1, parse_dg1_of};
pub use dg2::{Dg2Error, Portrait, compose_dg2};
pub use dg7::{Dg7Error, compose_dg7, parse_dg7};
pub use dg11::{PersonalDetails, compose_dg11, parse_dg11};
pub use dg12::{DocumentDetails, WrittenTime, compose_dg12, parse_dg12};
pub use document::{DocumentFiles, VerifiedDocument};
pub use hash::HashError;
pub use image::{EncodedImage, ImageError, ImageFormat, Pixels};
pub use mrz::{BadCharacter, Field, Format, Mrz, MrzError, MrzFields, Sex, check_digit};
pub use passive::{Algorithms, PassiveAuthError, SigningTime, VerifiedSecurityObject, Weakness};
pub use secure_messaging::NotAuthentic;
pub use security_info::card_access::{CardAccess, CardAccessError};
pub use security_info::{SecurityInfoError, SecurityInfos};
pub use signature::SignatureError;
pub use sod::{Claims, SecurityObject, SodError};
pub use state::{CountryCode, NotAState, StateCode};
pub use time::{CalendarDate, NoSuchDay, Period, UnixTime};
pub use tlv::TlvError;
pub use transport::{Transport, TransportError};
pub use trust::{
    Authority, AuthorityError, LinkError, MasterList, MasterListError, Revocation,
    RevocationListError, TrustFolderError, TrustStore,
};

#[cfg(test)]
mod foreign_signers;
#[cfg(test)]
mod real_documents;
