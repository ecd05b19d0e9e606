//! People who do not exist, for those who need one quickly.

use super::passport::{SpecimenHolder, SpecimenPortrait};
use crate::mrz::{Format, Sex};
use crate::state::StateCode;
use crate::time::{CalendarDate, NoSuchDay};

/// The invented person number `number`, who always has the same names, dates and numbers.
///
/// The family name says that it is a specimen. Age is 20 to 69 years on `today`, and the
/// passport is valid for about five more years.
///
/// # Errors
///
/// [`NoSuchDay`] if `today` is before the year 100 or after the year 9990.
pub fn specimen_holder(number: u16, today: CalendarDate) -> Result<SpecimenHolder, NoSuchDay> {
    let mixed = u32::from(number).wrapping_mul(0x9E37_79B1);
    let [age, month, day, sex] = mixed.to_be_bytes();
    let birth_year = today
        .year()
        .checked_sub(21 + u16::from(age % 49))
        .ok_or(NoSuchDay)?;
    let given = GIVEN_NAMES
        .get(usize::from(number) % GIVEN_NAMES.len())
        .ok_or(NoSuchDay)?;
    let round = usize::from(number) / GIVEN_NAMES.len();
    Ok(SpecimenHolder {
        format: Format::Td3,
        family_name: format!("Specimen{}", letters(round)),
        given_names: (*given).to_owned(),
        birth_date: CalendarDate::new(birth_year, 1 + month % 12, 1 + day % 28)?,
        sex: match sex % 3 {
            0 => Sex::Female,
            1 => Sex::Male,
            _ => Sex::Unspecified,
        },
        nationality: StateCode::UTOPIA,
        document_number: format!("UT{number:07}"),
        personal_number: Some(format!("9{number:09}")),
        expiry: CalendarDate::new(today.year().saturating_add(5), today.month(), 28)?,
        portrait: SpecimenPortrait::Drawn(u64::from(number)),
    })
}

/// A suffix in letters, since a name has no digits: empty, then ` A`, ` B`, … ` Z`, ` BA`, ….
fn letters(round: usize) -> String {
    let Some(mut rest) = round.checked_sub(1) else {
        return String::new();
    };
    let mut reversed = String::new();
    loop {
        reversed.push(char::from(
            b'A' + u8::try_from(rest % 26).unwrap_or_default(),
        ));
        rest /= 26;
        if rest == 0 {
            break;
        }
    }
    core::iter::once(' ')
        .chain(reversed.chars().rev())
        .collect()
}

/// Invented, with the word that says so.
const GIVEN_NAMES: [&str; 12] = [
    "Alva Example",
    "Bero Example",
    "Cyla Example",
    "Dorvin Example",
    "Elmira Example",
    "Fenno Example",
    "Gisu Example",
    "Halvo Example",
    "Ilka Example",
    "Jorun Example",
    "Kesti Example",
    "Lumo Example",
];
