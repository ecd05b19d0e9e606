//! The document security object (EF.SOD): hashes of the data groups, signed by the issuing state.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §4.6.2 and appendix D; RFC 5652 for the frame.

use der::Decode;
use der::asn1::ObjectIdentifier;
use thiserror::Error;
use x509_cert::AlgorithmIdentifier;
use x509_cert::time::Time;

use crate::certificate::{Certificate, CertificateError};
use crate::hash::{Hash, HashError};
use crate::signature::{Scheme, SignatureError};
use crate::time::UnixTime;
use crate::tlv::{self, Element, TlvError};

/// A security object as it was read; nothing about it is verified, see
/// [`SecurityObject::verify`].
pub struct SecurityObject {
    pub(crate) content_type: ObjectIdentifier,
    /// What the signer hashed: the encoded list of data-group hashes.
    pub(crate) content: Vec<u8>,
    pub(crate) hashes: DataGroupHashes,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) signer: SignerInfo,
}

/// The signed list of hashes.
pub(crate) struct DataGroupHashes {
    pub(crate) hash: Hash,
    /// Number of the data group, 1 to 16, and its hash; each number once.
    entries: Vec<(u8, Vec<u8>)>,
}

/// What the one signer of the object states.
pub(crate) struct SignerInfo {
    pub(crate) id: SignerId,
    pub(crate) digest: Hash,
    pub(crate) attributes: SignedAttributes,
    pub(crate) scheme: Scheme,
    pub(crate) signature: Vec<u8>,
}

/// How the signer's certificate is named.
pub(crate) enum SignerId {
    IssuerAndSerial { issuer: Vec<u8>, serial: Vec<u8> },
    KeyId(Vec<u8>),
}

/// The attributes that the signature covers.
pub(crate) struct SignedAttributes {
    /// As they are hashed: a SET, whatever tag they had in the message.
    pub(crate) signed: Vec<u8>,
    pub(crate) content_type: ObjectIdentifier,
    pub(crate) message_digest: Vec<u8>,
    pub(crate) signing_time: Option<UnixTime>,
}

impl SecurityObject {
    /// Reads EF.SOD in DER: tag `77` around CMS `SignedData` with one signer.
    ///
    /// # Errors
    ///
    /// [`SodError`]; BER with indefinite lengths, which a few states use, is refused as
    /// [`TlvError::IndefiniteLength`].
    pub fn parse(file: &[u8]) -> Result<SecurityObject, SodError> {
        if file.len() > SOD_MAX_LEN {
            return Err(SodError::TooLarge);
        }
        let mut wrapped = tlv::single(file, SOD_TAG)?.inside();
        let content_info = wrapped.expect(SEQUENCE)?;
        wrapped.end()?;
        let (content_type, content, certificates, signer) = signed_data(content_info.whole)?;
        if !CONTENT_TYPES.contains(&content_type) {
            return Err(SodError::ContentType(content_type.to_string()));
        }
        let certificates = certificates
            .inside()
            .all()?
            .iter()
            .map(|one| Certificate::parse(one.whole))
            .collect::<Result<_, _>>()?;
        Ok(SecurityObject {
            content_type,
            hashes: data_group_hashes(content)?,
            content: content.to_vec(),
            certificates,
            signer: signer_info(&signer)?,
        })
    }

    /// The certificate that the signer names, among those in the object.
    pub(crate) fn signer_certificate(&self) -> Option<&Certificate> {
        self.certificates
            .iter()
            .find(|certificate| match &self.signer.id {
                SignerId::IssuerAndSerial { issuer, serial } => {
                    certificate.issuer == *issuer && certificate.serial == *serial
                }
                SignerId::KeyId(id) => certificate.extras.subject_key_id.as_ref() == Some(id),
            })
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
    /// The named part cannot be read.
    #[error("malformed {0} in the security object")]
    Part(&'static str),
    /// The signed content is of another type, given by its object identifier.
    #[error("content type {0} is no security object")]
    ContentType(String),
    /// The list of hashes is of another version than 0 and 1.
    #[error("unknown version of the list of hashes")]
    Version,
    /// There is no signer, or more than one.
    #[error("a security object has exactly one signer")]
    Signers,
    /// The hash function of the data groups or of the signer is refused.
    #[error("refused hash function of the security object")]
    Hash(#[from] HashError),
    /// The signature algorithm is refused.
    #[error("refused signature algorithm of the security object")]
    Signature(#[from] SignatureError),
    /// A certificate in it cannot be read.
    #[error("malformed certificate in the security object")]
    Certificate(#[from] CertificateError),
}

type SignedDataParts<'a> = (ObjectIdentifier, &'a [u8], Element<'a>, Element<'a>);

/// Content type, content, certificates and the one signer of a CMS `SignedData`.
///
/// Source: RFC 5652 §5.1.
pub(crate) fn signed_data(content_info: &[u8]) -> Result<SignedDataParts<'_>, SodError> {
    let mut outer = tlv::single(content_info, SEQUENCE)?.inside();
    if oid(&outer.expect(OID)?)? != SIGNED_DATA {
        return Err(SodError::Part("message type"));
    }
    let mut wrapped = outer.expect(0xA0)?.inside();
    outer.end()?;
    let mut fields = wrapped.expect(SEQUENCE)?.inside();
    wrapped.end()?;
    fields.expect(INTEGER)?;
    fields.expect(SET)?; // digest algorithms: the signer names its own
    let mut encapsulated = fields.expect(SEQUENCE)?.inside();
    let content_type = oid(&encapsulated.expect(OID)?)?;
    let mut content = encapsulated.expect(0xA0)?.inside();
    encapsulated.end()?;
    let octets = content.expect(OCTET_STRING)?;
    content.end()?;
    let certificates = fields.expect(0xA0)?;
    fields.optional(0xA1)?; // revocation lists do not travel in documents
    let signers = fields.expect(SET)?.inside().all()?;
    fields.end()?;
    let [signer] = signers.as_slice() else {
        return Err(SodError::Signers);
    };
    Ok((content_type, octets.value, certificates, *signer))
}

/// Source: RFC 5652 §5.3.
fn signer_info(element: &Element<'_>) -> Result<SignerInfo, SodError> {
    let mut fields = tlv::single(element.whole, SEQUENCE)?.inside();
    fields.expect(INTEGER)?;
    let id = match fields.optional(0x80)? {
        Some(key_id) => SignerId::KeyId(key_id.value.to_vec()),
        None => {
            let mut pair = fields.expect(SEQUENCE)?.inside();
            let issuer = pair.expect(SEQUENCE)?.whole.to_vec();
            let serial = pair.expect(INTEGER)?.value.to_vec();
            pair.end()?;
            SignerId::IssuerAndSerial { issuer, serial }
        }
    };
    let digest = Hash::from_oid(&algorithm(&fields.expect(SEQUENCE)?)?.oid)?;
    let attributes = signed_attributes(&fields.expect(0xA0)?)?;
    let scheme = Scheme::from_algorithm(&algorithm(&fields.expect(SEQUENCE)?)?, Some(digest))?;
    let signature = fields.expect(OCTET_STRING)?.value.to_vec();
    fields.optional(0xA1)?; // unsigned attributes say nothing
    fields.end()?;
    Ok(SignerInfo {
        id,
        digest,
        attributes,
        scheme,
        signature,
    })
}

/// Each attribute once, with one value. Source: RFC 5652 §5.4 and §11.
fn signed_attributes(element: &Element<'_>) -> Result<SignedAttributes, SodError> {
    let (mut content_type, mut message_digest, mut signing_time) = (None, None, None);
    for attribute in element.inside().all()? {
        let mut fields = tlv::single(attribute.whole, SEQUENCE)?.inside();
        let kind = oid(&fields.expect(OID)?)?;
        let values = fields.expect(SET)?.inside().all()?;
        fields.end()?;
        let slot = match kind {
            CONTENT_TYPE => &mut content_type,
            MESSAGE_DIGEST => &mut message_digest,
            SIGNING_TIME => &mut signing_time,
            _ => continue,
        };
        let ([value], None) = (values.as_slice(), *slot) else {
            return Err(SodError::Part("signed attribute"));
        };
        *slot = Some(*value);
    }
    let missing = SodError::Part("signed attribute");
    let (Some(content_type), Some(message_digest)) = (content_type, message_digest) else {
        return Err(missing);
    };
    if message_digest.tag != OCTET_STRING {
        return Err(missing);
    }
    Ok(SignedAttributes {
        signed: tlv::element(SET, &[element.value]),
        content_type: oid(&content_type)?,
        message_digest: message_digest.value.to_vec(),
        signing_time: signing_time.map(|value| instant(&value)).transpose()?,
    })
}

/// `LDSSecurityObject`, versions 0 and 1. Source: ICAO Doc 9303-10, appendix D.
fn data_group_hashes(content: &[u8]) -> Result<DataGroupHashes, SodError> {
    let mut fields = tlv::single(content, SEQUENCE)?.inside();
    let version = fields.expect(INTEGER)?;
    let hash = Hash::from_oid(&algorithm(&fields.expect(SEQUENCE)?)?.oid)?;
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

fn oid(element: &Element<'_>) -> Result<ObjectIdentifier, SodError> {
    ObjectIdentifier::from_der(element.whole).map_err(|_| SodError::Part("object identifier"))
}

fn algorithm(element: &Element<'_>) -> Result<AlgorithmIdentifier, SodError> {
    AlgorithmIdentifier::from_der(element.whole).map_err(|_| SodError::Part("algorithm"))
}

fn instant(element: &Element<'_>) -> Result<UnixTime, SodError> {
    let time = Time::from_der(element.whole).map_err(|_| SodError::Part("signing time"))?;
    Ok(UnixTime(time.to_unix_duration().as_secs()))
}

/// The largest EF.SOD that is read.
const SOD_MAX_LEN: usize = 1 << 16;

pub(crate) const SOD_TAG: u32 = 0x77;

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const OCTET_STRING: u32 = 0x04;
const OID: u32 = 0x06;
const SEQUENCE: u32 = 0x30;
const SET: u32 = 0x31;

// Source: RFC 5652 §5.1 and §11.
pub(crate) const SIGNED_DATA: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub(crate) const CONTENT_TYPE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
pub(crate) const MESSAGE_DIGEST: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
pub(crate) const SIGNING_TIME: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");

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
