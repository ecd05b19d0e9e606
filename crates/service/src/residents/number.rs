//! Numbers of resident cards, residence permits and permanent resident cards of China.
//!
//! A number that has the right form says nothing about anybody: forms are public and check
//! characters are arithmetic. It keeps slips of the pen away from the register that knows.

use mrtd::{CalendarDate, Sex, StateCode, check_digit};
use store::TagKind;
use zeroize::Zeroizing;

use super::{NumberKind, gb11643, iso3166};
use crate::tags::{EvidenceNumber, NotANumber};

/// A number whose form holds. It is wiped when dropped and has no textual form of its own.
pub struct ResidentNumber {
    kind: NumberKind,
    text: Zeroizing<String>,
    /// One day, or two a century apart, the later first.
    births: Zeroizing<Vec<CalendarDate>>,
    sex: Sex,
}

/// Why a text is no number of its kind. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It has not as many characters as numbers of this kind.
    #[error("number has another length")]
    Length,
    /// A character stands where it cannot.
    #[error("number has a character that cannot stand there")]
    Character,
    /// It begins with no province, or not with the code of its kind of permit.
    #[error("number begins with a division that there is not")]
    Division,
    /// Its birth date is none, in the future, or before 1800.
    #[error("number has no possible birth date")]
    BirthDate,
    /// Its check character is another one.
    #[error("check character of the number is another one")]
    Check,
}

impl ResidentNumber {
    /// Reads the number of a card or permit of this kind. Spaces are dropped, letters become
    /// capitals; `today` bounds birth dates.
    ///
    /// * [`NumberKind::Resident`]: 18 characters, division (6), birth date (8), order (3), check
    ///   character; or the 15 digits of before 1999, which become 18. The first two digits must be
    ///   those of one of the 31 provinces, regions and cities of the mainland; divisions within
    ///   them come and go and are not compared. Source: GB 11643-1999.
    /// * Permits: the same 18 characters with division 810000 (Hong Kong), 820000 (Macau) or
    ///   830000 (Taiwan). Source: Measures for the application for and issue of residence permits
    ///   for residents of Hong Kong, Macau and Taiwan (State Council, General Office, 2018,
    ///   no. 81), and public readers of these numbers.
    /// * [`NumberKind::PermanentResident`], 18 characters: `9`, province (2), nationality in
    ///   digits (3), birth date (8), order (3), check character as in GB 11643. Source: the
    ///   National Immigration Administration's rules for the machine-readable data of the card of
    ///   2023. Whether the nationality is one in ISO 3166 is not checked.
    /// * [`NumberKind::PermanentResident`], 15 characters of before: nationality in letters (3),
    ///   province and city (4), birth date without century (6), order (1), and a digit over the
    ///   14 as in ICAO Doc 9303-3 §4.9. The administration names the letters and digits alone; the
    ///   rest is as two independent public readers have it. The city is not compared.
    ///
    /// # Errors
    ///
    /// The variants of [`NumberError`].
    pub fn parse(
        kind: NumberKind,
        text: &str,
        today: CalendarDate,
    ) -> Result<ResidentNumber, NumberError> {
        let number = cleaned(text)?;
        match number.len() {
            gb11643::LENGTH => long(kind, number, today),
            SHORT => match kind {
                NumberKind::Resident => long(kind, lengthened(number)?, today),
                NumberKind::PermanentResident => card_before_2023(number, today),
                NumberKind::HongKongPermit | NumberKind::MacauPermit | NumberKind::TaiwanPermit => {
                    Err(NumberError::Length)
                }
            },
            _ => Err(NumberError::Length),
        }
    }

    /// The card or permit that it stands on.
    #[must_use]
    pub fn kind(&self) -> NumberKind {
        self.kind
    }

    /// The number: 18 characters, digits and at the end perhaps `X`; or the 15 of a permanent
    /// resident's card of before 2023.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The birth date, if the number leaves no doubt about the century: a permanent resident's
    /// card of before 2023 may.
    #[must_use]
    pub fn birth(&self) -> Option<CalendarDate> {
        match self.births.as_slice() {
            [day] => Some(*day),
            _ => None,
        }
    }

    /// Whether somebody born on `day` can have this number.
    #[must_use]
    pub fn fits_birth(&self, day: CalendarDate) -> bool {
        self.births.contains(&day)
    }

    /// The sex by the last digit of the order: odd for men, even for women. For permanent
    /// residents so read by public readers; no public rule says it.
    #[must_use]
    pub fn sex(&self) -> Sex {
        self.sex
    }

    /// The nationality: China's but on the card of a permanent resident, which has that of its
    /// first issue; `None` where its three digits are not in ISO 3166-1.
    #[must_use]
    pub fn nationality(&self) -> Option<StateCode> {
        let number = self.text.as_bytes();
        match self.kind {
            NumberKind::Resident
            | NumberKind::HongKongPermit
            | NumberKind::MacauPermit
            | NumberKind::TaiwanPermit => Some(StateCode::CHINA),
            NumberKind::PermanentResident if number.len() == SHORT => {
                StateCode::from_mrz(*number.first_chunk()?).ok()
            }
            NumberKind::PermanentResident => iso3166::state(number.get(3..6)?),
        }
    }

    /// The number as evidence, from which the tag is computed that keeps a person from
    /// registering twice. A person number of China, whatever the card.
    ///
    /// # Errors
    ///
    /// None is known: it is letters and digits.
    pub fn evidence(&self) -> Result<EvidenceNumber, NotANumber> {
        EvidenceNumber::new(TagKind::PersonNumber, StateCode::CHINA, &self.text)
    }
}

/// Letters and digits alone, letters as capitals, at most 18.
fn cleaned(text: &str) -> Result<Zeroizing<Vec<u8>>, NumberError> {
    // Room for the longest at once: what grows leaves copies behind.
    let mut number = Zeroizing::new(Vec::with_capacity(gb11643::LENGTH));
    for character in text.bytes().filter(|c| *c != b' ') {
        if number.len() == gb11643::LENGTH {
            return Err(NumberError::Length);
        }
        if !character.is_ascii_alphanumeric() {
            return Err(NumberError::Character);
        }
        number.push(character.to_ascii_uppercase());
    }
    Ok(number)
}

fn lengthened(mut number: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, NumberError> {
    if !number.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Character);
    }
    gb11643::lengthen(&mut number);
    Ok(number)
}

/// A number of 18 characters, of whatever kind.
fn long(
    kind: NumberKind,
    mut number: Zeroizing<Vec<u8>>,
    today: CalendarDate,
) -> Result<ResidentNumber, NumberError> {
    let check = gb11643::check_character(&number).ok_or(NumberError::Character)?;
    let last = number.last().copied().ok_or(NumberError::Length)?;
    if !last.is_ascii_digit() && last != b'X' {
        return Err(NumberError::Character);
    }
    let divided = match kind {
        NumberKind::Resident => gb11643::begins_in_a_province(&number),
        NumberKind::HongKongPermit => number.starts_with(b"810000"),
        NumberKind::MacauPermit => number.starts_with(b"820000"),
        NumberKind::TaiwanPermit => number.starts_with(b"830000"),
        NumberKind::PermanentResident => number
            .strip_prefix(b"9")
            .is_some_and(gb11643::begins_in_a_province),
    };
    if !divided {
        return Err(NumberError::Division);
    }
    let year = number.get(6..10).and_then(decimal);
    let year = year.filter(|year| *year >= EARLIEST_YEAR);
    let birth = year.and_then(|year| past_day(year, number.get(10..14)?, today));
    let birth = birth.ok_or(NumberError::BirthDate)?;
    if last != check {
        return Err(NumberError::Check);
    }
    Ok(ResidentNumber {
        kind,
        sex: sex_of(number.get(16)),
        births: Zeroizing::new(vec![birth]),
        text: into_text(&mut number),
    })
}

/// The 15 characters of a permanent resident's card of before December 2023.
fn card_before_2023(
    mut number: Zeroizing<Vec<u8>>,
    today: CalendarDate,
) -> Result<ResidentNumber, NumberError> {
    let parts = number.split_at_checked(3);
    let (letters, digits) = parts.ok_or(NumberError::Length)?;
    if !letters.iter().all(u8::is_ascii_uppercase) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Character);
    }
    if !gb11643::begins_in_a_province(digits) {
        return Err(NumberError::Division);
    }
    let (year, days) = (digits.get(4..6).and_then(decimal), digits.get(6..10));
    let (year, days) = year.zip(days).ok_or(NumberError::Length)?;
    let centuries = [2000, 1900].into_iter();
    let births = centuries.filter_map(|century| past_day(century + year, days, today));
    let births = Zeroizing::new(births.collect::<Vec<_>>());
    if births.is_empty() {
        return Err(NumberError::BirthDate);
    }
    let (covered, check) = number.split_at_checked(14).ok_or(NumberError::Length)?;
    let expected = check_digit(covered).map_err(|_| NumberError::Character)?;
    if check != [b'0' + expected] {
        return Err(NumberError::Check);
    }
    Ok(ResidentNumber {
        kind: NumberKind::PermanentResident,
        births,
        sex: sex_of(number.get(13)),
        text: into_text(&mut number),
    })
}

/// The day `MMDD` of a year, unless it is after `today`.
fn past_day(year: u16, month_and_day: &[u8], today: CalendarDate) -> Option<CalendarDate> {
    let (month, day) = month_and_day.split_at_checked(2)?;
    let month = u8::try_from(decimal(month)?).ok()?;
    let day = u8::try_from(decimal(day)?).ok()?;
    let date = CalendarDate::new(year, month, day).ok()?;
    (date <= today).then_some(date)
}

/// At most four digits as a number.
fn decimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value.checked_mul(10)?.checked_add(u16::from(digit))
    })
}

fn sex_of(digit: Option<&u8>) -> Sex {
    match digit {
        Some(digit) if digit % 2 == 1 => Sex::Male,
        Some(_) => Sex::Female,
        None => Sex::Unspecified,
    }
}

/// The octets as text, without a copy.
fn into_text(number: &mut Zeroizing<Vec<u8>>) -> Zeroizing<String> {
    let octets = std::mem::take(&mut **number);
    Zeroizing::new(String::from_utf8(octets).expect("letters and digits are ASCII"))
}

/// Length of numbers of residents before 1999 and of permanent residents' cards before 2023.
const SHORT: usize = 15;

/// Nobody with such a number was born before; the second example of the standard was in 1880.
const EARLIEST_YEAR: u16 = 1800;

#[cfg(test)]
mod tests;
