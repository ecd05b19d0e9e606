//! The commands of `bauta`, one module each.

pub mod gateway;
pub mod tls;
pub mod wallet;
