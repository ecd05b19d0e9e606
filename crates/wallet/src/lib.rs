//! The holder's side: what a wallet keeps, how it registers, signs up and signs in.
//!
//! What it is not: it does no I/O and asks nobody; the program around it sends what it makes.
#![forbid(unsafe_code)]

mod ages;
pub mod backup;
pub mod certificates;
pub mod device;
pub mod ending;
pub mod enrol;
mod manifest;
pub mod present;
pub mod renewal;
mod schedule;
pub mod seal;
pub mod vault;
