//! Points in time as plain numbers: pure crates are told the time, they do not read it.

use serde::{Deserialize, Serialize};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This time moved `secs` seconds into the future, at most to the largest representable one.
    #[must_use]
    pub fn plus_secs(self, secs: u64) -> UnixTime {
        UnixTime(self.0.saturating_add(secs))
    }

    /// This time moved `secs` seconds into the past, at most to 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn minus_secs(self, secs: u64) -> UnixTime {
        UnixTime(self.0.saturating_sub(secs))
    }

    /// The day this time falls on.
    #[must_use]
    pub fn day(self) -> Day {
        Day(u32::try_from(self.0 / 86_400).unwrap_or(u32::MAX))
    }

    /// The epoch this time falls in.
    #[must_use]
    pub fn epoch(self) -> Epoch {
        Epoch(u32::try_from(self.0 / EPOCH_SECONDS).unwrap_or(u32::MAX))
    }
}

/// Days since 1970-01-01, the finest time that is ever stored about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub u32);

impl Day {
    /// The first second of this day.
    #[must_use]
    pub fn start(self) -> UnixTime {
        UnixTime(u64::from(self.0) * 86_400)
    }
}

/// Length of an epoch in seconds: 7 days, the same boundaries for everybody.
pub const EPOCH_SECONDS: u64 = 7 * 86_400;

/// How far the clocks of a wallet and a verifier may differ, in seconds.
pub const CLOCK_SKEW_SECS: u64 = 300;

/// Number of the epoch, counted in [`EPOCH_SECONDS`] from 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The first second of this epoch.
    #[must_use]
    pub fn start(self) -> UnixTime {
        UnixTime(u64::from(self.0) * EPOCH_SECONDS)
    }

    /// The epoch before this one.
    #[must_use]
    pub fn previous(self) -> Epoch {
        Epoch(self.0.saturating_sub(1))
    }

    /// The epoch after this one.
    #[must_use]
    pub fn next(self) -> Epoch {
        Epoch(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_begins_with_its_first_second() {
        let epoch = Epoch(2_950);
        assert_eq!(epoch.start().epoch(), epoch);
        assert_eq!(UnixTime(epoch.start().0 - 1).epoch(), epoch.previous());
        assert_eq!(epoch.start().plus_secs(EPOCH_SECONDS).epoch(), epoch.next());
    }
}
