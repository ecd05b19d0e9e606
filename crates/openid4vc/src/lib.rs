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
#![forbid(unsafe_code)]

pub mod form;
pub mod oauth;
pub mod oidc;
mod secret;
pub mod uri;

pub use secret::Secret;
