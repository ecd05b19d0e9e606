//! Days and instants, as values that are passed in: this crate reads no clock.

use core::fmt;
use core::time::Duration;

use der::DateTime;
use thiserror::Error;
use zeroize::Zeroize;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(pub u64);

/// From the first to the last second of something valid, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first second.
    pub from: UnixTime,
    /// The last second.
    pub until: UnixTime,
}

impl Period {
    /// Whether `instant` lies in it.
    #[must_use]
    pub fn contains(&self, instant: UnixTime) -> bool {
        self.from <= instant && instant <= self.until
    }
}

/// A day of the Gregorian calendar, year 1970 to 9999 for instants and 1 to 9999 otherwise.
///
/// It holds birth dates too, so its `Debug` shows no digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Zeroize)]
pub struct CalendarDate {
    // The order of the fields is the order of comparison.
    year: u16,
    month: u8,
    day: u8,
}

impl CalendarDate {
    /// The day `day` (1 to 31) of `month` (1 to 12) of `year` (1 to 9999).
    ///
    /// # Errors
    ///
    /// [`NoSuchDay`] for a day that the calendar does not have.
    pub fn new(year: u16, month: u8, day: u8) -> Result<CalendarDate, NoSuchDay> {
        let fits = (1..=9999).contains(&year) && (1..=days_in_month(year, month)).contains(&day);
        if fits {
            Ok(CalendarDate { year, month, day })
        } else {
            Err(NoSuchDay)
        }
    }

    /// The day in UTC on which `instant` lies.
    ///
    /// # Errors
    ///
    /// [`NoSuchDay`] after the year 9999.
    pub fn from_unix(instant: UnixTime) -> Result<CalendarDate, NoSuchDay> {
        let at =
            DateTime::from_unix_duration(Duration::from_secs(instant.0)).map_err(|_| NoSuchDay)?;
        CalendarDate::new(at.year(), at.month(), at.day())
    }

    /// The year, 1 to 9999.
    #[must_use]
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(&self) -> u8 {
        self.month
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(&self) -> u8 {
        self.day
    }
}

impl fmt::Debug for CalendarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CalendarDate(..)")
    }
}

/// The calendar has no such day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the calendar has no such day")]
pub struct NoSuchDay;

/// Zero for a month that does not exist, so that no day of it does.
fn days_in_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_day_exists_in_2000_and_not_in_1900() {
        assert!(CalendarDate::new(2000, 2, 29).is_ok());
        assert_eq!(CalendarDate::new(1900, 2, 29), Err(NoSuchDay));
    }

    #[test]
    fn days_outside_the_calendar_are_refused() {
        for (year, month, day) in [(0, 1, 1), (2020, 0, 1), (2020, 13, 1), (2020, 4, 31)] {
            assert_eq!(CalendarDate::new(year, month, day), Err(NoSuchDay));
        }
        assert_eq!(CalendarDate::from_unix(UnixTime(u64::MAX)), Err(NoSuchDay));
    }

    #[test]
    fn an_instant_falls_on_its_utc_day() {
        let last_second = CalendarDate::from_unix(UnixTime(1_709_251_199)).unwrap();
        assert!(last_second == CalendarDate::new(2024, 2, 29).unwrap());
    }

    #[test]
    fn debug_output_shows_no_digit() {
        let shown = format!("{:?}", CalendarDate::new(1990, 12, 3).unwrap());
        assert!(!shown.contains(|c: char| c.is_ascii_digit()));
    }
}
