//! Writing a zone, for specimens.

use zeroize::Zeroizing;

use super::field::{BadCharacter, at, check_digit, composite, six_digits};
use super::layout::Span;
use super::{Field, Format, Mrz, MrzError, Sex};
use crate::state::StateCode;
use crate::time::CalendarDate;

/// The values of a zone, in ordinary spelling, for [`Mrz::compose`].
#[derive(Clone, Copy)]
pub struct MrzFields<'a> {
    /// One of the formats of ICAO Doc 9303.
    pub format: Format,
    /// The state that issues the document.
    pub issuing_state: StateCode,
    /// The primary identifier; Latin letters, spaces, hyphens and apostrophes.
    pub family_name: &'a str,
    /// The secondary identifier, likewise; empty for a person with one name. Both together with
    /// their two separators fit 30 (TD1), 31 (TD2) or 39 characters (TD3).
    pub given_names: &'a str,
    /// 1 to 9 capital letters and digits; on cards also more, as far as the optional data has room.
    pub document_number: &'a str,
    /// The holder's nationality.
    pub nationality: StateCode,
    /// The holder's birth date; the zone keeps two digits of the year.
    pub birth_date: CalendarDate,
    /// The holder's sex.
    pub sex: Sex,
    /// The last day of validity; the zone keeps two digits of the year.
    pub expiry: CalendarDate,
    /// Up to 14 (TD3), 11 (TD1) or 7 (TD2) capital letters and digits.
    pub personal_number: Option<&'a str>,
}

impl Mrz {
    /// Writes the zone of a passport or a card, all lines one after the other.
    ///
    /// Source: ICAO Doc 9303-4, -5 and -6, 8th edition, §4.2; transliteration of Latin letters from
    /// 9303-3 §6. Names that do not fit are refused, not truncated.
    ///
    /// # Errors
    ///
    /// [`MrzError::TooLong`], [`MrzError::Unwritable`] or [`MrzError::Empty`] for the field;
    /// [`MrzError::OtherDocument`] for a format of China.
    pub fn compose(fields: &MrzFields<'_>) -> Result<Zeroizing<Vec<u8>>, MrzError> {
        let layout = fields.format.layout();
        let (Some(state), Some(nationality)) = (layout.issuing_state, layout.nationality) else {
            return Err(MrzError::OtherDocument);
        };
        let mut zone = Zeroizing::new(vec![b'<'; layout.len]);
        let code = layout.codes.first().copied().unwrap_or(b'P');
        put(&mut zone, (0, 1), &[code], Field::IssuingState)?;
        let letters = fields.issuing_state.to_mrz();
        put(&mut zone, state, &letters, Field::IssuingState)?;
        let names = name_field(fields)?;
        put(&mut zone, layout.names, names.as_bytes(), Field::Name)?;
        let letters = fields.nationality.to_mrz();
        put(&mut zone, nationality, &letters, Field::Nationality)?;
        let birth = layout.birth;
        put(
            &mut zone,
            birth.field,
            &six_digits(fields.birth_date),
            Field::BirthDate,
        )?;
        let expiry = layout.expiry;
        put(
            &mut zone,
            expiry.field,
            &six_digits(fields.expiry),
            Field::Expiry,
        )?;
        let sex = u8::try_from(fields.sex.to_mrz()).map_err(|_| MrzError::Sex)?;
        put(
            &mut zone,
            (layout.sex, layout.sex + 1),
            &[sex],
            Field::Other,
        )?;
        number(&mut zone, fields)?;
        for checked in [birth, expiry] {
            let digit = check_digit(at(&zone, checked.field));
            set_digit(&mut zone, checked.digit, digit)?;
        }
        if let (Some(place), [span, ..]) = (layout.optional_digit, layout.optional) {
            let digit = check_digit(at(&zone, *span));
            set_digit(&mut zone, place, digit)?;
        }
        if let Some((place, spans)) = layout.composite {
            let digit = composite(&zone, spans);
            set_digit(&mut zone, place, digit)?;
        }
        Ok(zone)
    }
}

/// Document number and personal number. The end of a long document number goes before the optional
/// data, with its digit and a filler behind it.
fn number(zone: &mut [u8], fields: &MrzFields<'_>) -> Result<(), MrzError> {
    let layout = fields.format.layout();
    let (from, to) = layout.number.field;
    let text = plain(fields.document_number, Field::DocumentNumber)?;
    let (start, more) = text.split_at(text.len().min(to - from));
    put(zone, (from, to), start, Field::DocumentNumber)?;
    let mut free: Vec<Span> = layout.optional.to_vec();
    if more.is_empty() {
        let digit = check_digit(at(zone, (from, to)));
        set_digit(zone, layout.number.digit, digit)?;
    } else {
        let too_long = MrzError::TooLong(Field::DocumentNumber);
        let (first, last) = *free.first().ok_or(too_long)?;
        let end = first + more.len() + 1;
        if layout.optional_digit.is_some() || end >= last {
            return Err(too_long);
        }
        put(zone, (first, last), more, Field::DocumentNumber)?;
        set_digit(zone, end - 1, check_digit(text))?;
        free.remove(0);
    }
    let Some(personal) = fields.personal_number else {
        return Ok(());
    };
    let span = free.pop().ok_or(MrzError::TooLong(Field::OptionalData))?;
    let personal = plain(personal, Field::OptionalData)?;
    put(zone, span, personal, Field::OptionalData)
}

fn set_digit(
    zone: &mut [u8],
    place: usize,
    digit: Result<u8, BadCharacter>,
) -> Result<(), MrzError> {
    let digit = digit.map_err(|bad| MrzError::Character(bad.0))?;
    put(zone, (place, place + 1), &[b'0' + digit], Field::Composite)
}

fn put(zone: &mut [u8], (from, to): Span, text: &[u8], name: Field) -> Result<(), MrzError> {
    zone.get_mut(from..to)
        .and_then(|field| field.get_mut(..text.len()))
        .ok_or(MrzError::TooLong(name))?
        .copy_from_slice(text);
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

fn name_field(fields: &MrzFields<'_>) -> Result<Zeroizing<String>, MrzError> {
    let mut field = Zeroizing::new(String::with_capacity(2 * NAMES_MAX_LEN));
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
        if out.len() > NAMES_MAX_LEN {
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

/// Longer than the names of any format.
const NAMES_MAX_LEN: usize = 88;
