//! A document: its files, and what they say once they are known to be the state's.

use core::fmt;

use crate::dg1::parse_dg1;
use crate::dg2::{DG2_MAX_LEN, Dg2Error, Portrait};
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
    /// EF.SOD, the security object; at most 64 KiB.
    pub sod: &'a [u8],
}

impl DocumentFiles<'_> {
    /// Verifies the security object up to an authority in `trust`, the hash of every file given,
    /// and that the state in the machine-readable zone is the one that signed.
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
        let today = CalendarDate::from_unix(now).map_err(|_| PassiveAuthError::Clock)?;
        let mrz = parse_dg1(self.dg1, today)?;
        if mrz.issuing_state().country() != Some(verified.signer_country()) {
            return Err(PassiveAuthError::OtherState);
        }
        Ok(VerifiedDocument {
            mrz,
            portrait,
            verified,
        })
    }
}

/// A document whose data passed passive authentication. Only
/// [`DocumentFiles::authenticate`] makes one.
pub struct VerifiedDocument {
    mrz: Mrz,
    portrait: Option<Portrait>,
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
