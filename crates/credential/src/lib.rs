//! The web certificate: its layout, how it is issued, and how it is presented.
//!
//! What it is not: it does no I/O, reads no clock and knows no HTTP.
//! Formats: `docs/specs.md`.
#![forbid(unsafe_code)]

pub mod age;
pub mod attributes;
pub mod capture;
pub mod consent;
pub mod issuance;
pub mod jose;
pub mod manifest;
pub mod origin;
pub mod presentation;
pub mod renewal;
pub mod site_entry;
pub mod time;
pub mod web_number;
