#![forbid(unsafe_code)]
//! The gateway.

pub mod account;
pub mod authentication;
pub mod bearer;
pub mod client;
pub mod id_token;
pub mod ids;
pub mod login;
pub mod store;

#[cfg(test)]
mod testing;
