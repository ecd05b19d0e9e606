//! The commands of `bauta`, one module each.

pub mod tls;
pub mod wallet;
