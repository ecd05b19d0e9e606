//! Moving the clock of a process.

use std::process::Command;

use anyhow::Context;
use credential::time::{Epoch, UnixTime};
use server::clock;

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

/// The weeks from the next epoch on, whatever day it is now.
#[derive(Clone, Copy, Debug)]
pub struct Weeks {
    first: Epoch,
}

impl Weeks {
    /// Counts from the epoch that begins next.
    #[must_use]
    pub fn from_next() -> Weeks {
        Weeks {
            first: clock::now().epoch().next(),
        }
    }

    /// The epoch `number` weeks after the first.
    #[must_use]
    pub fn epoch(self, number: u32) -> Epoch {
        Epoch(self.first.0 + number)
    }

    /// The second `secs` after the begin of week `number`.
    #[must_use]
    pub fn time(self, number: u32, secs: u64) -> UnixTime {
        self.epoch(number).start().plus_secs(secs)
    }

    /// What makes a process begin at [`Weeks::time`].
    ///
    /// # Errors
    ///
    /// When faketime is missing.
    pub fn at(self, number: u32, secs: u64) -> anyhow::Result<Environment> {
        let ahead_by = self.time(number, secs).0.saturating_sub(clock::now().0);
        ahead(&format!("{ahead_by}s"))
    }
}
