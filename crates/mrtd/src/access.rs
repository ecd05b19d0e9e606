//! The password that opens a chip: it is printed on the document, so that nobody reads a chip
//! without having the document in hand.

use sha1::Sha1;
use sha2::Digest;
use zeroize::Zeroizing;

use crate::mrz::{Mrz, MrzError, check_digit};

/// The password of a chip, wiped when dropped.
pub struct AccessKey(Password);

enum Password {
    /// SHA-1 over the numbers of the machine-readable zone.
    Zone(Zeroizing<[u8; 20]>),
    /// Card access number.
    Number(Zeroizing<Vec<u8>>),
}

impl AccessKey {
    /// From the document number, the birth date and the date of expiry, as the machine-readable
    /// zone has them: capital letters, digits and `<`; dates of six digits. `None` where one has
    /// another character.
    ///
    /// Source: ICAO Doc 9303-11, 8th edition, §4.3.2 and §9.7.3.
    #[must_use]
    pub fn from_zone(number: &str, birth: &str, expiry: &str) -> Option<AccessKey> {
        let number = Zeroizing::new(format!("{number:<<9}")); // a longer one counts whole
        let mut information = Zeroizing::new(Vec::with_capacity(64));
        for field in [number.as_str(), birth, expiry] {
            information.extend_from_slice(field.as_bytes());
            information.push(b'0' + check_digit(field.as_bytes()).ok()?);
        }
        Some(AccessKey(Password::Zone(Zeroizing::new(
            Sha1::digest(&information).into(),
        ))))
    }

    /// From a machine-readable zone of two or three lines, as it is printed; small letters are taken
    /// for capitals.
    ///
    /// # Errors
    ///
    /// [`MrzError`]: a mistyped character as a rule breaks a check digit.
    pub fn from_printed(lines: &[&str]) -> Result<AccessKey, MrzError> {
        let mut zone = Zeroizing::new(lines.concat().into_bytes());
        zone.make_ascii_uppercase();
        let [number, birth, expiry] = Mrz::access_fields(&zone)?;
        AccessKey::from_zone(&number, &birth, &expiry).ok_or(MrzError::Length(zone.len()))
    }

    /// The card access number: six digits as a rule. `None` where a character is no digit, or
    /// there is none.
    #[must_use]
    pub fn from_number(number: &str) -> Option<AccessKey> {
        let fits = !number.is_empty() && number.bytes().all(|octet| octet.is_ascii_digit());
        fits.then(|| AccessKey(Password::Number(Zeroizing::new(number.into()))))
    }

    /// What keys are derived from. Source: §9.7.3.
    pub(crate) fn secret(&self) -> &[u8] {
        match &self.0 {
            Password::Zone(digest) => digest.as_slice(),
            Password::Number(number) => number,
        }
    }

    /// What basic access control derives its keys from; a card access number opens nothing there.
    pub(crate) fn basic_seed(&self) -> Option<&[u8]> {
        match &self.0 {
            Password::Zone(digest) => digest.get(..16),
            Password::Number(_) => None,
        }
    }

    /// The number that PACE has for this kind of password. Source: §4.4.4.1.
    pub(crate) fn reference(&self) -> u8 {
        match self.0 {
            Password::Zone(_) => 1,
            Password::Number(_) => 2,
        }
    }
}
