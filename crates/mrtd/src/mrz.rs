//! The machine-readable zone of passports, cards and Chinese permits.
//!
//! Source: ICAO Doc 9303-4, -5 and -6, 8th edition, §4.2; check digits and transliteration from
//! 9303-3. Where each format has its fields is in one table, `mrz/layout.rs`.

mod compose;
mod field;
mod han;
mod layout;

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::state::StateCode;
use crate::time::CalendarDate;

pub use compose::MrzFields;
pub use field::{BadCharacter, check_digit};
pub use layout::Format;

/// What a machine-readable zone says; every check digit whose rule is known has been verified.
///
/// Wiped when dropped; `Debug` shows no value.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Mrz {
    #[zeroize(skip)]
    format: Format,
    #[zeroize(skip)]
    code: [u8; 2],
    #[zeroize(skip)]
    issuing_state: StateCode,
    family_name: String,
    given_names: String,
    native_name: Option<String>,
    document_number: String,
    #[zeroize(skip)]
    nationality: StateCode,
    birth_date: CalendarDate,
    #[zeroize(skip)]
    sex: Sex,
    expiry: CalendarDate,
    optional_data: Vec<String>,
}

impl Mrz {
    /// Reads a zone of 72 (TD2), 88 (TD3) or 90 characters (TD1 and the Chinese permits), the lines
    /// one after the other without a break.
    ///
    /// The zone has years of two digits. A birth date is taken as the last one that is not after
    /// `today`, so whoever is older than 99 years comes out a century too young, unless the
    /// document names the century; an expiry date is taken between 50 years before and 49 years
    /// after the year of `today`.
    ///
    /// # Errors
    ///
    /// [`MrzError`], at the first thing that is wrong.
    pub fn parse(zone: &[u8], today: CalendarDate) -> Result<Mrz, MrzError> {
        Mrz::parse_of(zone, today, None)
    }

    /// The same for a holder who was born on `born`, as another data group says: the zone must
    /// agree in all that it does not leave open.
    pub(crate) fn parse_of(
        zone: &[u8],
        today: CalendarDate,
        born: Option<CalendarDate>,
    ) -> Result<Mrz, MrzError> {
        let format = Format::of(zone).ok_or(MrzError::Length(zone.len()))?;
        let layout = format.layout();
        field::check_alphabet(zone)?;
        let code = match zone {
            [first, second, ..] if layout.codes.contains(first) && !second.is_ascii_digit() => {
                [*first, *second]
            }
            _ => return Err(MrzError::OtherDocument),
        };
        let (document_number, optional_data) = field::numbers(zone, layout)?;
        field::check_digits(zone, layout)?;
        let (family_name, given_names) = field::names(field::at(zone, layout.names))?;
        let issuing_state = match layout.issuing_state {
            Some(span) => field::state(field::at(zone, span), Field::IssuingState)?,
            None => StateCode::CHINA,
        };
        let nationality = match layout.nationality {
            Some(span) => field::state(field::at(zone, span), Field::Nationality)?,
            None => issuing_state,
        };
        Ok(Mrz {
            format,
            code,
            issuing_state,
            family_name,
            given_names,
            native_name: field::native_name(zone, layout)?,
            document_number,
            nationality,
            birth_date: field::birth_date(zone, layout, today, born)?,
            sex: Sex::from_mrz(zone.get(layout.sex).copied())?,
            expiry: field::expiry(field::at(zone, layout.expiry.field), today)?,
            optional_data,
        })
    }

    /// Document number, birth date and date of expiry as the zone has them, once their check digits
    /// hold: what opens a chip, also where a date is unknown in part.
    pub(crate) fn access_fields(zone: &[u8]) -> Result<[Zeroizing<String>; 3], MrzError> {
        let format = Format::of(zone).ok_or(MrzError::Length(zone.len()))?;
        let layout = format.layout();
        field::check_alphabet(zone)?;
        let (number, _) = field::numbers(zone, layout)?;
        field::check_digits(zone, layout)?;
        let raw = |(from, to)| {
            let field = field::at(zone, (from, to));
            Zeroizing::new(String::from_utf8_lossy(field).into_owned())
        };
        let (birth, expiry) = (raw(layout.birth.field), raw(layout.expiry.field));
        Ok([Zeroizing::new(number.replace(' ', "<")), birth, expiry])
    }

    /// Reads the lines, as a person types them or a camera reads them.
    ///
    /// # Errors
    ///
    /// As [`Mrz::parse`]; [`MrzError::Length`] for lines of different lengths.
    pub fn parse_lines(lines: &[&str], today: CalendarDate) -> Result<Mrz, MrzError> {
        let total = lines.iter().map(|line| line.len()).sum();
        let mut zone = Zeroizing::new(Vec::with_capacity(total));
        for line in lines {
            zone.extend_from_slice(line.as_bytes());
        }
        let format = Format::of(&zone).ok_or(MrzError::Length(total))?;
        let wanted = format.layout().line_len;
        match lines.iter().find(|line| line.len() != wanted) {
            Some(line) => Err(MrzError::Length(line.len())),
            None => Mrz::parse(&zone, today),
        }
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The document class: `P` for a passport, `I` for a card, for which issuers write `A`, `C` or
    /// `I` as they like.
    #[must_use]
    pub fn class(&self) -> &str {
        if self.code[0] == b'P' { "P" } else { "I" }
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

    /// The primary identifier: capital letters A to Z and single spaces.
    #[must_use]
    pub fn family_name(&self) -> &str {
        &self.family_name
    }

    /// The secondary identifier, in the same letters; empty for a person with one name.
    #[must_use]
    pub fn given_names(&self) -> &str {
        &self.given_names
    }

    /// The name in Chinese characters, where the zone has it; of a long one the first characters.
    #[must_use]
    pub fn native_name(&self) -> Option<&str> {
        self.native_name.as_deref()
    }

    /// The document number without fillers at its end, whole also where it is longer than its
    /// field. Of Chinese permits it is the part that stays for life, without the count of issues.
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

    /// Optional data, each field without fillers at its end, without those that are empty. Many
    /// states write the person's number there.
    pub fn optional_data(&self) -> impl Iterator<Item = &str> {
        self.optional_data.iter().map(String::as_str)
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

    fn from_mrz(byte: Option<u8>) -> Result<Sex, MrzError> {
        match byte {
            Some(b'F') => Ok(Sex::Female),
            Some(b'M') => Ok(Sex::Male),
            Some(b'<') => Ok(Sex::Unspecified),
            _ => Err(MrzError::Sex),
        }
    }
}

/// A field of the zone, to say where an error lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The state or organisation that issues the document.
    IssuingState,
    /// The name in Latin letters.
    Name,
    /// The name in Chinese characters.
    NativeName,
    /// The document number.
    DocumentNumber,
    /// The holder's nationality.
    Nationality,
    /// The birth date.
    BirthDate,
    /// The last day of validity.
    Expiry,
    /// Optional data, mostly the person's number.
    OptionalData,
    /// Fields with a digit that mean nothing here, such as the count of issues.
    Other,
    /// What the last check digit covers.
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
            Field::NativeName => "name in Chinese characters",
            Field::OptionalData => "optional data",
            Field::Other => "count of issues",
            Field::Composite => "zone",
        })
    }
}

/// Why a machine-readable zone is refused; no value of the document is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MrzError {
    /// A zone of another length than 72, 88 and 90 characters, or a line of one.
    #[error("{0} characters where a zone has two lines of 44 or 36, or three of 30")]
    Length(usize),
    /// A character outside `0-9`, `A-Z`, `<`; the place counts from 0 through both lines.
    #[error("character {0} is not allowed in a machine-readable zone")]
    Character(usize),
    /// The document code is none of a passport or card in this format; a visa, for instance.
    #[error("neither a passport nor an identity card")]
    OtherDocument,
    /// A check digit does not fit.
    #[error("wrong check digit of the {0}")]
    CheckDigit(Field),
    /// A state is not written in letters.
    #[error("the {0} is not a code of a state")]
    State(Field),
    /// A name has digits in it, or no primary identifier.
    #[error("malformed name")]
    Name,
    /// The letters or digits of the name in Chinese characters mean none.
    #[error("malformed name in Chinese characters")]
    NativeName,
    /// A field that must have a value has none.
    #[error("the {0} is empty")]
    Empty(Field),
    /// A date is not a day of the calendar.
    #[error("the {0} is not a day of the calendar")]
    Date(Field),
    /// The document leaves day, month or year of birth open, and no data group 11 with the whole
    /// date was given.
    #[error("the birth date is unknown in part")]
    UnknownBirthDate,
    /// Data group 11 gives another birth date.
    #[error("the birth date is not the one of data group 11")]
    OtherBirthDate,
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

#[cfg(test)]
mod tests;
