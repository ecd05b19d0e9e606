//! Rows for the table of the reference connector, as they are imported.

use mrtd::CalendarDate;
use serde::Deserialize;
use store::{CardState, LifeState, NewResident, ResidentRecord};
use zeroize::Zeroizing;

use super::{
    IsoDate, LastDay, NotAName, NumberError, NumberKind, PersonName, ResidentNumber, WrongBirth,
};

/// Why a row is not taken. Nothing of its content is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Not a JSON object with the columns as members.
    #[error("not a row of the table")]
    Form,
    /// Its number is none.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Its name is none.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// Its birth date is not the number's.
    #[error(transparent)]
    Birth(#[from] WrongBirth),
}

/// Reads one row: a JSON object.
///
/// Source: `docs/specs/authority.md`, "Reference connector".
///
/// # Errors
///
/// The variants of [`RowError`].
pub fn read_row(text: &str, today: CalendarDate) -> Result<NewResident, RowError> {
    let row: Row = serde_json::from_str(text).map_err(|_| RowError::Form)?;
    let number = ResidentNumber::parse(row.kind, &row.number, today)?;
    PersonName::parse(&row.name)?;
    if row
        .birth
        .is_some_and(|IsoDate(day)| !number.fits_birth(day))
    {
        return Err(RowError::Birth(WrongBirth));
    }
    let day = |day: IsoDate| Zeroizing::new(String::from(day));
    let card = match row.card_state {
        Some(CardText::Valid) => CardState::Valid,
        Some(CardText::Withdrawn) => CardState::Withdrawn,
        Some(CardText::Unknown) | None => CardState::Unknown,
    };
    let life = match row.person_state {
        Some(PersonText::Alive) => LifeState::Alive,
        Some(PersonText::Deceased) => LifeState::Deceased,
        Some(PersonText::Unknown) | None => LifeState::Unknown,
    };
    Ok(NewResident {
        kind: row.kind.as_str().to_owned(),
        number: Zeroizing::new(number.expose().to_owned()),
        record: ResidentRecord {
            name: row.name,
            birth: row.birth.map(day),
            valid_from: row.valid_from.map(day),
            valid_to: row.valid_to.map(|day| Zeroizing::new(day.into())),
            card,
            life,
        },
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: NumberKind,
    number: Zeroizing<String>,
    name: Zeroizing<String>,
    birth: Option<IsoDate>,
    valid_from: Option<IsoDate>,
    valid_to: Option<LastDay>,
    card_state: Option<CardText>,
    person_state: Option<PersonText>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum CardText {
    Valid,
    Withdrawn,
    Unknown,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PersonText {
    Alive,
    Deceased,
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(row: &serde_json::Value) -> Result<NewResident, RowError> {
        read_row(&row.to_string(), CalendarDate::new(2027, 1, 15).unwrap())
    }

    #[test]
    fn a_row_is_read_and_its_number_gets_its_one_form() {
        let row = serde_json::json!({
            "kind": "resident", "number": "110105491231002", "name": "测试甲",
            "birth": "1949-12-31", "valid_to": "unlimited", "card_state": "valid",
        });
        let read = read(&row).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.number.as_str(), "11010519491231002X");
        let record = read.record;
        assert_eq!(
            (record.card, record.life),
            (CardState::Valid, LifeState::Unknown)
        );
        assert!(record.valid_from.is_none());
    }

    #[test]
    fn rows_of_another_form_are_refused_with_nothing_of_their_content() {
        let good = serde_json::json!({
            "kind": "resident", "number": "11010519491231002X", "name": "测试甲",
        });
        let cases = [
            (
                "number",
                "110105194912310021",
                RowError::Number(NumberError::Check),
            ),
            ("name", "", RowError::Name(NotAName)),
            ("birth", "1949-12-30", RowError::Birth(WrongBirth)),
            ("birth", "yesterday", RowError::Form),
            ("colour", "red", RowError::Form),
            ("card_state", "expired", RowError::Form),
        ];
        for (member, value, error) in cases {
            let mut row = good.clone();
            row[member] = serde_json::json!(value);
            assert_eq!(read(&row).err(), Some(error), "{member}");
        }
    }
}
