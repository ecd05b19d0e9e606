//! Master lists: the authorities of many states, collected and signed by one.
//!
//! Source: ICAO Doc 9303-12, 8th edition, §9.

use der::asn1::ObjectIdentifier;
use thiserror::Error;

use super::{TrustStore, authority};
use crate::certificate::Certificate;
use crate::cms::{CmsError, SignedData, SignedDataError};
use crate::state::CountryCode;
use crate::time::UnixTime;
use crate::tlv::{self, TlvError};

/// A master list whose signature holds with a certificate of its own; whether the state that
/// signed it is trusted is asked with [`MasterList::is_signed_under`].
pub struct MasterList {
    certificates: Vec<Vec<u8>>,
    signer: Certificate,
    signed_at: Option<UnixTime>,
    /// Signed with SHA-1.
    weak: bool,
}

impl MasterList {
    /// Reads a list of at most 16 MiB and verifies its signature.
    ///
    /// # Errors
    ///
    /// [`MasterListError`].
    pub fn parse(file: &[u8]) -> Result<MasterList, MasterListError> {
        if file.len() > LIST_MAX_LEN {
            return Err(MasterListError::TooLarge);
        }
        let message = SignedData::parse(file)?;
        if message.content_type != MASTER_LIST {
            return Err(MasterListError::ContentType(
                message.content_type.to_string(),
            ));
        }
        let signer = message.verify()?.clone();
        let mut fields = tlv::single(&message.content, SEQUENCE)?.inside();
        if fields.expect(INTEGER)?.value != [0] {
            return Err(MasterListError::Version);
        }
        let certificates = fields.expect(SET)?.inside().all()?;
        fields.end()?;
        Ok(MasterList {
            certificates: certificates.iter().map(|one| one.whole.to_vec()).collect(),
            signer,
            signed_at: message.signer.attributes.signing_time,
            weak: message.signer.digest.is_weak() || message.signer.scheme.hash().is_weak(),
        })
    }

    /// The certificates in DER, in the order of the list.
    #[must_use]
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// The state whose name the signer's certificate carries.
    #[must_use]
    pub fn country(&self) -> Option<CountryCode> {
        self.signer.country
    }

    /// When it was signed, if it says so.
    #[must_use]
    pub fn signed_at(&self) -> Option<UnixTime> {
        self.signed_at
    }

    /// The authorities of the list itself that issued the signer's certificate: whoever knows one
    /// of them from elsewhere knows whose list it is.
    #[must_use]
    pub fn roots(&self) -> Vec<&[u8]> {
        let issued = |der: &&Vec<u8>| {
            authority(der.as_slice())
                .is_ok_and(|authority| self.signer.verify_signed_by(&authority).is_ok())
        };
        let roots = self.certificates.iter().filter(issued);
        roots.map(Vec::as_slice).collect()
    }

    /// Checks that a trusted authority of the signer's state issued its certificate for signing
    /// lists, that both were valid at the time of signing, or are now if the list does not say, and
    /// that neither is revoked or rests on SHA-1.
    ///
    /// # Errors
    ///
    /// [`MasterListError::UnknownAuthority`], [`MasterListError::Signer`] or
    /// [`MasterListError::Weak`].
    pub fn is_signed_under(
        &self,
        trust: &TrustStore,
        now: UnixTime,
    ) -> Result<(), MasterListError> {
        let signed = self.signed_at.unwrap_or(now);
        if !self.signer.extras.may_sign_lists()
            || !self.signer.validity.contains(signed)
            || signed > now
        {
            return Err(MasterListError::Signer);
        }
        let scheme = self.signer.signature_scheme();
        if self.weak || scheme.is_ok_and(|scheme| scheme.hash().is_weak()) {
            return Err(MasterListError::Weak);
        }
        // A state speaks for itself alone: an authority of another one signs no list in its name.
        let country = self.signer.country;
        let authority = trust
            .issuers_of(&self.signer)
            .chain(trust.compatriots_of(&self.signer))
            .filter(|authority| country.is_some() && authority.country == country)
            .filter(|authority| authority.validity.contains(signed) && !trust.revokes(authority))
            .find(|authority| self.signer.verify_signed_by(authority).is_ok())
            .ok_or(MasterListError::UnknownAuthority)?;
        match trust.revocation(&self.signer, authority, now) {
            Ok(_) => Ok(()),
            Err(_) => Err(MasterListError::Signer),
        }
    }
}

/// Why a master list is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MasterListError {
    /// More than 16 MiB.
    #[error("the master list is larger than 16 MiB")]
    TooLarge,
    /// It is no signed message.
    #[error("the master list is no signed message")]
    Message(#[from] CmsError),
    /// The list in the message is broken.
    #[error("malformed master list")]
    Frame(#[from] TlvError),
    /// The signed content is of another type, given by its object identifier.
    #[error("content type {0} is no master list")]
    ContentType(String),
    /// The list is of another version than 0.
    #[error("unknown version of the master list")]
    Version,
    /// Its signature does not hold.
    #[error("the signature of the master list is refused")]
    Signature(#[from] SignedDataError),
    /// Its signer's certificate is not one for lists, or was not valid.
    #[error("the signer's certificate is not a valid one for master lists")]
    Signer,
    /// It, or its signer's certificate, is signed with SHA-1.
    #[error("the master list is signed with SHA-1")]
    Weak,
    /// No trusted authority of the signer's state issued its certificate.
    #[error("no trusted authority of its state issued the certificate of the list's signer")]
    UnknownAuthority,
}

const LIST_MAX_LEN: usize = 16 << 20;

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const SEQUENCE: u32 = 0x30;
const SET: u32 = 0x31;

/// `id-icao-cscaMasterList`. Source: ICAO Doc 9303-12, §9.2.
pub(crate) const MASTER_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.136.1.1.2");
