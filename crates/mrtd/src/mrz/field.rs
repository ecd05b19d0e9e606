//! Reading single fields of the zone.

use thiserror::Error;

use super::{Field, MrzError, ZONE_LEN};
use crate::state::StateCode;
use crate::time::CalendarDate;

/// The check digit over one field of a machine-readable zone.
///
/// `field` holds characters of the zone only (`0-9`, `A-Z`, `<`); the result is a value 0 to 9,
/// not an ASCII digit.
///
/// Source: ICAO Doc 9303-3, 8th edition, §4.9.
///
/// # Errors
///
/// [`BadCharacter`] at the first byte outside the alphabet.
pub fn check_digit(field: &[u8]) -> Result<u8, BadCharacter> {
    weighted_sum(field.iter())
}

/// A byte outside the alphabet of the machine-readable zone, with its place from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("character {0} is not allowed in a machine-readable zone")]
pub struct BadCharacter(pub usize);

pub(super) fn check_alphabet(zone: &[u8; ZONE_LEN]) -> Result<(), MrzError> {
    match zone.iter().position(|byte| value(*byte).is_none()) {
        Some(place) => Err(MrzError::Character(place)),
        None => Ok(()),
    }
}

/// The four check digits of the second line and the one over all of them.
pub(super) fn check_digits(zone: &[u8; ZONE_LEN]) -> Result<(), MrzError> {
    let single = [
        (Field::DocumentNumber, &zone[44..53], zone[53]),
        (Field::BirthDate, &zone[57..63], zone[63]),
        (Field::Expiry, &zone[65..71], zone[71]),
        (Field::PersonalNumber, &zone[72..86], zone[86]),
    ];
    for (name, field, digit) in single {
        // An empty personal number may have a filler in place of its digit (9303-4 §4.2.2.2).
        let filler = name == Field::PersonalNumber
            && digit == b'<'
            && field.iter().all(|byte| *byte == b'<');
        if !filler && !fits(weighted_sum(field.iter()), digit) {
            return Err(MrzError::CheckDigit(name));
        }
    }
    if fits(composite(zone), zone[87]) {
        Ok(())
    } else {
        Err(MrzError::CheckDigit(Field::Composite))
    }
}

/// The digit over characters 1 to 10, 14 to 20 and 22 to 43 of the second line.
pub(super) fn composite(zone: &[u8; ZONE_LEN]) -> Result<u8, BadCharacter> {
    weighted_sum(
        zone[44..54]
            .iter()
            .chain(&zone[57..64])
            .chain(&zone[65..87]),
    )
}

pub(super) fn state(field: &[u8], name: Field) -> Result<StateCode, MrzError> {
    let letters = field.try_into().map_err(|_| MrzError::State(name))?;
    StateCode::from_mrz(letters).map_err(|_| MrzError::State(name))
}

/// Primary and secondary identifier, separated by two fillers; single fillers become spaces.
pub(super) fn names(field: &[u8]) -> Result<(String, String), MrzError> {
    if field.iter().any(u8::is_ascii_digit) {
        return Err(MrzError::Name);
    }
    let (primary, secondary) = match field.windows(2).position(|pair| pair == b"<<") {
        Some(place) => field.split_at(place),
        None => (field, &[][..]),
    };
    let (primary, secondary) = (words(primary), words(secondary));
    if primary.is_empty() {
        Err(MrzError::Name)
    } else {
        Ok((primary, secondary))
    }
}

/// The field without fillers at its end; `None` if nothing is left.
pub(super) fn unpadded(field: &[u8]) -> Option<String> {
    let end = field.iter().rposition(|byte| *byte != b'<')?;
    let mut text = String::with_capacity(field.len());
    text.extend(
        field
            .iter()
            .take(end.saturating_add(1))
            .copied()
            .map(char::from),
    );
    Some(text)
}

pub(super) fn birth_date(field: &[u8], today: CalendarDate) -> Result<CalendarDate, MrzError> {
    if field.contains(&b'<') {
        return Err(MrzError::UnknownBirthDate);
    }
    let (year, month, day) = numbers(field).ok_or(MrzError::Date(Field::BirthDate))?;
    let this_century = century(today).saturating_add(year);
    // A year in the running century that lies after today was meant in the last one; the first
    // day that exists and is not in the future wins.
    [this_century, this_century.saturating_sub(100)]
        .into_iter()
        .filter_map(|full| CalendarDate::new(full, month, day).ok())
        .find(|date| *date <= today)
        .ok_or(MrzError::Date(Field::BirthDate))
}

pub(super) fn expiry(field: &[u8], today: CalendarDate) -> Result<CalendarDate, MrzError> {
    let (year, month, day) = numbers(field).ok_or(MrzError::Date(Field::Expiry))?;
    let in_century = century(today).saturating_add(year);
    let full = if in_century > today.year().saturating_add(49) {
        in_century.saturating_sub(100)
    } else if in_century.saturating_add(50) < today.year() {
        in_century.saturating_add(100)
    } else {
        in_century
    };
    CalendarDate::new(full, month, day).map_err(|_| MrzError::Date(Field::Expiry))
}

fn century(today: CalendarDate) -> u16 {
    today.year() / 100 * 100
}

fn numbers(field: &[u8]) -> Option<(u16, u8, u8)> {
    let mut pairs = field.chunks_exact(2).map(|pair| match pair {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    });
    Some((u16::from(pairs.next()??), pairs.next()??, pairs.next()??))
}

fn words(field: &[u8]) -> String {
    // Room for all of it at once: a string that grows leaves copies of names behind.
    let mut text = String::with_capacity(field.len());
    for word in field
        .split(|byte| *byte == b'<')
        .filter(|word| !word.is_empty())
    {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend(word.iter().copied().map(char::from));
    }
    text
}

fn fits(computed: Result<u8, BadCharacter>, digit: u8) -> bool {
    computed.is_ok_and(|value| digit == b'0' + value)
}

fn weighted_sum<'a>(field: impl Iterator<Item = &'a u8>) -> Result<u8, BadCharacter> {
    let mut sum = 0_u8;
    for (place, (byte, weight)) in field.zip([7, 3, 1].into_iter().cycle()).enumerate() {
        let value = value(*byte).ok_or(BadCharacter(place))?;
        // At most 9 + 9 * 7 before the remainder is taken.
        sum = (sum + value % 10 * weight) % 10;
    }
    Ok(sum)
}

/// Digits count as themselves, letters from A as 10, fillers as 0.
fn value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'<' => Some(0),
        _ => None,
    }
}
