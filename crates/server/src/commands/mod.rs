//! The commands of `bauta`, one module each.

pub mod connector;
pub mod demo;
pub mod document;
pub mod face;
pub mod gateway;
pub mod officer;
pub mod operator;
pub mod serve;
pub mod site;
pub mod specimen;
pub mod tls;
pub mod trust;
pub mod trustee;
pub mod wallet;

use std::io::Write;

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

/// Writes a line to standard output; a reader that has gone, as `head` does, is no failure.
fn say(line: &str) {
    let _gone = writeln!(std::io::stdout(), "{line}");
}

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
