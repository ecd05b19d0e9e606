//! The document security object (EF.SOD): hashes of the data groups, signed by the issuing state.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §4.6.2 and appendix D.

use der::asn1::ObjectIdentifier;
use thiserror::Error;

use crate::cms::{self, CmsError, SignedData};
use crate::hash::{Hash, HashError};
use crate::state::CountryCode;
use crate::tlv::{self, TlvError};

/// A security object as it was read; nothing about it is verified, see
/// [`SecurityObject::verify`].
pub struct SecurityObject {
    pub(crate) message: SignedData,
    pub(crate) hashes: DataGroupHashes,
}

/// The signed list of hashes.
pub(crate) struct DataGroupHashes {
    pub(crate) hash: Hash,
    /// Number of the data group, 1 to 16, and its hash; each number once.
    entries: Vec<(u8, Vec<u8>)>,
}

impl SecurityObject {
    /// Reads EF.SOD: tag `77` around CMS `SignedData` with one signer, in DER or in BER with
    /// lengths that are left open.
    ///
    /// # Errors
    ///
    /// [`SodError`].
    pub fn parse(file: &[u8]) -> Result<SecurityObject, SodError> {
        if file.len() > SOD_MAX_LEN {
            return Err(SodError::TooLarge);
        }
        let definite = tlv::definite(file)?;
        let mut wrapped = tlv::single(&definite, SOD_TAG)?.inside();
        let content_info = wrapped.expect(SEQUENCE)?;
        wrapped.end()?;
        let message = SignedData::parse(content_info.whole)?;
        if !CONTENT_TYPES.contains(&message.content_type) {
            return Err(SodError::ContentType(message.content_type.to_string()));
        }
        Ok(SecurityObject {
            hashes: data_group_hashes(&message.content)?,
            message,
        })
    }

    /// The numbers of the data groups that it has hashes of.
    pub fn data_groups(&self) -> impl Iterator<Item = u8> {
        self.hashes.numbers()
    }

    /// What it says of its signer, before anything is verified: for explaining a refusal.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let signer = self.message.named();
        let key = signer.and_then(|certificate| certificate.public_key().ok());
        Claims {
            country: signer.and_then(|certificate| certificate.country),
            algorithm: key.map(|key| key.describe(self.message.signer.scheme)),
        }
    }
}

impl DataGroupHashes {
    /// The signed hash of a data group; `None` if the document does not have the group.
    pub(crate) fn of(&self, group: u8) -> Option<&[u8]> {
        self.entries
            .iter()
            .find(|(number, _)| *number == group)
            .map(|(_, hash)| hash.as_slice())
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u8> {
        self.entries.iter().map(|(number, _)| *number)
    }
}

/// What a security object says of its signer; anybody can write anything there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The state in the certificate that the signer names.
    pub country: Option<CountryCode>,
    /// How the object is signed, such as `RSA 2048 with SHA-256`.
    pub algorithm: Option<String>,
}

/// Why a security object cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SodError {
    /// The frame is broken.
    #[error("malformed security object")]
    Frame(#[from] TlvError),
    /// More than 64 KiB.
    #[error("the security object is larger than 64 KiB")]
    TooLarge,
    /// The signed message in it cannot be read.
    #[error("the security object is no signed message")]
    Message(#[from] CmsError),
    /// The named part cannot be read.
    #[error("malformed {0} in the security object")]
    Part(&'static str),
    /// The signed content is of another type, given by its object identifier.
    #[error("content type {0} is no security object")]
    ContentType(String),
    /// The list of hashes is of another version than 0 and 1.
    #[error("unknown version of the list of hashes")]
    Version,
    /// The hash function of the data groups is refused.
    #[error("refused hash function of the data groups")]
    Hash(#[from] HashError),
}

/// `LDSSecurityObject`, versions 0 and 1. Source: ICAO Doc 9303-10, appendix D.
fn data_group_hashes(content: &[u8]) -> Result<DataGroupHashes, SodError> {
    let mut fields = tlv::single(content, SEQUENCE)?.inside();
    let version = fields.expect(INTEGER)?;
    let hash = Hash::from_oid(&cms::algorithm(&fields.expect(SEQUENCE)?)?.oid)?;
    let list = fields.expect(SEQUENCE)?.inside().all()?;
    match version.value {
        [0] => {}
        // Version 1 adds the version of the data structure and of Unicode.
        [1] => drop(fields.expect(SEQUENCE)?),
        _ => return Err(SodError::Version),
    }
    fields.end()?;
    let mut entries: Vec<(u8, Vec<u8>)> = Vec::with_capacity(list.len());
    for entry in list {
        let mut pair = tlv::single(entry.whole, SEQUENCE)?.inside();
        let number = pair.expect(INTEGER)?.value;
        let value = pair.expect(OCTET_STRING)?.value;
        pair.end()?;
        match number {
            [number @ 1..=16] if !entries.iter().any(|(known, _)| known == number) => {
                entries.push((*number, value.to_vec()));
            }
            _ => return Err(SodError::Part("number of a data group")),
        }
    }
    Ok(DataGroupHashes { hash, entries })
}

/// The largest EF.SOD that is read.
const SOD_MAX_LEN: usize = 1 << 16;

pub(crate) const SOD_TAG: u32 = 0x77;

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const OCTET_STRING: u32 = 0x04;
const SEQUENCE: u32 = 0x30;

/// `id-icao-ldsSecurityObject`. Source: ICAO Doc 9303-10, appendix D.
pub(crate) const SECURITY_OBJECT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.136.1.1.1");

/// The types that real documents give to this content: the standard's, two older ones, and
/// `id-data` in Chinese passports. The content itself is read the same way.
const CONTENT_TYPES: [ObjectIdentifier; 4] = [
    SECURITY_OBJECT,
    ObjectIdentifier::new_unwrap("1.3.27.1.1.1"),
    ObjectIdentifier::new_unwrap("1.2.528.1.1006.1.20.1"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1"),
];

#[cfg(test)]
mod tests;
