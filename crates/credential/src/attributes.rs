//! What a certificate says about a person, and which slot says it.

use bbs::Scalar;
use bbs::certificate::{DISCLOSABLE, KNOWN_SLOTS, KnownSlots, OPENED_SLOTS, octets_slot};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::jose::PublicKey;
use crate::web_number::WebNumber;

/// Value of every text slot that a document leaves empty.
/// Source: draft-bormann-jwp-modular-bbs, "Decoys".
const DECOY: &str = "JWP-BBS-DECOY";

/// A disclosable item, named as in OpenID Connect where that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// "1", or "2" for the second and every later registration of a person.
    Generation,
    /// Family name as in the machine-readable zone.
    FamilyName,
    /// Given names as in the machine-readable zone.
    GivenName,
    /// Date of birth.
    Birthdate,
    /// `M`, `F` or `X`.
    Sex,
    /// ISO 3166 alpha-3.
    Nationality,
    /// `P` for passports.
    DocumentClass,
    /// Document number.
    DocumentNumber,
    /// How the person was enrolled.
    AssuranceLevel,
    /// Whether a guardian holds the certificate.
    Guardianship,
    /// Place of birth.
    PlaceOfBirth,
}

impl Item {
    /// All items in slot order.
    pub const ALL: [Item; 11] = [
        Item::Generation,
        Item::FamilyName,
        Item::GivenName,
        Item::Birthdate,
        Item::Sex,
        Item::Nationality,
        Item::DocumentClass,
        Item::DocumentNumber,
        Item::AssuranceLevel,
        Item::Guardianship,
        Item::PlaceOfBirth,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Item::Generation => "generation",
            Item::FamilyName => "family_name",
            Item::GivenName => "given_name",
            Item::Birthdate => "birthdate",
            Item::Sex => "sex",
            Item::Nationality => "nationality",
            Item::DocumentClass => "document_class",
            Item::DocumentNumber => "document_number",
            Item::AssuranceLevel => "assurance_level",
            Item::Guardianship => "guardianship",
            Item::PlaceOfBirth => "place_of_birth",
        }
    }

    /// The item of a name on the wire.
    #[must_use]
    pub fn parse(name: &str) -> Option<Item> {
        Item::ALL.into_iter().find(|item| item.as_str() == name)
    }

    /// The absolute index of its slot.
    #[must_use]
    pub fn slot(self) -> usize {
        DISCLOSABLE.start() + self as usize
    }
}

/// A set of items in slot order; it always holds [`Item::Generation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSet(Vec<Item>);

impl ItemSet {
    /// The set of these items and the generation.
    #[must_use]
    pub fn new(items: impl IntoIterator<Item = Item>) -> ItemSet {
        let mut all: Vec<Item> = items.into_iter().chain([Item::Generation]).collect();
        all.sort_unstable();
        all.dedup();
        ItemSet(all)
    }

    /// The items in slot order.
    pub fn iter(&self) -> impl Iterator<Item = Item> + '_ {
        self.0.iter().copied()
    }

    /// Whether `item` is in the set.
    #[must_use]
    pub fn contains(&self, item: Item) -> bool {
        self.0.contains(&item)
    }

    /// The absolute indexes of their slots, ascending.
    #[must_use]
    pub fn slots(&self) -> Vec<usize> {
        self.iter().map(Item::slot).collect()
    }
}

/// The registration of a person that a certificate belongs to, capped at "2 or more".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// The first registration.
    First,
    /// The second or a later one.
    Later,
}

impl Generation {
    /// The capped generation of a register row's count, which begins with 1.
    #[must_use]
    pub fn of(count: u32) -> Generation {
        if count <= 1 {
            Generation::First
        } else {
            Generation::Later
        }
    }

    /// The slot value, `1` or `2`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Generation::First => "1",
            Generation::Later => "2",
        }
    }

    /// The generation of a slot value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Generation> {
        [Generation::First, Generation::Later]
            .into_iter()
            .find(|g| g.as_str() == text)
    }
}

/// A date of birth, a day from 1900-01-01 to 2079-06-06.
///
/// The slot holds the day number itself, so that ages can be proved over it.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct BirthDate(u16);

/// No date of birth of this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date of birth from 1900-01-01 on")]
pub struct BadBirthDate;

impl BirthDate {
    /// The date of a year, month (1 to 12) and day (1 to 31) of the Gregorian calendar.
    ///
    /// # Errors
    ///
    /// [`BadBirthDate`] when there is no such day in the range.
    pub fn new(year: u16, month: u8, day: u8) -> Result<BirthDate, BadBirthDate> {
        let date = time::Month::try_from(month)
            .ok()
            .and_then(|month| time::Date::from_calendar_date(i32::from(year), month, day).ok())
            .ok_or(BadBirthDate)?;
        BirthDate::of_date(date)
    }

    pub(crate) fn of_date(date: time::Date) -> Result<BirthDate, BadBirthDate> {
        u16::try_from((date - ORIGIN_DAY).whole_days())
            .map(BirthDate)
            .map_err(|_| BadBirthDate)
    }

    /// Days since 1900-01-01.
    #[must_use]
    pub fn day_number(self) -> u16 {
        self.0
    }

    /// The date of a day number.
    #[must_use]
    pub fn of_day_number(number: u16) -> BirthDate {
        BirthDate(number)
    }

    /// `YYYY-MM-DD`.
    #[must_use]
    pub fn to_iso(self) -> Zeroizing<String> {
        let date = ORIGIN_DAY + time::Duration::days(i64::from(self.0));
        Zeroizing::new(format!(
            "{:04}-{:02}-{:02}",
            date.year(),
            u8::from(date.month()),
            date.day()
        ))
    }

    /// The date of `YYYY-MM-DD`.
    ///
    /// # Errors
    ///
    /// [`BadBirthDate`] for anything else.
    pub fn parse_iso(text: &str) -> Result<BirthDate, BadBirthDate> {
        let mut parts = text.split('-');
        let mut next = |len: usize| {
            parts
                .next()
                .filter(|part| part.len() == len && part.bytes().all(|c| c.is_ascii_digit()))
                .ok_or(BadBirthDate)
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        if parts.next().is_some() {
            return Err(BadBirthDate);
        }
        let number = |part: &str| part.parse::<u16>().map_err(|_| BadBirthDate);
        let small = |part: &str| part.parse::<u8>().map_err(|_| BadBirthDate);
        BirthDate::new(number(year)?, small(month)?, small(day)?)
    }
}

const ORIGIN_DAY: time::Date = time::macros::date!(1900 - 01 - 01);

/// A person's attributes as the evidence gives them; `None` where it has none.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the items of the same names describe them")]
pub struct Attributes {
    pub family_name: String,
    pub given_name: String,
    #[serde(with = "iso_date")]
    pub birthdate: BirthDate,
    pub sex: String,
    pub nationality: String,
    pub document_class: String,
    pub document_number: String,
    pub assurance_level: String,
    pub guardianship: Option<String>,
    pub place_of_birth: Option<String>,
}

impl Attributes {
    /// Whether every text is of its item's closed form, so that none can carry a mark of its
    /// holder: sex `M`, `F` or `X`, three letters, machine-readable-zone characters, known levels; a
    /// family name also in Chinese characters, which holds the whole name then.
    #[must_use]
    pub fn are_well_formed(&self) -> bool {
        let zone = |text: &str, max: usize| {
            let known = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || b" '-".contains(&c);
            text.len() <= max && text.bytes().all(known) && text.trim() == text
        };
        let optional = |text: &Option<String>, max: usize| {
            text.as_deref()
                .is_none_or(|text| !text.is_empty() && zone(text, max))
        };
        let letters = |text: &str| text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase());
        let chinese = is_chinese_name(&self.family_name) && self.given_name.is_empty();
        (chinese || zone(&self.family_name, 60) && zone(&self.given_name, 60))
            && matches!(self.sex.as_str(), "M" | "F" | "X")
            && letters(&self.nationality)
            && matches!(self.document_class.as_str(), "P" | "I")
            && zone(&self.document_number, 40)
            && !self.document_number.is_empty()
            && matches!(self.assurance_level.as_str(), "substantial" | "low")
            && self.guardianship.is_none()
            && optional(&self.place_of_birth, 60)
    }
}

/// One to 30 Chinese characters, with a dot (`·`) between the parts of a longer name. Compatibility
/// characters and private ones are none: another character would look the same.
fn is_chinese_name(text: &str) -> bool {
    let character = |c: char| {
        matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{20000}'..='\u{2EBEF}'
            | '\u{30000}'..='\u{323AF}')
    };
    let mut parts = text.split('·');
    text.chars().count() <= 30 && parts.all(|part| !part.is_empty() && part.chars().all(character))
}

mod iso_date {
    use super::BirthDate;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(date: &BirthDate, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&date.to_iso())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BirthDate, D::Error> {
        let text = zeroize::Zeroizing::new(String::deserialize(from)?);
        BirthDate::parse_iso(&text).map_err(D::Error::custom)
    }
}

/// All that the known slots of a certificate are made of.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedSlots {
    /// The person's attributes.
    pub attributes: Attributes,
    /// The register's name for the person.
    pub web_number: WebNumber,
    /// The capped generation.
    pub generation: Generation,
    /// The key of the device that the certificate is bound to.
    pub device_key: PublicKey,
}

impl IssuedSlots {
    /// The octets that stand for `item` in a presentation.
    #[must_use]
    pub fn payload(&self, item: Item) -> Zeroizing<Vec<u8>> {
        let a = &self.attributes;
        let text = match item {
            Item::Generation => self.generation.as_str(),
            Item::FamilyName => &a.family_name,
            Item::GivenName => &a.given_name,
            Item::Birthdate => {
                return Zeroizing::new(a.birthdate.day_number().to_string().into_bytes());
            }
            Item::Sex => &a.sex,
            Item::Nationality => &a.nationality,
            Item::DocumentClass => &a.document_class,
            Item::DocumentNumber => &a.document_number,
            Item::AssuranceLevel => &a.assurance_level,
            Item::Guardianship => a.guardianship.as_deref().unwrap_or(DECOY),
            Item::PlaceOfBirth => a.place_of_birth.as_deref().unwrap_or(DECOY),
        };
        // A payload must not be empty: on the wire that means "not disclosed".
        let text = if text.is_empty() { DECOY } else { text };
        Zeroizing::new(text.as_bytes().to_vec())
    }

    /// The values of slots 1 to 16.
    #[must_use]
    pub fn known_slots(&self) -> KnownSlots {
        let mut values = [Scalar::default(); KNOWN_SLOTS];
        let items = Item::ALL
            .into_iter()
            .filter_map(|item| slot_value(item, &self.payload(item)));
        let all = limbs(&self.device_key)
            .into_iter()
            .chain([octets_slot(self.web_number.as_str().as_bytes())])
            .chain(items);
        for (value, computed) in values.iter_mut().zip(all) {
            *value = computed;
        }
        let slots = KnownSlots::new(&values);
        values.zeroize();
        slots
    }
}

/// The values of slots 1 to 6, which a renewal opens to the issuer.
#[must_use]
pub fn opened_slots(
    device_key: &PublicKey,
    web_number: &WebNumber,
    generation: Generation,
) -> [Scalar; OPENED_SLOTS] {
    let [x_low, x_high, y_low, y_high] = limbs(device_key);
    let web_number = octets_slot(web_number.as_str().as_bytes());
    let generation = octets_slot(generation.as_str().as_bytes());
    [x_low, x_high, y_low, y_high, web_number, generation]
}

/// The scalar of an item's payload; `None` when it is not of the item's form.
#[must_use]
pub fn slot_value(item: Item, payload: &[u8]) -> Option<Scalar> {
    if item != Item::Birthdate {
        return Some(octets_slot(payload));
    }
    let text = std::str::from_utf8(payload).ok()?;
    let number: u16 = text.parse().ok()?;
    // One spelling per number, otherwise a payload could differ between two people of one birthday.
    (number.to_string() == text).then(|| Scalar::from_u128(u128::from(number)))
}

/// What a site is told of an item's payload; `None` when it is not of the item's form.
#[must_use]
pub fn item_text(item: Item, payload: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(payload).ok()?;
    if item == Item::Birthdate {
        return text
            .parse()
            .ok()
            .map(|number| BirthDate::of_day_number(number).to_iso());
    }
    Some(Zeroizing::new(if text == DECOY {
        String::new()
    } else {
        text.to_owned()
    }))
}

/// The device key as four limbs of 128 bits: x then y, the low limb of each first.
/// Source: draft-bormann-jwp-modular-bbs, "Device Binding Header" (`ecdsa-p256-db`).
fn limbs(key: &PublicKey) -> [Scalar; 4] {
    let sec1 = key.sec1();
    let limb = |i: usize| {
        let bytes = sec1
            .get(1 + 16 * i..17 + 16 * i)
            .and_then(|b| b.try_into().ok());
        Scalar::from_u128(u128::from_be_bytes(bytes.unwrap_or_default()))
    };
    [limb(1), limb(0), limb(3), limb(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_fill_the_disclosable_slots_in_order() {
        let slots: Vec<_> = Item::ALL.into_iter().map(Item::slot).collect();
        assert_eq!(slots, DISCLOSABLE.collect::<Vec<_>>());
        for item in Item::ALL {
            assert_eq!(Item::parse(item.as_str()), Some(item));
            assert_eq!(
                serde_json::to_string(&item).unwrap(),
                format!("\"{}\"", item.as_str())
            );
        }
        assert_eq!(Item::parse("web_number"), None);
    }

    #[test]
    fn a_date_of_birth_survives_both_its_forms() {
        for text in ["1900-01-01", "1999-12-31", "2000-02-29", "2026-11-21"] {
            let date = BirthDate::parse_iso(text).unwrap();
            assert_eq!(date.to_iso().as_str(), text);
            assert!(BirthDate::of_day_number(date.day_number()) == date);
        }
        for text in [
            "1899-12-31",
            "2001-02-29",
            "2000-13-01",
            "2000-1-01",
            "20000101",
            "",
            "2000-01-01-",
        ] {
            assert!(BirthDate::parse_iso(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_number_has_one_spelling() {
        assert!(slot_value(Item::Birthdate, b"123").is_some());
        for payload in [b"0123".as_slice(), b"+123", b"65536", b"", b"12a"] {
            assert!(slot_value(Item::Birthdate, payload).is_none());
        }
    }
}
