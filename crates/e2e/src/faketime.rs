//! Moving the clock of a process.

use std::process::Command;

use anyhow::Context;

use crate::wallet::Environment;

/// What makes a process see the clock ahead of now by `offset`, such as `15d` or `1h`.
///
/// # Errors
///
/// When faketime (Debian package faketime) is missing.
pub fn ahead(offset: &str) -> anyhow::Result<Environment> {
    // The tool itself knows where its library is.
    let shown = Command::new("faketime")
        .args(["-f", "+0d", "env"])
        .output()
        .context("cannot run faketime (Debian package faketime)")?;
    let shown = String::from_utf8(shown.stdout)?;
    let library = shown
        .lines()
        .find_map(|line| line.strip_prefix("LD_PRELOAD="))
        .context("faketime does not say where its library is")?;
    let variables = [
        ("LD_PRELOAD", library),
        ("FAKETIME", &format!("+{offset}")),
        // Time-outs are measured on the monotonic clock, which is nobody's calendar.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let pair = |(name, value): (&str, &str)| (name.into(), value.into());
    Ok(variables.into_iter().map(pair).collect())
}
