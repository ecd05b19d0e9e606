//! The commands of `bauta`, one module each.

pub mod specimen;
pub mod tls;
pub mod wallet;
