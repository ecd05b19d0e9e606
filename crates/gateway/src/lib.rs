#![forbid(unsafe_code)]
//! The gateway.

pub mod account;
pub mod bearer;
pub mod ids;
pub mod store;

#[cfg(test)]
mod testing;
