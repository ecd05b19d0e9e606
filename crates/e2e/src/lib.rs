//! Whole flows through the real programs, as processes that speak HTTPS on the loopback interface.
//!
//! This library is what the tests in `tests/` stand on: it starts and stops the processes, drives
//! wallets, officers and a scripted browser, counts connections, and searches whatever a process
//! leaves behind. What it is not: it reimplements no party. The one computation of its own is the
//! attacker's in [`enumeration`].
#![forbid(unsafe_code)]
#![expect(
    clippy::indexing_slicing,
    reason = "an absent member of a JSON value reads as null; no service runs this code"
)]

pub mod binaries;
pub mod browser;
pub mod enumeration;
pub mod faketime;
pub mod forwarder;
pub mod gateway_keys;
pub mod impostor;
pub mod linking;
pub mod log_in;
pub mod opened;
mod ordered_json;
pub mod pcscd;
pub mod process;
pub mod recorder;
pub mod relying_party;
pub mod rows;
pub mod scan;
pub mod schemathesis;
pub mod wait;
pub mod wallet;
pub mod world;
