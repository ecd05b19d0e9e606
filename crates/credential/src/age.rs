//! Ages: from "at least N years old on a day" to the latest day of birth, which is what is proved.

use serde::{Deserialize, Serialize};

use crate::attributes::BirthDate;
use crate::time::Day;

/// A number of years that may be asked for, 1 to 120.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Years(u8);

/// No number of years that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an age is a number of years from 1 to 120")]
pub struct BadYears;

impl Years {
    /// The number itself.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// The claim that says that somebody is at least so old, such as `age_over_18`.
    #[must_use]
    pub fn claim(self) -> String {
        format!("age_over_{}", self.0)
    }
}

impl TryFrom<u8> for Years {
    type Error = BadYears;

    fn try_from(number: u8) -> Result<Years, BadYears> {
        if (1..=120).contains(&number) {
            Ok(Years(number))
        } else {
            Err(BadYears)
        }
    }
}

impl From<Years> for u8 {
    fn from(years: Years) -> u8 {
        years.0
    }
}

/// What a site asks to have proved: at least so many years on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeAsked {
    /// The years.
    pub years: Years,
    /// The day on which they are over, in UTC.
    #[serde(with = "iso_day")]
    pub on: Day,
}

/// The latest day of birth would be outside the days that a certificate can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the latest day of birth for this age is not from 1900-01-01 to 2079-06-06")]
pub struct AgeOutOfRange;

impl AgeAsked {
    /// The latest day of birth of somebody who is old enough.
    ///
    /// It is the day of the same month so many years before, and 28 February in place of a
    /// 29 February that the year does not have: who was born on 29 February becomes a year older on
    /// 1 March in years without one, never too early.
    ///
    /// # Errors
    ///
    /// [`AgeOutOfRange`].
    pub fn born_by(self) -> Result<BirthDate, AgeOutOfRange> {
        let on = date(self.on).ok_or(AgeOutOfRange)?;
        let year = on.year() - i32::from(self.years.0);
        let same_day = |day| time::Date::from_calendar_date(year, on.month(), day);
        let date = same_day(on.day()).or_else(|_| same_day(28));
        let date = date.map_err(|_| AgeOutOfRange)?;
        BirthDate::of_date(date).map_err(|_| AgeOutOfRange)
    }

    /// Whether somebody born on this day is old enough.
    ///
    /// # Errors
    ///
    /// [`AgeOutOfRange`].
    pub fn is_reached_by(self, birthdate: BirthDate) -> Result<bool, AgeOutOfRange> {
        Ok(birthdate.day_number() <= self.born_by()?.day_number())
    }

    /// The day as `YYYY-MM-DD`.
    #[must_use]
    pub fn on_iso(self) -> String {
        iso_day::text(self.on)
    }
}

fn date(day: Day) -> Option<time::Date> {
    time::macros::date!(1970 - 01 - 01).checked_add(time::Duration::days(day.0.into()))
}

/// A day as `YYYY-MM-DD`.
mod iso_day {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::attributes::BirthDate;
    use crate::time::Day;

    /// Days from 1900-01-01 to 1970-01-01.
    const SINCE_1900: u32 = 25_567;

    pub(super) fn text(day: Day) -> String {
        let date = super::date(day).unwrap_or(time::Date::MAX);
        let (year, month, day) = date.to_calendar_date();
        format!("{year:04}-{:02}-{day:02}", u8::from(month))
    }

    pub(super) fn serialize<S: Serializer>(day: &Day, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(*day))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Day, D::Error> {
        // The same form and calendar as a date of birth; days up to 2079 will do for a clock.
        let date = BirthDate::parse_iso(&String::deserialize(from)?).map_err(D::Error::custom)?;
        let days = u32::from(date.day_number()).checked_sub(SINCE_1900);
        days.map(Day).ok_or_else(|| D::Error::custom("before 1970"))
    }
}

#[cfg(test)]
mod tests;
