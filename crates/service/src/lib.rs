//! What the operator and the trustees do, without HTTP: enrolment, issuing, the register, sites.
//!
//! What it is not: it takes no part in a sign-in, and nothing in it names a site's gateway, a
//! pseudonym or a presentation. Personal data lives in the memory of one enrolment session and
//! ends with it. The time is an argument everywhere; only configuration and keys touch files.
//! Not reviewed by an outside party.
//!
//! ```
//! use credential::jose::{SigningKey, encode};
//! use credential::time::UnixTime;
//! use service::attestation::{Attestation, EvidenceKind, EvidenceLevel, elements_hash};
//!
//! let (key, now) = (SigningKey::generate(), UnixTime(1_800_000_000));
//! let attestation = Attestation {
//!     iss: "enrolment".to_owned(),
//!     evidence_id: encode([1; 16]),
//!     kind: EvidenceKind::Passport,
//!     level: EvidenceLevel::SubstantialOfficer,
//!     elements_sha256: encode(elements_hash(&[[2; 32]])),
//!     iat: now,
//!     exp: now.plus_secs(900),
//! };
//! let signed = attestation.sign(&key);
//! assert_eq!(Attestation::verify(&signed, "enrolment", key.public(), now), Ok(attestation));
//! ```
#![forbid(unsafe_code)]

pub mod attestation;
pub mod enrolment;
pub mod issuer;
pub mod memory;
pub mod officer;
pub mod register;
pub mod renewal;
pub mod residents;
mod secret;
pub mod sites;
pub mod tags;
#[cfg(test)]
mod testing;
pub mod trustee;
