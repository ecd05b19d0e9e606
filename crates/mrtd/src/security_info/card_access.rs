//! EF.CardAccess, which a reader trusts before there is a channel and which nobody signs, against
//! data group 14, which is signed.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.2 step 3 and §9.2.11.

use std::collections::BTreeSet;

use der::asn1::ObjectIdentifier;
use thiserror::Error;

use super::{INTEGER, OID, SEQUENCE, SET, SecurityInfoError, SecurityInfos, identifier};
use crate::tlv::{self, Element};

/// How EF.CardAccess stands to data group 14, where it does not contradict it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardAccess {
    /// Every entry is in the group, and every one of PACE in the group is in the file.
    Signed,
    /// The group has no entry of PACE to compare with: the document does not offer it, or was made
    /// without the copy that the standard demands.
    NothingSigned,
}

/// EF.CardAccess is not the one that the state signed: somebody between reader and chip has changed
/// it, or the document was made wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CardAccessError {
    /// An entry that nobody signed, such as a weaker protocol.
    #[error("EF.CardAccess offers {0}, which data group 14 does not have")]
    NotSigned(String),
    /// A protocol that the reader should have been offered.
    #[error("EF.CardAccess does not offer {0}, which data group 14 has")]
    Hidden(String),
    /// One of the lists cannot be read.
    #[error("EF.CardAccess cannot be compared with data group 14")]
    Form(#[from] SecurityInfoError),
}

impl CardAccess {
    /// Compares the content of EF.CardAccess, `None` where the chip does not have it, with EF.DG14,
    /// of which the hash is signed.
    ///
    /// # Errors
    ///
    /// [`CardAccessError`].
    pub fn compare(file: Option<&[u8]>, dg14: &[u8]) -> Result<CardAccess, CardAccessError> {
        let signed = entries(SecurityInfos::list_of_dg14(dg14)?)?;
        if !signed.iter().any(Entry::is_pace) {
            return Ok(CardAccess::NothingSigned);
        }
        let offered = file.map(entries).transpose()?.unwrap_or_default();
        if let Some(more) = offered.difference(&signed).next() {
            return Err(CardAccessError::NotSigned(more.name()));
        }
        // The group has entries of other protocols as well.
        match signed.difference(&offered).find(|entry| entry.is_pace()) {
            Some(hidden) => Err(CardAccessError::Hidden(hidden.name())),
            None => Ok(CardAccess::Signed),
        }
    }
}

/// An entry as tags and values: two encodings of a number are the same; all else is compared octet
/// for octet, what nobody here understands as well.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry(Vec<(u32, Vec<u8>)>);

impl Entry {
    fn of(entry: &Element<'_>) -> Entry {
        let fields = match entry.tag {
            SEQUENCE => entry.inside().all().unwrap_or_else(|_| vec![*entry]),
            _ => vec![*entry],
        };
        let fields = fields.iter().map(|field| match field.tag {
            INTEGER => {
                let digits = field.value.iter().skip_while(|octet| **octet == 0);
                (field.tag, digits.copied().collect())
            }
            _ => (field.tag, field.value.to_vec()),
        });
        Entry(fields.collect())
    }

    fn protocol(&self) -> Option<ObjectIdentifier> {
        match self.0.first() {
            Some((OID, value)) => ObjectIdentifier::from_bytes(value).ok(),
            _ => None,
        }
    }

    /// Protocols and parameters.
    fn is_pace(&self) -> bool {
        self.protocol()
            .is_some_and(|protocol| protocol.as_bytes().starts_with(PACE.as_bytes()))
    }

    /// As people write it where it is a protocol that is known here.
    fn name(&self) -> String {
        let fields = self.0.iter();
        let fields = fields.flat_map(|(tag, value)| tlv::element(*tag, &[value]));
        let entry = tlv::element(SEQUENCE, &[&fields.collect::<Vec<u8>>()]);
        let infos = SecurityInfos::parse(&tlv::element(SET, &[&entry])).unwrap_or_default();
        match (infos.pace.first(), self.protocol()) {
            (Some(pace), _) => pace.name(),
            (None, Some(protocol)) => format!("the protocol {protocol}"),
            (None, None) => "an entry without a protocol".to_owned(),
        }
    }
}

fn entries(list: &[u8]) -> Result<BTreeSet<Entry>, SecurityInfoError> {
    let entries = tlv::single(list, SET)?.inside().all()?;
    Ok(entries.iter().map(Entry::of).collect())
}

/// Source: ICAO Doc 9303-11, 8th edition, §9.2.3.
const PACE: ObjectIdentifier = identifier("0.4.0.127.0.7.2.2.4");

#[cfg(test)]
mod tests;
