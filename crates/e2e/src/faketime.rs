//! Moving the clock of a process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, ensure};
use credential::time::{Epoch, UnixTime};
use server::clock;

use crate::wallet::Environment;

/// What makes a process see the clock ahead of now by `offset`, such as `15d` or `1h`.
///
/// # Errors
///
/// When faketime (Debian package faketime) is missing.
pub fn ahead(offset: &str) -> anyhow::Result<Environment> {
    faked([("FAKETIME".into(), format!("+{offset}").into())])
}

/// The date that somebody reads from another clock who lives at the time of `environment`.
///
/// # Errors
///
/// When the environment does not come from [`ahead`] with seconds or days.
pub fn today(environment: &Environment) -> anyhow::Result<String> {
    let offset = environment.iter().find(|(name, _)| name == "FAKETIME");
    let Some((_, offset)) = offset else {
        return Ok(clock::date(clock::now()));
    };
    let offset = offset.to_str().and_then(|offset| offset.strip_prefix('+'));
    let offset = offset.context("an offset into the future")?;
    let (number, unit) = offset.split_at(offset.len().saturating_sub(1));
    let secs = match unit {
        "s" => number.parse::<u64>()?,
        "d" => number.parse::<u64>()? * 86_400,
        _ => anyhow::bail!("{offset} is neither seconds nor days"),
    };
    Ok(clock::date(clock::now().plus_secs(secs)))
}

/// A clock that is moved while processes run that look at it.
pub struct Dial {
    file: PathBuf,
}

impl Dial {
    /// A clock in this folder, which shows `time`.
    ///
    /// # Errors
    ///
    /// When nothing can be written there.
    pub fn new(folder: &Path, time: UnixTime) -> anyhow::Result<Dial> {
        let file = folder.join("clock");
        let dial = Dial { file };
        dial.set(time)?;
        Ok(dial)
    }

    /// Moves it to this time, from which it goes on.
    ///
    /// # Errors
    ///
    /// When nothing can be written.
    pub fn set(&self, time: UnixTime) -> anyhow::Result<()> {
        let next = self.file.with_extension("next");
        let ahead_by = time.0.saturating_sub(clock::now().0);
        std::fs::write(&next, format!("+{ahead_by}s\n"))?;
        Ok(std::fs::rename(&next, &self.file)?)
    }

    /// What makes a process look at it.
    ///
    /// # Errors
    ///
    /// When faketime is missing.
    pub fn environment(&self) -> anyhow::Result<Environment> {
        faked([
            ("FAKETIME_TIMESTAMP_FILE".into(), self.file.clone().into()),
            ("FAKETIME_NO_CACHE".into(), "1".into()),
        ])
    }
}

fn faked<const N: usize>(what: [(OsString, OsString); N]) -> anyhow::Result<Environment> {
    ensure!(
        *WORKS,
        "faketime moves no clock (Debian packages faketime and libfaketime)"
    );
    let variables = [
        ("LD_PRELOAD", LIBRARY),
        // Time-outs are measured on the monotonic clock, which is nobody's calendar.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let pair = |(name, value): (&str, &str)| (name.into(), value.into());
    Ok(variables.into_iter().map(pair).chain(what).collect())
}

/// Where Debian has it; the loader knows what $LIB is. The command faketime is not used: it refuses
/// to run when a process of its number was killed before, whose shared memory is still there.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// Whether a process that the library was loaded into sees another clock.
static WORKS: LazyLock<bool> = LazyLock::new(|| {
    let mut command = Command::new("date");
    command.args(["-u", "+%Y"]);
    command
        .env("LD_PRELOAD", LIBRARY)
        .env("FAKETIME", "@2001-02-03 04:05:06");
    let shown = command.output().map(|output| output.stdout);
    shown.is_ok_and(|shown| shown.starts_with(b"2001"))
});

/// Removes the shared memory that the library leaves behind in a process that was killed.
pub(crate) fn sweep(process: u32) {
    for name in ["faketime_shm", "sem.faketime_sem"] {
        // It is there only when the library was.
        let _missing = std::fs::remove_file(format!("/dev/shm/{name}_{process}"));
    }
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
