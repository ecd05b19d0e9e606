//! What the operator and the trustees do, without HTTP: enrolment, issuing, the register, sites.
//!
//! What it is not: it takes no part in a sign-in, and nothing in it names a site's gateway, a
//! pseudonym or a presentation. Personal data lives in the memory of one enrolment session and
//! ends with it. The time is an argument everywhere; only configuration and keys touch files.
//! Not reviewed by an outside party.
#![forbid(unsafe_code)]

pub mod attestation;
pub mod enrolment;
pub mod issuer;
pub mod memory;
pub mod officer;
pub mod register;
mod secret;
pub mod sites;
pub mod tags;
pub mod trustee;
