//! Data group 12: more about the document.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::details::{Composer, Details, DetailsError, WrittenName, date, eight_digits, number};
use crate::time::CalendarDate;

/// What a document says about itself beyond the machine-readable zone; every part may be missing.
/// Wiped when dropped, `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct DocumentDetails {
    /// Who issued it.
    pub issuing_authority: Option<String>,
    /// When; `None` also where a part of the date is unknown.
    pub issued: Option<CalendarDate>,
    /// Other persons it is for.
    pub other_persons: Vec<WrittenName>,
    /// Endorsements and observations.
    pub endorsements: Option<String>,
    /// What is required of tax and exit.
    pub tax_or_exit: Option<String>,
    /// An image of the front, as it stands there.
    pub front: Option<Vec<u8>>,
    /// An image of the rear, as it stands there.
    pub rear: Option<Vec<u8>>,
    /// When it was personalised.
    pub personalised: Option<WrittenTime>,
    /// The number of the machine that did it.
    pub personalised_by: Option<String>,
}

impl fmt::Debug for DocumentDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DocumentDetails(..)")
    }
}

/// A time as a document writes it, in a zone that it does not name.
#[derive(Clone, Copy, PartialEq, Eq, Zeroize)]
pub struct WrittenTime {
    /// The day.
    pub day: CalendarDate,
    /// Hour, minute and second: up to 23, 59 and 59.
    pub clock: [u8; 3],
}

impl fmt::Debug for WrittenTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrittenTime(..)")
    }
}

/// Reads EF.DG12, at most 1 MiB; elements that the standard does not know are left out.
///
/// This says nothing about whether the data is genuine; [`crate::DocumentFiles::authenticate`]
/// does.
///
/// Source: ICAO Doc 9303-10, 8th edition, §4.7.12.
///
/// # Errors
///
/// [`DetailsError`].
pub fn parse_dg12(file: &[u8]) -> Result<DocumentDetails, DetailsError> {
    let read = Details::parse(file, DG12_TAG)?;
    Ok(DocumentDetails {
        issuing_authority: read.line(ISSUING_AUTHORITY)?,
        issued: read.date(ISSUED)?,
        other_persons: read.names(OTHER_PERSON)?,
        endorsements: read.line(ENDORSEMENTS)?,
        tax_or_exit: read.line(TAX_OR_EXIT)?,
        front: read.octets(FRONT)?,
        rear: read.octets(REAR)?,
        personalised: personalised(&read)?,
        personalised_by: read.line(PERSONALISED_BY)?,
    })
}

/// Writes EF.DG12, for specimens; at most 99 other persons, and no text with a `<` in it.
#[must_use]
pub fn compose_dg12(details: &DocumentDetails) -> Zeroizing<Vec<u8>> {
    let mut group = Composer::default();
    group.text(ISSUING_AUTHORITY, details.issuing_authority.as_deref());
    group.date(ISSUED, details.issued);
    group.names(OTHER_PERSON, &details.other_persons);
    group.text(ENDORSEMENTS, details.endorsements.as_deref());
    group.text(TAX_OR_EXIT, details.tax_or_exit.as_deref());
    group.octets(FRONT, details.front.as_deref());
    group.octets(REAR, details.rear.as_deref());
    let time = details.personalised.map(|time| {
        let [hour, minute, second] = time.clock;
        let day = eight_digits(time.day);
        format!("{}{hour:02}{minute:02}{second:02}", day.as_str())
    });
    group.text(PERSONALISED, time.as_deref());
    group.text(PERSONALISED_BY, details.personalised_by.as_deref());
    group.file(DG12_TAG)
}

/// Fourteen digits, or seven octets of two each.
fn personalised(read: &Details<'_>) -> Result<Option<WrittenTime>, DetailsError> {
    let wrong = DetailsError::Date(PERSONALISED);
    let Some(digits) = read.digits(PERSONALISED, 14)? else {
        return Ok(None);
    };
    let (day, clock) = digits.split_at_checked(8).ok_or(wrong)?;
    let Some(day) = date(day).map_err(|_| wrong)? else {
        return Ok(None);
    };
    let mut time = WrittenTime { day, clock: [0; 3] };
    for ((part, digits), limit) in time.clock.iter_mut().zip(clock.chunks(2)).zip([23, 59, 59]) {
        let value = u8::try_from(number(digits)).map_err(|_| wrong)?;
        *part = Some(value).filter(|value| *value <= limit).ok_or(wrong)?;
    }
    Ok(Some(time))
}

// Source: ICAO Doc 9303-10, 8th edition, §4.7.12.
const DG12_TAG: u32 = 0x6C;
const ISSUING_AUTHORITY: u32 = 0x5F19;
const ISSUED: u32 = 0x5F26;
const OTHER_PERSON: u32 = 0x5F1A;
const ENDORSEMENTS: u32 = 0x5F1B;
const TAX_OR_EXIT: u32 = 0x5F1C;
const FRONT: u32 = 0x5F1D;
const REAR: u32 = 0x5F1E;
const PERSONALISED: u32 = 0x5F55;
const PERSONALISED_BY: u32 = 0x5F56;

#[cfg(test)]
mod tests;
