#![forbid(unsafe_code)]
//! The gateway.

pub mod account;
pub mod authentication;
pub mod bearer;
pub mod begin;
pub mod client;
pub mod discovery;
pub mod gateway;
pub mod id_token;
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
