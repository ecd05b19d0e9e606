//! The machine-readable zone of a passport (format TD3): two lines of 44 characters.
//!
//! Source: ICAO Doc 9303-4, 8th edition, §4.2; check digits and transliteration from 9303-3.

mod compose;
mod field;

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::state::StateCode;
use crate::time::CalendarDate;

pub use compose::MrzFields;
pub use field::{BadCharacter, check_digit};

/// What the machine-readable zone of a passport says; every check digit has been verified.
///
/// Wiped when dropped; `Debug` shows no value.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Mrz {
    #[zeroize(skip)]
    code: [u8; 2],
    #[zeroize(skip)]
    issuing_state: StateCode,
    family_name: String,
    given_names: String,
    document_number: String,
    #[zeroize(skip)]
    nationality: StateCode,
    birth_date: CalendarDate,
    #[zeroize(skip)]
    sex: Sex,
    expiry: CalendarDate,
    personal_number: Option<String>,
}

impl Mrz {
    /// Reads a zone of 88 characters, the two lines one after the other without a break.
    ///
    /// The zone has years of two digits. A birth date is taken as the last one that is not after
    /// `today`, so whoever is older than 99 years comes out a century too young; an expiry date
    /// is taken between 50 years before and 49 years after the year of `today`.
    ///
    /// Source: ICAO Doc 9303-4, 8th edition, §4.2.2.
    ///
    /// # Errors
    ///
    /// [`MrzError`], at the first thing that is wrong.
    pub fn parse(zone: &[u8], today: CalendarDate) -> Result<Mrz, MrzError> {
        let zone: &[u8; ZONE_LEN] = zone.try_into().map_err(|_| MrzError::Length(zone.len()))?;
        field::check_alphabet(zone)?;
        let code = [zone[0], zone[1]];
        if code[0] != b'P' || code[1].is_ascii_digit() {
            return Err(MrzError::NotAPassport);
        }
        field::check_digits(zone)?;
        let (family_name, given_names) = field::names(&zone[5..44])?;
        Ok(Mrz {
            code,
            issuing_state: field::state(&zone[2..5], Field::IssuingState)?,
            family_name,
            given_names,
            document_number: field::unpadded(&zone[44..53])
                .ok_or(MrzError::Empty(Field::DocumentNumber))?,
            nationality: field::state(&zone[54..57], Field::Nationality)?,
            birth_date: field::birth_date(&zone[57..63], today)?,
            sex: Sex::from_mrz(zone[64])?,
            expiry: field::expiry(&zone[65..71], today)?,
            personal_number: field::unpadded(&zone[72..86]),
        })
    }

    /// Reads the two lines of 44 characters, as a person types them or a camera reads them.
    ///
    /// # Errors
    ///
    /// As [`Mrz::parse`].
    pub fn parse_lines(upper: &str, lower: &str, today: CalendarDate) -> Result<Mrz, MrzError> {
        for line in [upper, lower] {
            if line.len() != LINE_LEN {
                return Err(MrzError::Length(line.len()));
            }
        }
        let mut zone = zeroize::Zeroizing::new([0_u8; ZONE_LEN]);
        for (to, from) in zone.iter_mut().zip(upper.bytes().chain(lower.bytes())) {
            *to = from;
        }
        Mrz::parse(zone.as_slice(), today)
    }

    /// The document class, the first letter of the document code: always `P` for a passport.
    #[must_use]
    pub fn class(&self) -> &str {
        "P"
    }

    /// The second letter of the document code, which an issuer may use (`D` diplomatic, for
    /// instance); `None` for a filler.
    #[must_use]
    pub fn subclass(&self) -> Option<char> {
        Some(char::from(self.code[1])).filter(char::is_ascii_alphabetic)
    }

    /// The state or organisation that issued the document.
    #[must_use]
    pub fn issuing_state(&self) -> StateCode {
        self.issuing_state
    }

    /// The primary identifier: capital letters A to Z and single spaces, at most 39 of them.
    #[must_use]
    pub fn family_name(&self) -> &str {
        &self.family_name
    }

    /// The secondary identifier, in the same letters; empty for a person with one name.
    #[must_use]
    pub fn given_names(&self) -> &str {
        &self.given_names
    }

    /// The document number without fillers at its end: 1 to 9 characters.
    #[must_use]
    pub fn document_number(&self) -> &str {
        &self.document_number
    }

    /// The holder's nationality, which need not be the issuing state.
    #[must_use]
    pub fn nationality(&self) -> StateCode {
        self.nationality
    }

    /// The holder's birth date.
    #[must_use]
    pub fn birth_date(&self) -> CalendarDate {
        self.birth_date
    }

    /// The holder's sex as the document states it.
    #[must_use]
    pub fn sex(&self) -> Sex {
        self.sex
    }

    /// The last day on which the document is valid.
    #[must_use]
    pub fn expiry(&self) -> CalendarDate {
        self.expiry
    }

    /// The personal number or other optional data, without fillers at its end: 1 to 14
    /// characters; `None` where the field is empty.
    #[must_use]
    pub fn personal_number(&self) -> Option<&str> {
        self.personal_number.as_deref()
    }
}

impl fmt::Debug for Mrz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mrz(..)")
    }
}

/// The sex that a document states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// `F`.
    Female,
    /// `M`.
    Male,
    /// A filler: unspecified (`X` in the visual zone).
    Unspecified,
}

impl Sex {
    /// The character in the machine-readable zone.
    #[must_use]
    pub fn to_mrz(self) -> char {
        match self {
            Sex::Female => 'F',
            Sex::Male => 'M',
            Sex::Unspecified => '<',
        }
    }

    fn from_mrz(byte: u8) -> Result<Sex, MrzError> {
        match byte {
            b'F' => Ok(Sex::Female),
            b'M' => Ok(Sex::Male),
            b'<' => Ok(Sex::Unspecified),
            _ => Err(MrzError::Sex),
        }
    }
}

/// A field of the zone, to say where an error lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Line 1, characters 3 to 5.
    IssuingState,
    /// Line 1, characters 6 to 44.
    Name,
    /// Line 2, characters 1 to 9.
    DocumentNumber,
    /// Line 2, characters 11 to 13.
    Nationality,
    /// Line 2, characters 14 to 19.
    BirthDate,
    /// Line 2, characters 22 to 27.
    Expiry,
    /// Line 2, characters 29 to 42.
    PersonalNumber,
    /// Line 2 as the last check digit covers it.
    Composite,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::IssuingState => "issuing state",
            Field::Name => "name",
            Field::DocumentNumber => "document number",
            Field::Nationality => "nationality",
            Field::BirthDate => "birth date",
            Field::Expiry => "expiry date",
            Field::PersonalNumber => "personal number",
            Field::Composite => "second line",
        })
    }
}

/// Why a machine-readable zone is refused; no value of the document is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MrzError {
    /// Neither a line of 44 nor a zone of 88 characters.
    #[error("{0} characters where a passport has two lines of 44")]
    Length(usize),
    /// A character outside `0-9`, `A-Z`, `<`; the place counts from 0 through both lines.
    #[error("character {0} is not allowed in a machine-readable zone")]
    Character(usize),
    /// The document code does not begin with `P`.
    #[error("not a passport")]
    NotAPassport,
    /// A check digit does not fit.
    #[error("wrong check digit of the {0}")]
    CheckDigit(Field),
    /// A state is not written in letters.
    #[error("the {0} is not a code of a state")]
    State(Field),
    /// A name has digits in it, or no primary identifier.
    #[error("malformed name")]
    Name,
    /// A field that must have a value has none.
    #[error("the {0} is empty")]
    Empty(Field),
    /// A date is not a day of the calendar.
    #[error("the {0} is not a day of the calendar")]
    Date(Field),
    /// The document leaves day, month or year of birth open; not supported yet.
    #[error("the birth date is unknown in part")]
    UnknownBirthDate,
    /// Neither `F`, `M` nor a filler.
    #[error("malformed sex")]
    Sex,
    /// On composing: the field does not hold the value.
    #[error("the {0} is too long for the zone")]
    TooLong(Field),
    /// On composing: no transliteration of a character is known.
    #[error("the {0} has a character without transliteration")]
    Unwritable(Field),
}

const LINE_LEN: usize = 44;
const ZONE_LEN: usize = 2 * LINE_LEN;

#[cfg(test)]
mod tests;
