//! The commands of `bauta`, one module each.

pub mod demo;
pub mod gateway;
pub mod officer;
pub mod operator;
pub mod serve;
pub mod site;
pub mod specimen;
pub mod tls;
pub mod trustee;
pub mod wallet;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// The asynchronous runtime of a command.
///
/// # Errors
///
/// When no thread can be started.
pub fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start threads")
}
