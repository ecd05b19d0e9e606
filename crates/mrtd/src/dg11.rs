//! Data group 11: more about the holder.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::details::{Composer, Details, DetailsError, WrittenName};
use crate::time::CalendarDate;

/// What a document says about its holder beyond the machine-readable zone; every part may be
/// missing. Wiped when dropped, `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct PersonalDetails {
    /// The name in full, in the letters of the state's language where it wants that.
    pub full_name: Option<WrittenName>,
    /// Other names, such as one before a marriage or in another script.
    pub other_names: Vec<WrittenName>,
    /// The state's number for the person.
    pub personal_number: Option<String>,
    /// The birth date with all digits of the year; `None` also where a part of it is unknown.
    pub birth_date: Option<CalendarDate>,
    /// Where the person was born, from the smaller to the larger.
    pub place_of_birth: Vec<String>,
    /// The parts of the address.
    pub address: Vec<String>,
    /// The telephone number.
    pub telephone: Option<String>,
    /// The profession.
    pub profession: Option<String>,
    /// A title.
    pub title: Option<String>,
    /// A summary, whatever the state writes there.
    pub summary: Option<String>,
    /// An image of a proof of citizenship, as it stands there.
    pub proof_of_citizenship: Option<Vec<u8>>,
    /// The numbers of other valid travel documents of the person.
    pub other_documents: Vec<String>,
    /// Who has custody of the person.
    pub custody: Option<String>,
}

impl fmt::Debug for PersonalDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalDetails(..)")
    }
}

/// Reads EF.DG11, at most 1 MiB; elements that the standard does not know are left out.
///
/// This says nothing about whether the data is genuine; [`crate::DocumentFiles::authenticate`]
/// does.
///
/// Source: ICAO Doc 9303-10, 8th edition, §4.7.11.
///
/// # Errors
///
/// [`DetailsError`].
pub fn parse_dg11(file: &[u8]) -> Result<PersonalDetails, DetailsError> {
    let read = Details::parse(file, DG11_TAG)?;
    Ok(PersonalDetails {
        full_name: read.name(FULL_NAME)?,
        other_names: read.names(OTHER_NAME)?,
        personal_number: read.line(PERSONAL_NUMBER)?,
        birth_date: read.date(BIRTH_DATE)?,
        place_of_birth: read.parts(PLACE_OF_BIRTH)?,
        address: read.parts(ADDRESS)?,
        telephone: read.line(TELEPHONE)?,
        profession: read.line(PROFESSION)?,
        title: read.line(TITLE)?,
        summary: read.line(SUMMARY)?,
        proof_of_citizenship: read.octets(PROOF_OF_CITIZENSHIP)?,
        other_documents: read.parts(OTHER_DOCUMENTS)?,
        custody: read.line(CUSTODY)?,
    })
}

/// Writes EF.DG11, for specimens; at most 99 other names, and no text with a `<` in it.
#[must_use]
pub fn compose_dg11(details: &PersonalDetails) -> Zeroizing<Vec<u8>> {
    let mut group = Composer::default();
    group.name(FULL_NAME, details.full_name.as_ref());
    group.names(OTHER_NAME, &details.other_names);
    group.text(PERSONAL_NUMBER, details.personal_number.as_deref());
    group.date(BIRTH_DATE, details.birth_date);
    group.parts(PLACE_OF_BIRTH, &details.place_of_birth);
    group.parts(ADDRESS, &details.address);
    group.text(TELEPHONE, details.telephone.as_deref());
    group.text(PROFESSION, details.profession.as_deref());
    group.text(TITLE, details.title.as_deref());
    group.text(SUMMARY, details.summary.as_deref());
    group.octets(
        PROOF_OF_CITIZENSHIP,
        details.proof_of_citizenship.as_deref(),
    );
    group.parts(OTHER_DOCUMENTS, &details.other_documents);
    group.text(CUSTODY, details.custody.as_deref());
    group.file(DG11_TAG)
}

// Source: ICAO Doc 9303-10, 8th edition, §4.7.11.
const DG11_TAG: u32 = 0x6B;
const FULL_NAME: u32 = 0x5F0E;
const OTHER_NAME: u32 = 0x5F0F;
const PERSONAL_NUMBER: u32 = 0x5F10;
const BIRTH_DATE: u32 = 0x5F2B;
const PLACE_OF_BIRTH: u32 = 0x5F11;
const ADDRESS: u32 = 0x5F42;
const TELEPHONE: u32 = 0x5F12;
const PROFESSION: u32 = 0x5F13;
const TITLE: u32 = 0x5F14;
const SUMMARY: u32 = 0x5F15;
const PROOF_OF_CITIZENSHIP: u32 = 0x5F16;
const OTHER_DOCUMENTS: u32 = 0x5F17;
const CUSTODY: u32 = 0x5F18;

#[cfg(test)]
mod tests;
