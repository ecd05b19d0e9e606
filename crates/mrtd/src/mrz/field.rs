//! Reading single fields of the zone.

use thiserror::Error;
use zeroize::Zeroizing;

use super::layout::{Checked, Layout, Native, Span};
use super::{Field, MrzError, han};
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

/// A field; empty where the zone is too short, which the format rules out.
pub(super) fn at(zone: &[u8], (from, to): Span) -> &[u8] {
    zone.get(from..to).unwrap_or_default()
}

pub(super) fn check_alphabet(zone: &[u8]) -> Result<(), MrzError> {
    match zone.iter().position(|byte| value(*byte).is_none()) {
        Some(place) => Err(MrzError::Character(place)),
        None => Ok(()),
    }
}

/// The check digits of all fields but the document number, and the one over several fields.
pub(super) fn check_digits(zone: &[u8], layout: &Layout) -> Result<(), MrzError> {
    let single = [
        (Field::BirthDate, layout.birth),
        (Field::Expiry, layout.expiry),
    ];
    let others = layout.others.iter().map(|other| (Field::Other, *other));
    for (name, Checked { field, digit }) in single.into_iter().chain(others) {
        if !fits(weighted_sum(at(zone, field).iter()), zone.get(digit)) {
            return Err(MrzError::CheckDigit(name));
        }
    }
    if let (Some(digit), [span, ..]) = (layout.optional_digit, layout.optional) {
        let field = at(zone, *span);
        // Empty optional data may have a filler in place of its digit (9303-4 §4.2.2.2).
        let filler = zone.get(digit) == Some(&b'<') && field.iter().all(|byte| *byte == b'<');
        if !filler && !fits(weighted_sum(field.iter()), zone.get(digit)) {
            return Err(MrzError::CheckDigit(Field::OptionalData));
        }
    }
    match layout.composite {
        Some((digit, spans)) if !fits(composite(zone, spans), zone.get(digit)) => {
            Err(MrzError::CheckDigit(Field::Composite))
        }
        _ => Ok(()),
    }
}

/// The digit over these fields, one after the other.
pub(super) fn composite(zone: &[u8], spans: &[Span]) -> Result<u8, BadCharacter> {
    weighted_sum(spans.iter().flat_map(|span| at(zone, *span)))
}

/// The document number, whose check digit fits, and the optional data.
///
/// A number of more than nine characters goes on in the optional data, followed by its digit and a
/// filler; a filler then stands where the digit is otherwise.
///
/// Source: ICAO Doc 9303-5, 8th edition, §4.2.2.2, note j; 9303-6, §4.2.2.2, note j.
pub(super) fn numbers(zone: &[u8], layout: &Layout) -> Result<(String, Vec<String>), MrzError> {
    let wrong = MrzError::CheckDigit(Field::DocumentNumber);
    let Checked { field, digit } = layout.number;
    let mut optional: Vec<&[u8]> = layout.optional.iter().map(|span| at(zone, *span)).collect();
    // Room for all of it at once: what grows leaves copies behind.
    let mut number = Zeroizing::new(Vec::with_capacity(zone.len()));
    number.extend_from_slice(at(zone, field));
    // A digit that covers more than the number is checked with the others.
    let own_digit = digit == field.1;
    let continued = own_digit && zone.get(digit) == Some(&b'<') && layout.optional_digit.is_none();
    if let (true, Some(first)) = (continued, optional.first_mut()) {
        let end = first.iter().position(|byte| *byte == b'<');
        let (more, rest) = first.split_at(end.unwrap_or(first.len()));
        let (digit, more) = more.split_last().ok_or(wrong)?;
        number.extend_from_slice(more);
        if more.is_empty() || !fits(weighted_sum(number.iter()), Some(digit)) {
            return Err(wrong);
        }
        *first = rest;
    } else if own_digit && !fits(weighted_sum(number.iter()), zone.get(digit)) {
        return Err(wrong);
    }
    let number = unpadded(&number).ok_or(MrzError::Empty(Field::DocumentNumber))?;
    // After a continued number the data begins behind a filler.
    let optional = optional.into_iter().filter_map(|field| {
        let start = field.iter().position(|byte| *byte != b'<')?;
        unpadded(field.get(start..)?)
    });
    Ok((number, optional.collect()))
}

/// The name in Chinese characters. Chinese passports have it in the optional data, where those of
/// Hong Kong and Macau, of the same issuing state, have a number.
pub(super) fn native_name(zone: &[u8], layout: &Layout) -> Result<Option<String>, MrzError> {
    let name = match (layout.native, layout.issuing_state, layout.optional) {
        (Some(native), ..) => han::name(zone, native).ok_or(MrzError::NativeName)?,
        (None, Some(state), [(from, _)])
            if layout.codes == b"P" && at(zone, state) == StateCode::CHINA.to_mrz() =>
        {
            let letters = (*from, from.saturating_add(12));
            han::name(zone, Native::Nibbles(letters)).unwrap_or_default()
        }
        _ => return Ok(None),
    };
    Ok(Some(name).filter(|name| !name.is_empty()))
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

pub(super) fn birth_date(
    zone: &[u8],
    layout: &Layout,
    today: CalendarDate,
    known: Option<CalendarDate>,
) -> Result<CalendarDate, MrzError> {
    let malformed = MrzError::Date(Field::BirthDate);
    let field = at(zone, layout.birth.field);
    if let Some(known) = known.filter(|_| layout.century.is_none()) {
        return known_birth_date(field, known, today);
    }
    if field.contains(&b'<') {
        return Err(MrzError::UnknownBirthDate);
    }
    let (year, month, day) = pairs(field).ok_or(malformed)?;
    if let Some((place, of_1800)) = layout.century {
        let century = zone.get(place).and_then(|byte| byte.checked_sub(of_1800));
        let century = century.filter(|century| *century <= 2).ok_or(malformed)?;
        let full = 1800 + u16::from(century) * 100 + year;
        let date = CalendarDate::new(full, month, day).map_err(|_| malformed)?;
        return match known {
            Some(known) if known != date => Err(MrzError::OtherBirthDate),
            _ if date > today => Err(malformed),
            _ => Ok(date),
        };
    }
    let this_century = century(today).saturating_add(year);
    // A year in the running century that lies after today was meant in the last one; the first
    // day that exists and is not in the future wins.
    [this_century, this_century.saturating_sub(100)]
        .into_iter()
        .filter_map(|full| CalendarDate::new(full, month, day).ok())
        .find(|date| *date <= today)
        .ok_or(malformed)
}

/// The date that is known from elsewhere, if the zone has nothing against it: two fillers stand for
/// a part that the document leaves open.
fn known_birth_date(
    field: &[u8],
    known: CalendarDate,
    today: CalendarDate,
) -> Result<CalendarDate, MrzError> {
    let wanted = Zeroizing::new(six_digits(known));
    let pairs = field.chunks_exact(2).zip(wanted.chunks_exact(2));
    for (written, wanted) in pairs {
        match written {
            b"<<" => {}
            [b'0'..=b'9', b'0'..=b'9'] if written == wanted => {}
            [b'0'..=b'9', b'0'..=b'9'] => return Err(MrzError::OtherBirthDate),
            _ => return Err(MrzError::Date(Field::BirthDate)),
        }
    }
    if known <= today {
        Ok(known)
    } else {
        Err(MrzError::Date(Field::BirthDate))
    }
}

/// Year without its century, month and day.
pub(super) fn six_digits(date: CalendarDate) -> [u8; 6] {
    let year = u8::try_from(date.year() % 100).unwrap_or_default();
    let pair = |value: u8| [b'0' + value / 10, b'0' + value % 10];
    let ([a, b], [c, d], [e, f]) = (pair(year), pair(date.month()), pair(date.day()));
    [a, b, c, d, e, f]
}

pub(super) fn expiry(field: &[u8], today: CalendarDate) -> Result<CalendarDate, MrzError> {
    let (year, month, day) = pairs(field).ok_or(MrzError::Date(Field::Expiry))?;
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

fn pairs(field: &[u8]) -> Option<(u16, u8, u8)> {
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

fn fits(computed: Result<u8, BadCharacter>, digit: Option<&u8>) -> bool {
    computed.is_ok_and(|value| digit == Some(&(b'0' + value)))
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
