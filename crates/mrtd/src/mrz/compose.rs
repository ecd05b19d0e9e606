//! Writing a zone, for specimens.

use zeroize::Zeroizing;

use super::field::{BadCharacter, check_digit, composite};
use super::{Field, LINE_LEN, Mrz, MrzError, Sex, ZONE_LEN};
use crate::state::StateCode;
use crate::time::CalendarDate;

/// The values of a passport's zone, in ordinary spelling, for [`Mrz::compose`].
#[derive(Clone, Copy)]
pub struct MrzFields<'a> {
    /// The state that issues the document.
    pub issuing_state: StateCode,
    /// The primary identifier; Latin letters, spaces, hyphens and apostrophes.
    pub family_name: &'a str,
    /// The secondary identifier, likewise; empty for a person with one name. Both together
    /// fit 39 characters with their two separators, or 39 without a secondary identifier.
    pub given_names: &'a str,
    /// 1 to 9 capital letters and digits.
    pub document_number: &'a str,
    /// The holder's nationality.
    pub nationality: StateCode,
    /// The holder's birth date; the zone keeps two digits of the year.
    pub birth_date: CalendarDate,
    /// The holder's sex.
    pub sex: Sex,
    /// The last day of validity; the zone keeps two digits of the year.
    pub expiry: CalendarDate,
    /// Up to 14 capital letters and digits.
    pub personal_number: Option<&'a str>,
}

impl Mrz {
    /// Writes the zone of a passport: 88 characters, both lines one after the other.
    ///
    /// Source: ICAO Doc 9303-4, 8th edition, §4.2; transliteration of Latin letters from
    /// 9303-3 §6. Names that do not fit are refused, not truncated.
    ///
    /// # Errors
    ///
    /// [`MrzError::TooLong`], [`MrzError::Unwritable`] or [`MrzError::Empty`] for the field.
    pub fn compose(fields: &MrzFields<'_>) -> Result<Zeroizing<[u8; ZONE_LEN]>, MrzError> {
        let mut wiped = Zeroizing::new([b'<'; ZONE_LEN]);
        let zone: &mut [u8; ZONE_LEN] = &mut wiped;
        zone[0] = b'P';
        zone[2..5].copy_from_slice(&fields.issuing_state.to_mrz());
        put(
            &mut zone[5..LINE_LEN],
            name_field(fields)?.as_bytes(),
            Field::Name,
        )?;
        let number = fields.document_number;
        put(
            &mut zone[44..53],
            plain(number, Field::DocumentNumber)?,
            Field::DocumentNumber,
        )?;
        zone[54..57].copy_from_slice(&fields.nationality.to_mrz());
        zone[57..63].copy_from_slice(&six_digits(fields.birth_date));
        zone[64] = u8::try_from(fields.sex.to_mrz()).map_err(|_| MrzError::Sex)?;
        zone[65..71].copy_from_slice(&six_digits(fields.expiry));
        if let Some(number) = fields.personal_number {
            put(
                &mut zone[72..86],
                plain(number, Field::PersonalNumber)?,
                Field::PersonalNumber,
            )?;
        }
        zone[53] = digit(check_digit(&zone[44..53]))?;
        zone[63] = digit(check_digit(&zone[57..63]))?;
        zone[71] = digit(check_digit(&zone[65..71]))?;
        zone[86] = digit(check_digit(&zone[72..86]))?;
        zone[87] = digit(composite(zone))?;
        Ok(wiped)
    }
}

fn digit(computed: Result<u8, BadCharacter>) -> Result<u8, MrzError> {
    computed
        .map(|value| b'0' + value)
        .map_err(|bad| MrzError::Character(bad.0))
}

fn put(to: &mut [u8], from: &[u8], name: Field) -> Result<(), MrzError> {
    to.get_mut(..from.len())
        .ok_or(MrzError::TooLong(name))?
        .copy_from_slice(from);
    Ok(())
}

fn plain(text: &str, name: Field) -> Result<&[u8], MrzError> {
    if text.is_empty() {
        return Err(MrzError::Empty(name));
    }
    if text
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        Ok(text.as_bytes())
    } else {
        Err(MrzError::Unwritable(name))
    }
}

fn six_digits(date: CalendarDate) -> [u8; 6] {
    let year = u8::try_from(date.year() % 100).unwrap_or_default();
    let pair = |value: u8| [b'0' + value / 10, b'0' + value % 10];
    let ([a, b], [c, d], [e, f]) = (pair(year), pair(date.month()), pair(date.day()));
    [a, b, c, d, e, f]
}

fn name_field(fields: &MrzFields<'_>) -> Result<Zeroizing<String>, MrzError> {
    let mut field = Zeroizing::new(String::with_capacity(2 * ZONE_LEN));
    transliterate(fields.family_name, &mut field)?;
    if field.is_empty() {
        return Err(MrzError::Empty(Field::Name));
    }
    if !fields.given_names.is_empty() {
        field.push_str("<<");
        transliterate(fields.given_names, &mut field)?;
    }
    Ok(field)
}

/// Appends `name` in letters of the zone, one filler for each run of spaces and hyphens.
fn transliterate(name: &str, out: &mut String) -> Result<(), MrzError> {
    let start = out.len();
    let mut gap = false;
    for letter in name.chars() {
        match letter {
            ' ' | '-' => gap = out.len() > start,
            '\'' | '\u{2019}' => {}
            _ => {
                if core::mem::take(&mut gap) {
                    out.push('<');
                }
                let upper = letter.to_ascii_uppercase();
                if upper.is_ascii_uppercase() {
                    out.push(upper);
                } else {
                    out.push_str(latin(letter).ok_or(MrzError::Unwritable(Field::Name))?);
                }
            }
        }
        if out.len() > 2 * LINE_LEN {
            return Err(MrzError::TooLong(Field::Name));
        }
    }
    Ok(())
}

/// The letters of Latin-1. Source: ICAO Doc 9303-3, 8th edition, §6, table A.
fn latin(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À'..='Ã' | 'à'..='ã' => "A",
        'Ä' | 'ä' | 'Æ' | 'æ' => "AE",
        'Å' | 'å' => "AA",
        'Ç' | 'ç' => "C",
        'È'..='Ë' | 'è'..='ë' => "E",
        'Ì'..='Ï' | 'ì'..='ï' => "I",
        'Ð' | 'ð' => "D",
        'Ñ' | 'ñ' => "N",
        'Ò'..='Õ' | 'ò'..='õ' => "O",
        'Ö' | 'ö' | 'Ø' | 'ø' => "OE",
        'Ù'..='Û' | 'ù'..='û' => "U",
        'Ü' | 'ü' => "UE",
        'Ý' | 'ý' | 'ÿ' => "Y",
        'Þ' | 'þ' => "TH",
        'ß' => "SS",
        _ => return None,
    })
}
