//! Messages and steps of OAuth 2.0, OpenID Connect, OpenID4VCI and OpenID4VP, for both sides.
//!
//! What it is: types that parse what a peer sent, refuse what the specification refuses, and
//! compose what a peer will read. What it is not: it does no I/O, reads no clock, keeps no state,
//! and does not judge certificates of TLS.
//!
//! Messages ignore members they do not know, as their specifications demand.
//!
//! Specifications: RFC 6749, RFC 6750, RFC 7636, RFC 8414, RFC 9207; OpenID Connect Core 1.0,
//! Discovery 1.0 and RP-Initiated Logout 1.0; OpenID4VP 1.0; OpenID4VCI 1.0.
//!
//! ```
//! use openid4vc::vp::RequestLink;
//!
//! let link = "openid4vp://authorize?client_id=x509_hash%3AUvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0O\
//!     Zszk&request_uri=https%3A%2F%2Fgateway.example%2Frequest%2F1";
//! let link = RequestLink::parse(link)?;
//! assert_eq!(link.request_uri.origin(), "https://gateway.example");
//! assert!(RequestLink::parse("https://gateway.example/").is_err());
//! # Ok::<(), openid4vc::vp::LinkError>(())
//! ```
//!
//! Review: none by anybody outside the project yet.
#![forbid(unsafe_code)]

pub mod form;
pub mod oauth;
pub mod oidc;
mod secret;
pub mod uri;
pub mod vci;
pub mod vp;

pub use secret::Secret;
