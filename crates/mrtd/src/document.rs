//! A document: its files, and what they say once they are known to be the state's.

use core::fmt;

use zeroize::Zeroizing;

use crate::details::GROUP_MAX_LEN;
use crate::dg1::parse_dg1_of;
use crate::dg2::{DG2_MAX_LEN, Dg2Error, Portrait};
use crate::dg7::parse_dg7;
use crate::dg11::{PersonalDetails, parse_dg11};
use crate::dg12::{DocumentDetails, parse_dg12};
use crate::image::EncodedImage;
use crate::mrz::Mrz;
use crate::passive::{PassiveAuthError, VerifiedSecurityObject};
use crate::sod::SecurityObject;
use crate::state::CountryCode;
use crate::time::{CalendarDate, UnixTime};
use crate::trust::TrustStore;

/// The files of a passport's chip, as they were read.
#[derive(Clone, Copy)]
pub struct DocumentFiles<'a> {
    /// EF.DG1, the machine-readable zone.
    pub dg1: &'a [u8],
    /// EF.DG2, the portrait, if it was read; at most 1 MiB.
    pub dg2: Option<&'a [u8]>,
    /// Others by number, each once, at most 1 MiB: 7, 11 and 12, which are read, and 14 and 15,
    /// which are kept as they are. Fingers (3) and eyes (4) are none of ours.
    pub others: &'a [(u8, &'a [u8])],
    /// EF.SOD, the security object; at most 64 KiB.
    pub sod: &'a [u8],
}

impl DocumentFiles<'_> {
    /// Verifies the security object up to an authority in `trust`, the hash of every file given,
    /// and that the state in the machine-readable zone is the one that signed.
    ///
    /// Where data group 11 gives the whole birth date, it must be the zone's, and stands for what
    /// the zone leaves out: its century, and a day, month or year that is unknown there. Names are
    /// not compared: the two groups write them in different letters.
    ///
    /// Whether the document has expired is not looked at: that is the caller's rule, from
    /// [`Mrz::expiry`].
    ///
    /// Source: ICAO Doc 9303-11, 8th edition, §5.1.
    ///
    /// # Errors
    ///
    /// [`PassiveAuthError`], at the first check that fails.
    pub fn authenticate(
        &self,
        trust: &TrustStore,
        now: UnixTime,
    ) -> Result<VerifiedDocument, PassiveAuthError> {
        let verified = SecurityObject::parse(self.sod)?.verify(trust, now)?;
        verified.check_group(1, self.dg1)?;
        let portrait = match self.dg2 {
            Some(file) if file.len() > DG2_MAX_LEN => return Err(Dg2Error::TooLarge.into()),
            Some(file) => {
                verified.check_group(2, file)?;
                Some(Portrait::parse_dg2(file)?)
            }
            None => None,
        };
        let others = self.others(&verified)?;
        let today = CalendarDate::from_unix(now).map_err(|_| PassiveAuthError::Clock)?;
        let born = others.personal.as_ref().and_then(|of| of.birth_date);
        let mrz = parse_dg1_of(self.dg1, today, born)?;
        if mrz.issuing_state().country() != Some(verified.signer_country()) {
            return Err(PassiveAuthError::OtherState);
        }
        Ok(VerifiedDocument {
            mrz,
            portrait,
            others,
            verified,
        })
    }

    fn others(&self, verified: &VerifiedSecurityObject) -> Result<Others, PassiveAuthError> {
        let mut others = Others::default();
        let mut seen = Vec::with_capacity(self.others.len());
        for (group, file) in self.others {
            if seen.contains(group) {
                return Err(PassiveAuthError::GroupGivenTwice(*group));
            }
            seen.push(*group);
            if file.len() > GROUP_MAX_LEN {
                return Err(PassiveAuthError::GroupTooLarge(*group));
            }
            // The hash comes first: what nobody has signed is not even read.
            verified.check_group(*group, file)?;
            match group {
                7 => others.signatures = parse_dg7(file)?,
                11 => others.personal = Some(parse_dg11(file).map_err(PassiveAuthError::Dg11)?),
                12 => others.document = Some(parse_dg12(file).map_err(PassiveAuthError::Dg12)?),
                14 | 15 => others.raw.push((*group, Zeroizing::new(file.to_vec()))),
                _ => return Err(PassiveAuthError::GroupNotRead(*group)),
            }
        }
        Ok(others)
    }
}

/// What the groups beside zone and portrait say.
#[derive(Default)]
struct Others {
    signatures: Vec<EncodedImage>,
    personal: Option<PersonalDetails>,
    document: Option<DocumentDetails>,
    raw: Vec<(u8, Zeroizing<Vec<u8>>)>,
}

/// A document whose data passed passive authentication. Only
/// [`DocumentFiles::authenticate`] makes one.
pub struct VerifiedDocument {
    mrz: Mrz,
    portrait: Option<Portrait>,
    others: Others,
    verified: VerifiedSecurityObject,
}

impl VerifiedDocument {
    /// The machine-readable zone.
    #[must_use]
    pub fn mrz(&self) -> &Mrz {
        &self.mrz
    }

    /// The portrait, if EF.DG2 was given.
    #[must_use]
    pub fn portrait(&self) -> Option<&Portrait> {
        self.portrait.as_ref()
    }

    /// The holder's signature as the document shows it; empty unless EF.DG7 was given.
    #[must_use]
    pub fn signatures(&self) -> &[EncodedImage] {
        &self.others.signatures
    }

    /// More about the holder, if EF.DG11 was given.
    #[must_use]
    pub fn personal_details(&self) -> Option<&PersonalDetails> {
        self.others.personal.as_ref()
    }

    /// More about the document, if EF.DG12 was given.
    #[must_use]
    pub fn document_details(&self) -> Option<&DocumentDetails> {
        self.others.document.as_ref()
    }

    /// The file of data group 14 or 15, if it was given.
    #[must_use]
    pub fn group(&self, number: u8) -> Option<&[u8]> {
        let mut raw = self.others.raw.iter();
        let (_, file) = raw.find(|(group, _)| *group == number)?;
        Some(file)
    }

    /// The same without what the groups beside zone and portrait say, which is wiped.
    #[must_use]
    pub fn without_details(mut self) -> VerifiedDocument {
        self.others = Others::default();
        self
    }

    /// The state that signed, which is the one that the zone names.
    #[must_use]
    pub fn signer_country(&self) -> CountryCode {
        self.verified.signer_country()
    }

    /// What is known of its signature and of its signer.
    #[must_use]
    pub fn security_object(&self) -> &VerifiedSecurityObject {
        &self.verified
    }
}

impl fmt::Debug for VerifiedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedDocument(..)")
    }
}

#[cfg(test)]
mod tests;
