//! Revocation lists (CRL) of issuing states.
//!
//! Source: ICAO Doc 9303-12, 8th edition, §7.1.4; RFC 5280 §5.

use der::Decode;
use thiserror::Error;
use x509_cert::AlgorithmIdentifier;
use x509_cert::time::Time;

use crate::certificate::{Certificate, CertificateError, bit_string, country_of, list_extensions};
use crate::curve::significant;
use crate::signature::{Scheme, SignatureError};
use crate::state::CountryCode;
use crate::time::UnixTime;
use crate::tlv::{self, Element, TlvError};

/// The state has revoked the certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revoked;

/// What is known of the revocation of a signer that no list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// No list of the authority is there.
    NoList,
    /// A list is there that does not name the signer.
    NotListed {
        /// The list was made then.
        made: UnixTime,
        /// A newer one should be there by now.
        stale: bool,
    },
}

/// A list as it was read; [`RevocationList::verify`] gives one that counts.
pub(super) struct RevocationList {
    issuer: Vec<u8>,
    /// The state in the issuer's name.
    country: Option<CountryCode>,
    /// The key that signed, once that was verified.
    key: Vec<u8>,
    made: UnixTime,
    next: Option<UnixTime>,
    serials: Vec<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    signed: Vec<u8>,
    algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
}

impl RevocationList {
    /// Reads a `CertificateList` in DER, of at most 4 MiB.
    pub(super) fn parse(der: &[u8]) -> Result<RevocationList, RevocationListError> {
        if der.len() > LIST_MAX_LEN {
            return Err(RevocationListError::TooLarge);
        }
        let mut outer = tlv::single(der, SEQUENCE)?.inside();
        let signed = outer.expect(SEQUENCE)?;
        let algorithm = outer.expect(SEQUENCE)?;
        let signature = bit_string(&outer.expect(BIT_STRING)?)?;
        outer.end()?;
        let mut fields = signed.inside();
        fields.optional(INTEGER)?; // version 2, or absent
        if fields.expect(SEQUENCE)?.whole != algorithm.whole {
            return Err(CertificateError::TwoAlgorithms.into());
        }
        let issuer = fields.expect(SEQUENCE)?.whole.to_vec();
        let made = instant(&fields.any()?)?;
        let next = match fields.peek() {
            Some(UTC_TIME | GENERALIZED_TIME) => Some(instant(&fields.any()?)?),
            _ => None,
        };
        let serials = match fields.optional(SEQUENCE)? {
            Some(entries) => entries.inside().all()?.iter().map(serial).collect(),
            None => Ok(Vec::new()),
        };
        let authority_key_id = match fields.optional(0xA0)? {
            Some(wrapped) => list_extensions(wrapped.value)?,
            None => None,
        };
        fields.end()?;
        Ok(RevocationList {
            country: country_of(&issuer),
            key: Vec::new(),
            issuer,
            made,
            next,
            serials: serials?,
            authority_key_id,
            signed: signed.whole.to_vec(),
            algorithm: AlgorithmIdentifier::from_der(algorithm.whole)
                .map_err(|_| RevocationListError::Field("signature algorithm"))?,
            signature: signature.to_vec(),
        })
    }

    /// The authority of the list's own state that signed it.
    pub(super) fn verify<'a>(
        &mut self,
        authorities: &'a [Certificate],
    ) -> Result<&'a Certificate, RevocationListError> {
        let compatriots = authorities
            .iter()
            .filter(|one| self.country.is_some() && one.country == self.country);
        // Those that the list names first, because they mostly fit.
        let (named, others): (Vec<_>, Vec<_>) =
            compatriots.partition(|one| self.names_as_issuer(one));
        let signed = |one: &&Certificate| self.verify_signed_by(one).is_ok();
        let authority = named.into_iter().chain(others).find(signed);
        let authority = authority.ok_or(RevocationListError::UnknownAuthority)?;
        self.key.clone_from(&authority.public_key);
        Ok(authority)
    }

    fn verify_signed_by(&self, authority: &Certificate) -> Result<(), SignatureError> {
        let scheme = Scheme::from_algorithm(&self.algorithm, None)?;
        let key = authority.public_key()?;
        key.verify(scheme, &self.signed, &self.signature)
    }

    fn names_as_issuer(&self, authority: &Certificate) -> bool {
        let by_key = self.authority_key_id.as_ref();
        self.issuer == authority.subject
            || by_key.is_some_and(|id| authority.extras.subject_key_id.as_ref() == Some(id))
    }

    /// Whether two lists come from one key under one name, so that the newer one counts. A state
    /// with several keys may have a list of each.
    pub(super) fn is_of_the_same_issuer(&self, other: &RevocationList) -> bool {
        self.key == other.key && self.issuer == other.issuer
    }

    pub(super) fn is_newer_than(&self, other: &RevocationList) -> bool {
        self.made > other.made
    }

    /// Whether certificates of this issuer and key are what the list is about. A state that has
    /// changed its key goes on with one list under the name.
    pub(super) fn is_about(&self, certificate: &Certificate, key: &[u8]) -> bool {
        self.country == certificate.country
            && (self.key == key || self.issuer == certificate.issuer)
    }

    /// Whether the list names this certificate under the name of its issuer.
    pub(super) fn revokes(&self, certificate: &Certificate) -> bool {
        self.country == certificate.country
            && self.issuer == certificate.issuer
            && self.has(certificate)
    }

    /// What the list says of a certificate that it is about.
    pub(super) fn says_of(
        &self,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Result<Revocation, Revoked> {
        if self.has(certificate) {
            return Err(Revoked);
        }
        Ok(Revocation::NotListed {
            made: self.made,
            stale: self.next.is_some_and(|next| next < now),
        })
    }

    fn has(&self, certificate: &Certificate) -> bool {
        let serial = significant(&certificate.serial);
        self.serials.iter().any(|one| significant(one) == serial)
    }
}

/// Why a revocation list is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RevocationListError {
    /// The frame is broken.
    #[error("malformed revocation list")]
    Frame(#[from] TlvError),
    /// More than 4 MiB.
    #[error("the revocation list is larger than 4 MiB")]
    TooLarge,
    /// The named field cannot be read.
    #[error("malformed {0} of a revocation list")]
    Field(&'static str),
    /// A part that certificates have too cannot be read, or is critical and unknown.
    #[error("malformed revocation list")]
    Part(#[from] CertificateError),
    /// No trusted authority of the state in its issuer's name has signed it.
    #[error("no trusted authority of its state has signed the revocation list")]
    UnknownAuthority,
}

/// The number of a revoked certificate. Entries of certificates of other issuers are in indirect
/// lists alone, which are refused by their critical extension.
fn serial(entry: &Element<'_>) -> Result<Vec<u8>, RevocationListError> {
    let mut fields = tlv::single(entry.whole, SEQUENCE)?.inside();
    Ok(fields.expect(INTEGER)?.value.to_vec())
}

fn instant(element: &Element<'_>) -> Result<UnixTime, RevocationListError> {
    let time = Time::from_der(element.whole).map_err(|_| RevocationListError::Field("time"))?;
    Ok(UnixTime(time.to_unix_duration().as_secs()))
}

const LIST_MAX_LEN: usize = 4 << 20;

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const BIT_STRING: u32 = 0x03;
const UTC_TIME: u32 = 0x17;
const GENERALIZED_TIME: u32 = 0x18;
const SEQUENCE: u32 = 0x30;
