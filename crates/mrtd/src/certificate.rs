//! Certificates of issuing states (CSCA) and of their document signers.
//!
//! Source: ICAO Doc 9303-12, 8th edition, §7; RFC 5280.

use der::asn1::{GeneralizedTime, ObjectIdentifier};
use der::{Decode, Tag, Tagged};
use sha2::{Digest, Sha256};
use thiserror::Error;
use x509_cert::AlgorithmIdentifier;
#[cfg(test)]
use x509_cert::SubjectPublicKeyInfo;
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, ExtendedKeyUsage, KeyUsage, PrivateKeyUsagePeriod, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::time::Validity;

use crate::signature::{PublicKey, Scheme, SignatureError};
use crate::state::CountryCode;
use crate::time::{Period, UnixTime};
use crate::tlv::{self, Element, TlvError};

/// What this crate needs of a certificate. Names, number and signed part are kept as the bytes
/// that came in, for comparing and verifying.
#[derive(Clone)]
pub(crate) struct Certificate {
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) country: Option<CountryCode>,
    pub(crate) validity: Period,
    pub(crate) public_key: Vec<u8>,
    pub(crate) extras: Extras,
    /// SHA-256 of all of it.
    pub(crate) fingerprint: [u8; 32],
    signed: Vec<u8>,
    signature_algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
}

/// What the extensions say.
#[derive(Clone, Default)]
pub(crate) struct Extras {
    pub(crate) is_authority: bool,
    pub(crate) key_usage: Option<KeyUsage>,
    /// When the private key may sign; an open end is `None`.
    pub(crate) key_period: Option<(Option<UnixTime>, Option<UnixTime>)>,
    /// What the key is for beyond its key usage; empty where nothing is said.
    purposes: Vec<ObjectIdentifier>,
    /// The key is for nothing but its purposes.
    purposes_only: bool,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    /// A critical extension that this crate does not know.
    pub(crate) unknown_critical: Option<ObjectIdentifier>,
}

impl Extras {
    /// Whether the key may sign certificates. The key usage decides where there is one: some
    /// published authorities leave the basic constraints out, others deny being one in them.
    pub(crate) fn may_certify(&self) -> bool {
        self.key_usage
            .as_ref()
            .map_or(self.is_authority, KeyUsage::key_cert_sign)
    }

    /// Whether the key may sign master lists. Source: ICAO Doc 9303-12, 8th edition, §7.1.
    pub(crate) fn may_sign_lists(&self) -> bool {
        self.purposes.contains(&MASTER_LIST_SIGNING) && self.unknown_critical.is_none()
    }

    /// Whether the key may sign documents, which no extended key usage allows.
    ///
    /// Source: ICAO Doc 9303-12, 8th edition, §7.1.
    pub(crate) fn may_sign_documents(&self) -> bool {
        let other_purpose =
            |purpose: &ObjectIdentifier| purpose.as_bytes().starts_with(ICAO_SECURITY.as_bytes());
        !self.is_authority
            && !self.purposes_only
            && !self.purposes.iter().any(other_purpose)
            && self
                .key_usage
                .as_ref()
                .is_none_or(KeyUsage::digital_signature)
    }
}

impl Certificate {
    /// Reads one certificate in DER, of at most 64 KiB.
    pub(crate) fn parse(der: &[u8]) -> Result<Certificate, CertificateError> {
        if der.len() > CERTIFICATE_MAX_LEN {
            return Err(CertificateError::TooLarge);
        }
        let mut outer = tlv::single(der, SEQUENCE)?.inside();
        let signed = outer.expect(SEQUENCE)?;
        let signature_algorithm = outer.expect(SEQUENCE)?;
        let signature = bit_string(&outer.expect(BIT_STRING)?)?;
        outer.end()?;
        let mut fields = signed.inside();
        fields.optional(0xA0)?; // version: told by the extensions
        let serial = fields.expect(INTEGER)?.value.to_vec();
        // Otherwise the algorithm that was read would not be covered by the signature.
        if fields.expect(SEQUENCE)?.whole != signature_algorithm.whole {
            return Err(CertificateError::TwoAlgorithms);
        }
        let issuer = fields.expect(SEQUENCE)?.whole.to_vec();
        let validity = validity(&fields.expect(SEQUENCE)?)?;
        let subject = fields.expect(SEQUENCE)?.whole.to_vec();
        let public_key = fields.expect(SEQUENCE)?.whole.to_vec();
        fields.optional(0x81)?;
        fields.optional(0x82)?;
        let extras = match fields.optional(0xA3)? {
            Some(wrapped) => extras(wrapped.value)?,
            None => Extras::default(),
        };
        fields.end()?;
        Ok(Certificate {
            serial,
            issuer,
            country: country(&subject)?,
            subject,
            validity,
            public_key,
            extras,
            fingerprint: Sha256::digest(der).into(),
            signed: signed.whole.to_vec(),
            signature_algorithm: AlgorithmIdentifier::from_der(signature_algorithm.whole)
                .map_err(|_| CertificateError::Field("signature algorithm"))?,
            signature: signature.to_vec(),
        })
    }

    pub(crate) fn public_key(&self) -> Result<PublicKey, SignatureError> {
        PublicKey::from_spki(&self.public_key)
    }

    /// Whether its key has all numbers of its curve with it.
    #[cfg(test)]
    pub(crate) fn spells_out_its_curve(&self) -> bool {
        SubjectPublicKeyInfo::from_der(&self.public_key)
            .ok()
            .and_then(|key| key.algorithm.parameters)
            .is_some_and(|parameters| parameters.tag() == Tag::Sequence)
    }

    /// How it was signed.
    pub(crate) fn signature_scheme(&self) -> Result<Scheme, SignatureError> {
        Scheme::from_algorithm(&self.signature_algorithm, None)
    }

    /// Checks that `issuer` signed this certificate.
    pub(crate) fn verify_signed_by(&self, issuer: &Certificate) -> Result<(), SignatureError> {
        let scheme = self.signature_scheme()?;
        issuer
            .public_key()?
            .verify(scheme, &self.signed, &self.signature)
    }

    /// Whether this certificate names `other` as its issuer, by name or by key.
    pub(crate) fn names_as_issuer(&self, other: &Certificate) -> bool {
        let by_key = self.extras.authority_key_id.as_ref();
        self.issuer == other.subject
            || by_key.is_some_and(|id| other.extras.subject_key_id.as_ref() == Some(id))
    }
}

/// Why a certificate cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// The frame is broken.
    #[error("malformed certificate")]
    Frame(#[from] TlvError),
    /// More than 64 KiB.
    #[error("the certificate is larger than 64 KiB")]
    TooLarge,
    /// The named field cannot be read.
    #[error("malformed {0} of a certificate")]
    Field(&'static str),
    /// The algorithm inside and outside the signed part differ.
    #[error("the certificate names two signature algorithms")]
    TwoAlgorithms,
}

pub(crate) fn bit_string<'a>(element: &Element<'a>) -> Result<&'a [u8], CertificateError> {
    match element.value {
        [0, bytes @ ..] => Ok(bytes),
        _ => Err(CertificateError::Field("signature")),
    }
}

fn validity(element: &Element<'_>) -> Result<Period, CertificateError> {
    let validity =
        <Validity>::from_der(element.whole).map_err(|_| CertificateError::Field("validity"))?;
    Ok(Period {
        from: UnixTime(validity.not_before.to_unix_duration().as_secs()),
        until: UnixTime(validity.not_after.to_unix_duration().as_secs()),
    })
}

/// The country of the issuer that a revocation list names.
pub(crate) fn country_of(name: &[u8]) -> Option<CountryCode> {
    country(name).ok().flatten()
}

/// The country of a name, if it has exactly one that reads as two letters.
fn country(name: &[u8]) -> Result<Option<CountryCode>, CertificateError> {
    let name = Name::from_der(name).map_err(|_| CertificateError::Field("subject"))?;
    let mut countries = name.iter().filter(|attribute| attribute.oid == COUNTRY);
    let (Some(only), None) = (countries.next(), countries.next()) else {
        return Ok(None);
    };
    if !matches!(only.value.tag(), Tag::PrintableString | Tag::Utf8String) {
        return Ok(None);
    }
    let text = core::str::from_utf8(only.value.value()).ok();
    Ok(text.and_then(|text| CountryCode::parse(text).ok()))
}

fn extras(extensions: &[u8]) -> Result<Extras, CertificateError> {
    let malformed = |_| CertificateError::Field("extension");
    let mut extras = Extras::default();
    let mut seen = Vec::new();
    for extension in Extensions::from_der(extensions).map_err(malformed)? {
        if seen.contains(&extension.extn_id) {
            return Err(CertificateError::Field("extension"));
        }
        seen.push(extension.extn_id);
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            BASIC_CONSTRAINTS => {
                extras.is_authority = is_authority(value)?;
            }
            KEY_USAGE => {
                extras.key_usage = Some(KeyUsage::from_der(value).map_err(malformed)?);
            }
            KEY_PERIOD => extras.key_period = Some(key_period(value)?),
            SUBJECT_KEY_ID => {
                let id = SubjectKeyIdentifier::from_der(value).map_err(malformed)?;
                extras.subject_key_id = Some(id.0.as_bytes().to_vec());
            }
            AUTHORITY_KEY_ID => {
                let id = AuthorityKeyIdentifier::from_der(value).map_err(malformed)?;
                extras.authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
            }
            EXTENDED_KEY_USAGE => {
                extras.purposes = ExtendedKeyUsage::from_der(value).map_err(malformed)?.0;
                extras.purposes_only = extension.critical;
            }
            DOCUMENT_TYPES | CERTIFICATE_POLICIES => {}
            other if extension.critical => extras.unknown_critical = Some(other),
            _ => {}
        }
    }
    Ok(extras)
}

/// The key that signed a revocation list, by its extensions. A critical extension is refused: all
/// of them narrow what the list is about.
pub(crate) fn list_extensions(extensions: &[u8]) -> Result<Option<Vec<u8>>, CertificateError> {
    let malformed = |_| CertificateError::Field("extension");
    let mut authority_key_id = None;
    for extension in Extensions::from_der(extensions).map_err(malformed)? {
        match extension.extn_id {
            AUTHORITY_KEY_ID => {
                let value = extension.extn_value.as_bytes();
                let id = AuthorityKeyIdentifier::from_der(value).map_err(malformed)?;
                authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
            }
            _ if extension.critical => return Err(CertificateError::Field("extension")),
            _ => {}
        }
    }
    Ok(authority_key_id)
}

/// Source: RFC 3280 §4.2.1.4.
fn key_period(value: &[u8]) -> Result<(Option<UnixTime>, Option<UnixTime>), CertificateError> {
    let period =
        PrivateKeyUsagePeriod::from_der(value).map_err(|_| CertificateError::Field("extension"))?;
    let seconds = |time: GeneralizedTime| UnixTime(time.to_unix_duration().as_secs());
    Ok((
        period.not_before.map(seconds),
        period.not_after.map(seconds),
    ))
}

/// `cA` of the basic constraints. Read here because one published authority encodes TRUE in a way
/// that DER does not allow.
fn is_authority(constraints: &[u8]) -> Result<bool, TlvError> {
    let mut fields = tlv::single(constraints, SEQUENCE)?.inside();
    Ok(fields
        .optional(BOOLEAN)?
        .is_some_and(|flag| flag.value != [0]))
}

/// The largest certificate that is read.
const CERTIFICATE_MAX_LEN: usize = 1 << 16;

// Source: ITU-T X.690 §8.
const BOOLEAN: u32 = 0x01;
const INTEGER: u32 = 0x02;
const BIT_STRING: u32 = 0x03;
const SEQUENCE: u32 = 0x30;

// Source: RFC 5280 §4.2.1 and appendix A; document types from ICAO Doc 9303-12 §7.1.1.6.
pub(crate) const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
pub(crate) const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
pub(crate) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
pub(crate) const KEY_PERIOD: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.16");
pub(crate) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
pub(crate) const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
pub(crate) const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
pub(crate) const DOCUMENT_TYPES: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.23.136.1.1.6.2");
/// `id-icao-mrtd-security`, under which ICAO names other uses of keys.
const ICAO_SECURITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.136.1.1");
/// `id-icao-cscaMasterListSigningKey`. Source: ICAO Doc 9303-12 §7.1.
pub(crate) const MASTER_LIST_SIGNING: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("2.23.136.1.1.3");
