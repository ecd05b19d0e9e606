//! Days as the contract with a register writes them.

use mrtd::CalendarDate;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A day, `YYYY-MM-DD`. Its `Debug` shows no digits.
///
/// Source: RFC 3339 §5.6, `full-date`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Zeroize)]
#[serde(try_from = "String", into = "String")]
pub struct IsoDate(pub CalendarDate);

/// The last day of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
#[serde(try_from = "String", into = "String")]
pub enum LastDay {
    /// The card is valid on this day and on none after it.
    On(IsoDate),
    /// The card has none, `unlimited`.
    Unlimited,
}

/// The text is no day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day of the form YYYY-MM-DD")]
pub struct NotADate;

impl IsoDate {
    /// Reads `YYYY-MM-DD`.
    ///
    /// # Errors
    ///
    /// [`NotADate`]
    pub fn parse(text: &str) -> Result<IsoDate, NotADate> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits);
            let part = part.filter(|part| part.bytes().all(|c| c.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok())
                .ok_or(NotADate)
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        if parts.next().is_some() {
            return Err(NotADate);
        }
        let [month, day] = [month, day].map(|part| u8::try_from(part).unwrap_or(0));
        let date = CalendarDate::new(year, month, day);
        date.map(IsoDate).map_err(|_| NotADate)
    }
}

impl LastDay {
    /// Reads `YYYY-MM-DD` or `unlimited`.
    ///
    /// # Errors
    ///
    /// [`NotADate`]
    pub fn parse(text: &str) -> Result<LastDay, NotADate> {
        if text == UNLIMITED {
            return Ok(LastDay::Unlimited);
        }
        IsoDate::parse(text).map(LastDay::On)
    }

    /// Whether a card with this last day has run out on `today`.
    #[must_use]
    pub fn is_over(self, today: CalendarDate) -> bool {
        match self {
            LastDay::On(IsoDate(day)) => day < today,
            LastDay::Unlimited => false,
        }
    }
}

impl TryFrom<String> for IsoDate {
    type Error = NotADate;

    fn try_from(text: String) -> Result<IsoDate, NotADate> {
        IsoDate::parse(&text)
    }
}

impl From<IsoDate> for String {
    fn from(IsoDate(date): IsoDate) -> String {
        format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl TryFrom<String> for LastDay {
    type Error = NotADate;

    fn try_from(text: String) -> Result<LastDay, NotADate> {
        LastDay::parse(&text)
    }
}

impl From<LastDay> for String {
    fn from(day: LastDay) -> String {
        match day {
            LastDay::On(date) => date.into(),
            LastDay::Unlimited => UNLIMITED.to_owned(),
        }
    }
}

const UNLIMITED: &str = "unlimited";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_day_is_refused() {
        let texts = [
            "",
            "2027-02-29",
            "2027-2-01",
            "27-02-01",
            "2027-02-01-",
            "2027-02-+1",
            "unlimited",
            "２027-02-01",
        ];
        for text in texts {
            assert_eq!(IsoDate::parse(text), Err(NotADate), "{text}");
        }
    }

    #[test]
    fn a_card_is_valid_on_its_last_day() {
        let day = |text| IsoDate::parse(text).unwrap();
        let last = LastDay::parse("2027-02-01").unwrap();
        assert!(!last.is_over(day("2027-02-01").0) && last.is_over(day("2027-02-02").0));
        assert!(!LastDay::Unlimited.is_over(day("9999-12-31").0));
    }

    proptest! {
        #[test]
        fn a_day_survives_a_round_trip(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]|\\PC{0,12}") {
            if let Ok(day) = LastDay::parse(&text) {
                prop_assert_eq!(String::from(day), text);
            }
        }
    }
}
