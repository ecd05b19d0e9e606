//! What the gateway of one site does: it turns a wallet's answer into an ordinary log-in.
//!
//! Towards wallets it is an OpenID4VP 1.0 verifier, towards the site's own programs an OpenID
//! Connect provider. It keeps accounts with random names, the keys of their devices, and nothing
//! else of a person. It shares no table and no key with the operator, cannot name the register's
//! types, and goes on working when the operator is gone.
//!
//! What it is not: it knows no HTTP, reads no clock, and calls nobody. `server` does that.
//!
//! Specifications: OpenID Connect Core 1.0, Discovery 1.0, RP-Initiated Logout 1.0; OpenID4VP
//! 1.0. Not reviewed by an outside party.
//!
//! One log-in passes these modules: [`begin`] (the client sends the browser), [`wallet_request`]
//! (the wallet fetches what it is asked), [`wallet_response`] (the wallet answers), [`page`] (the
//! browser continues), [`token`] and [`userinfo`] (the client learns who it is).
//!
//! An account is found by an index that only the holder of the site key can compute:
//!
//! ```
//! use gateway::account::{PSEUDONYM_BYTES, SiteKey, SiteKeys};
//! use zeroize::Zeroizing;
//!
//! let key = |version, byte| SiteKey::new(version, Zeroizing::new([byte; 32]));
//! let keys = SiteKeys::new(vec![key(1, 7), key(2, 8)])?;
//! let lookup = keys.lookup(&[9; PSEUDONYM_BYTES]);
//! assert_eq!((lookup.current.version, lookup.older[0].version), (2, 1));
//! # Ok::<(), gateway::account::SiteKeysError>(())
//! ```
#![forbid(unsafe_code)]

pub mod account;
pub mod authentication;
pub mod bearer;
pub mod begin;
pub mod client;
pub mod devices;
pub mod discovery;
pub mod gateway;
mod id_token;
pub mod ids;
pub mod login;
pub mod logout;
pub mod manifest;
pub mod page;
pub mod site;
pub mod store;
pub mod token;
pub mod userinfo;
pub mod wallet_request;
pub mod wallet_response;

#[cfg(test)]
mod testing;
