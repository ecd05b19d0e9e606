//! The web certificate: its layout, how it is issued, and how it is presented.
//!
//! What it is not: it does no I/O, reads no clock and knows no HTTP.
#![forbid(unsafe_code)]

pub mod jose;
pub mod time;
