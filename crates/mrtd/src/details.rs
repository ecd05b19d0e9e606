//! What data groups 11 and 12 have in common: a list of tags, then texts and dates in elements.
//!
//! Documents differ from the standard here more than anywhere: texts in ISO 8859-1 instead of UTF-8,
//! dates in four octets instead of eight digits (Malaysia, Spain, Taiwan), names outside their
//! template (China), lists of tags that name the template (Belarus) or are missing. The list is not
//! looked at: what is in the group is in the group.

use core::fmt;

use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::time::CalendarDate;
use crate::tlv::{self, Element, TlvError};

/// A name as a document writes it in full, in any script. Wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct WrittenName {
    /// The primary identifier, mostly the family name; words with one space between them.
    pub primary: String,
    /// The secondary identifier; empty where the name has no two parts.
    pub secondary: String,
}

impl fmt::Debug for WrittenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrittenName(..)")
    }
}

/// Why a data group 11 or 12 is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DetailsError {
    /// The frame is broken.
    #[error("malformed data group")]
    Frame(#[from] TlvError),
    /// More than 1 MiB, or more than 99 names.
    #[error("the data group is too large")]
    TooLarge,
    /// An element that can stand once stands there again, so that readers may take either.
    #[error("element {0:X} stands there twice")]
    Repeated(u32),
    /// A date is no day of the calendar, or a time none of the day.
    #[error("element {0:X} is no date")]
    Date(u32),
}

/// The elements of a group.
pub(crate) struct Details<'a> {
    elements: Vec<Element<'a>>,
}

impl<'a> Details<'a> {
    pub(crate) fn parse(file: &'a [u8], tag: u32) -> Result<Details<'a>, DetailsError> {
        if file.len() > GROUP_MAX_LEN {
            return Err(DetailsError::TooLarge);
        }
        let elements = tlv::single(file, tag)?.inside().all()?;
        Ok(Details { elements })
    }

    fn value(&self, tag: u32) -> Result<Option<&'a [u8]>, DetailsError> {
        let mut found = self.elements.iter().filter(|element| element.tag == tag);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(DetailsError::Repeated(tag)),
            (first, _) => Ok(first.map(|element| element.value)),
        }
    }

    /// The octets of an element, unless it is empty.
    pub(crate) fn octets(&self, tag: u32) -> Result<Option<Vec<u8>>, DetailsError> {
        let value = self.value(tag)?.filter(|value| !value.is_empty());
        Ok(value.map(<[u8]>::to_vec))
    }

    /// A text of one line, with spaces where fillers are.
    pub(crate) fn line(&self, tag: u32) -> Result<Option<String>, DetailsError> {
        let line = self.value(tag)?.map(|value| words(&text(value)));
        Ok(line.filter(|line| !line.is_empty()))
    }

    /// The parts of a text between fillers, without those that are empty.
    pub(crate) fn parts(&self, tag: u32) -> Result<Vec<String>, DetailsError> {
        let text = text(self.value(tag)?.unwrap_or_default());
        let parts = text.split('<').map(words).filter(|part| !part.is_empty());
        Ok(parts.collect())
    }

    pub(crate) fn name(&self, tag: u32) -> Result<Option<WrittenName>, DetailsError> {
        Ok(self.value(tag)?.and_then(name))
    }

    /// Names in the template for several, or without it.
    pub(crate) fn names(&self, tag: u32) -> Result<Vec<WrittenName>, DetailsError> {
        let mut found = Vec::new();
        for element in &self.elements {
            if element.tag == tag {
                found.push(*element);
            } else if element.tag == TEMPLATE {
                let inside = element.inside().all()?;
                found.extend(inside.into_iter().filter(|element| element.tag == tag));
            }
        }
        if found.len() > usize::from(NAMES_MAX) {
            return Err(DetailsError::TooLarge);
        }
        let names = found.iter().filter_map(|element| name(element.value));
        Ok(names.collect())
    }

    /// A day in eight digits, or in four octets of two each. `None` also where any of year, month
    /// and day is unknown.
    pub(crate) fn date(&self, tag: u32) -> Result<Option<CalendarDate>, DetailsError> {
        let Some(digits) = self.digits(tag, 8)? else {
            return Ok(None);
        };
        date(&digits).map_err(|_| DetailsError::Date(tag))
    }

    /// As many digits, two to an octet where there are half as many octets; `None` also where a
    /// filler stands for any of them. No month in half octets is one in letters or digits.
    pub(crate) fn digits(
        &self,
        tag: u32,
        count: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, DetailsError> {
        let value = self.value(tag)?.unwrap_or_default();
        let filler = |octet: &u8| FILLERS.contains(octet);
        let written = |octet: &u8| octet.is_ascii_digit() || filler(octet);
        if value.is_empty() || value.iter().any(filler) && value.iter().all(written) {
            return Ok(None);
        }
        let mut digits = Zeroizing::new(Vec::with_capacity(count));
        if value.len().saturating_mul(2) == count {
            digits.extend(value.iter().flat_map(|pair| [pair >> 4, pair & 0x0F]));
        } else {
            digits.extend(value.iter().map(|octet| octet.wrapping_sub(b'0')));
        }
        if digits.len() != count || digits.iter().any(|digit| *digit > 9) {
            return Err(DetailsError::Date(tag));
        }
        Ok(Some(digits))
    }
}

/// No day; the caller knows in which element.
pub(crate) struct NoDate;

/// The day of eight digits; `None` where year, month or day is zero.
pub(crate) fn date(digits: &[u8]) -> Result<Option<CalendarDate>, NoDate> {
    let &[a, b, c, d, e, f, g, h] = digits else {
        return Err(NoDate);
    };
    let year = number(&[a, b, c, d]);
    let (month, day) = (number(&[e, f]), number(&[g, h]));
    if year == 0 || month == 0 || day == 0 {
        return Ok(None);
    }
    let small = |value: u16| u8::try_from(value).map_err(|_| NoDate);
    let date = CalendarDate::new(year, small(month)?, small(day)?);
    date.map(Some).map_err(|_| NoDate)
}

/// The number of at most four digits.
pub(crate) fn number(digits: &[u8]) -> u16 {
    let add = |sum: u16, digit: &u8| sum.saturating_mul(10).saturating_add(u16::from(*digit));
    digits.iter().take(4).fold(0, add)
}

/// UTF-8, as the standard has it, or else ISO 8859-1.
fn text(value: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(value.len().saturating_mul(2)));
    match core::str::from_utf8(value) {
        Ok(utf8) => text.push_str(utf8),
        Err(_) => text.extend(value.iter().copied().map(char::from)),
    }
    text
}

/// The text with one space for every run of fillers, spaces and control characters.
fn words(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let gap = |letter: char| letter == '<' || letter.is_whitespace() || letter.is_control();
    for word in text.split(gap).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// `None` for one without letters.
fn name(value: &[u8]) -> Option<WrittenName> {
    let text = text(value);
    let text = text.trim_start_matches('<');
    let (primary, secondary) = text.split_once("<<").unwrap_or((text, ""));
    let name = WrittenName {
        primary: words(primary),
        secondary: words(secondary),
    };
    (!name.primary.is_empty()).then_some(name)
}

/// Writes a group: the list of tags, then the elements.
#[derive(Default)]
pub(crate) struct Composer {
    tags: Vec<u8>,
    elements: Zeroizing<Vec<u8>>,
}

impl Composer {
    pub(crate) fn octets(&mut self, tag: u32, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.listed(tag);
            self.element(tag, value);
        }
    }

    /// A text, with a filler for each space where the standard has them.
    pub(crate) fn text(&mut self, tag: u32, text: Option<&str>) {
        self.octets(tag, text.map(str::as_bytes));
    }

    pub(crate) fn parts(&mut self, tag: u32, parts: &[String]) {
        let joined = Zeroizing::new(parts.join("<"));
        self.text(tag, Some(joined.as_str()).filter(|text| !text.is_empty()));
    }

    pub(crate) fn date(&mut self, tag: u32, date: Option<CalendarDate>) {
        let digits = date.map(eight_digits);
        self.text(tag, digits.as_ref().map(|digits| digits.as_str()));
    }

    pub(crate) fn name(&mut self, tag: u32, name: Option<&WrittenName>) {
        let written = name.map(written);
        self.text(tag, written.as_ref().map(|name| name.as_str()));
    }

    /// At most 99 names, in their template.
    pub(crate) fn names(&mut self, tag: u32, names: &[WrittenName]) {
        let count = u8::try_from(names.len())
            .unwrap_or(NAMES_MAX)
            .min(NAMES_MAX);
        if count == 0 {
            return;
        }
        let mut inside = Zeroizing::new(tlv::element(COUNT, &[&[count]]));
        for name in names.iter().take(usize::from(count)) {
            let element = Zeroizing::new(tlv::element(tag, &[written(name).as_bytes()]));
            inside.extend_from_slice(&element);
        }
        self.listed(tag);
        self.element(TEMPLATE, &inside);
    }

    pub(crate) fn file(self, tag: u32) -> Zeroizing<Vec<u8>> {
        let list = tlv::element(TAG_LIST, &[&self.tags]);
        Zeroizing::new(tlv::element(tag, &[&list, &self.elements]))
    }

    fn listed(&mut self, tag: u32) {
        let octets = tag.to_be_bytes();
        self.tags
            .extend(octets.into_iter().skip_while(|octet| *octet == 0));
    }

    fn element(&mut self, tag: u32, value: &[u8]) {
        let element = Zeroizing::new(tlv::element(tag, &[value]));
        self.elements.extend_from_slice(&element);
    }
}

pub(crate) fn eight_digits(date: CalendarDate) -> Zeroizing<String> {
    let (year, month, day) = (date.year(), date.month(), date.day());
    Zeroizing::new(format!("{year:04}{month:02}{day:02}"))
}

fn written(name: &WrittenName) -> Zeroizing<String> {
    let fillers = |text: &str| Zeroizing::new(text.replace(' ', "<"));
    let mut written = fillers(&name.primary);
    if !name.secondary.is_empty() {
        written.push_str("<<");
        written.push_str(&fillers(&name.secondary));
    }
    written
}

/// The largest data group that is read.
pub(crate) const GROUP_MAX_LEN: usize = 1 << 20;

/// What stands for a digit that is unknown.
const FILLERS: &[u8] = b"< ";

// Source: ICAO Doc 9303-10, 8th edition, §4.7.11 and §4.7.12.
const TAG_LIST: u32 = 0x5C;
const TEMPLATE: u32 = 0xA0;
const COUNT: u32 = 0x02;
const NAMES_MAX: u8 = 99;
