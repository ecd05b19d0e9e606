//! Signed messages: the frame of security objects and of master lists.
//!
//! Source: RFC 5652 §5.

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

/// A `SignedData` with one signer, as it was read; nothing about it is verified.
pub(crate) struct SignedData {
    pub(crate) content_type: ObjectIdentifier,
    /// What the signer hashed.
    pub(crate) content: Vec<u8>,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) signer: SignerInfo,
}

/// What the one signer states.
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

impl SignerId {
    fn names(&self, certificate: &Certificate) -> bool {
        match self {
            SignerId::IssuerAndSerial { issuer, serial } => {
                certificate.issuer == *issuer && certificate.serial == *serial
            }
            SignerId::KeyId(id) => certificate.extras.subject_key_id.as_ref() == Some(id),
        }
    }
}

/// The attributes that the signature covers.
pub(crate) struct SignedAttributes {
    /// As they stood in the message.
    list: Vec<Vec<u8>>,
    pub(crate) content_type: ObjectIdentifier,
    pub(crate) message_digest: Vec<u8>,
    pub(crate) signing_time: Option<UnixTime>,
}

impl SignedAttributes {
    /// What may have been hashed: a SET in the order of the message and, because DER sorts the
    /// elements of a SET and some signers sort them only for the hash, in that order.
    ///
    /// Source: RFC 5652 §5.4.
    fn encodings(&self) -> [Vec<u8>; 2] {
        let mut sorted: Vec<&Vec<u8>> = self.list.iter().collect();
        sorted.sort();
        let parts = |list: Vec<&Vec<u8>>| {
            let parts: Vec<&[u8]> = list.into_iter().map(Vec::as_slice).collect();
            tlv::element(SET, &parts)
        };
        [parts(self.list.iter().collect()), parts(sorted)]
    }
}

impl SignedData {
    /// Reads a `ContentInfo` in DER, or in BER with lengths that are left open.
    pub(crate) fn parse(content_info: &[u8]) -> Result<SignedData, CmsError> {
        let definite = tlv::definite(content_info)?;
        let mut outer = tlv::single(&definite, SEQUENCE)?.inside();
        if oid(&outer.expect(OID)?)? != SIGNED_DATA {
            return Err(CmsError::Part("message type"));
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
        let certificates = match fields.optional(0xA0)? {
            Some(list) => list.inside().all()?,
            None => Vec::new(),
        };
        // Each may be tried, by whoever sends a message.
        if certificates.len() > CERTIFICATES_MAX {
            return Err(CmsError::Part("list of certificates"));
        }
        fields.optional(0xA1)?; // revocation lists do not travel in these messages
        let signers = fields.expect(SET)?.inside().all()?;
        fields.end()?;
        let [signer] = signers.as_slice() else {
            return Err(CmsError::Signers);
        };
        Ok(SignedData {
            content_type,
            content: octets.value.to_vec(),
            certificates: certificates
                .iter()
                .map(|one| Certificate::parse(one.whole))
                .collect::<Result<_, _>>()?,
            signer: signer_info(signer)?,
        })
    }

    /// The certificate of the message whose key made the signature: the one that the signer
    /// names, else any other that fits, because some signers name none of their certificates.
    ///
    /// Source: RFC 5652 §5.6.
    pub(crate) fn verify(&self) -> Result<&Certificate, SignedDataError> {
        let stated = &self.signer.attributes;
        if stated.content_type != self.content_type {
            return Err(SignedDataError::ContentType);
        }
        if stated.message_digest != self.signer.digest.digest(&self.content) {
            return Err(SignedDataError::Digest);
        }
        let mut refusal = SignedDataError::SignerMissing;
        let (named, others): (Vec<_>, Vec<_>) = self
            .certificates
            .iter()
            .partition(|certificate| self.signer.id.names(certificate));
        for certificate in named {
            match self.fits(certificate) {
                Ok(()) => return Ok(certificate),
                Err(error) => refusal = SignedDataError::Signature(error),
            }
        }
        let fits = |certificate: &&Certificate| self.fits(certificate).is_ok();
        others.into_iter().find(fits).ok_or(refusal)
    }

    /// The certificate that the signer names, verified or not.
    pub(crate) fn named(&self) -> Option<&Certificate> {
        let mut certificates = self.certificates.iter();
        certificates.find(|certificate| self.signer.id.names(certificate))
    }

    fn fits(&self, certificate: &Certificate) -> Result<(), SignatureError> {
        let key = certificate.public_key()?;
        let SignerInfo {
            scheme, signature, ..
        } = &self.signer;
        let [read, sorted] = self.signer.attributes.encodings();
        let as_read = key.verify(*scheme, &read, signature);
        if as_read == Err(SignatureError::Invalid) && sorted != read {
            return key.verify(*scheme, &sorted, signature);
        }
        as_read
    }
}

/// Why a signed message cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CmsError {
    /// The frame is broken.
    #[error("malformed signed message")]
    Frame(#[from] TlvError),
    /// The named part cannot be read.
    #[error("malformed {0} in the signed message")]
    Part(&'static str),
    /// There is no signer, or more than one.
    #[error("the message has not exactly one signer")]
    Signers,
    /// The hash function of the signer is refused.
    #[error("refused hash function of the signed message")]
    Hash(#[from] HashError),
    /// The signature algorithm is refused.
    #[error("refused signature algorithm of the signed message")]
    Signature(#[from] SignatureError),
    /// A certificate in it cannot be read.
    #[error("malformed certificate in the signed message")]
    Certificate(#[from] CertificateError),
}

/// Why the signature of a signed message is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignedDataError {
    /// No certificate of the message is the signer's.
    #[error("the signer's certificate is missing")]
    SignerMissing,
    /// The signed content type is not the one of the content.
    #[error("the signed content type does not fit")]
    ContentType,
    /// The signed digest is not the one of the content.
    #[error("the signed digest does not fit the content")]
    Digest,
    /// The signature does not hold.
    #[error("the signature is refused")]
    Signature(#[source] SignatureError),
}

/// Source: RFC 5652 §5.3.
fn signer_info(element: &Element<'_>) -> Result<SignerInfo, CmsError> {
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
fn signed_attributes(element: &Element<'_>) -> Result<SignedAttributes, CmsError> {
    let (mut content_type, mut message_digest, mut signing_time) = (None, None, None);
    let list = element.inside().all()?;
    for attribute in &list {
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
            return Err(CmsError::Part("signed attribute"));
        };
        *slot = Some(*value);
    }
    let missing = CmsError::Part("signed attribute");
    let (Some(content_type), Some(message_digest)) = (content_type, message_digest) else {
        return Err(missing);
    };
    if message_digest.tag != OCTET_STRING {
        return Err(missing);
    }
    Ok(SignedAttributes {
        list: list.iter().map(|one| one.whole.to_vec()).collect(),
        content_type: oid(&content_type)?,
        message_digest: message_digest.value.to_vec(),
        signing_time: signing_time.map(|value| instant(&value)).transpose()?,
    })
}

fn oid(element: &Element<'_>) -> Result<ObjectIdentifier, CmsError> {
    ObjectIdentifier::from_der(element.whole).map_err(|_| CmsError::Part("object identifier"))
}

pub(crate) fn algorithm(element: &Element<'_>) -> Result<AlgorithmIdentifier, CmsError> {
    AlgorithmIdentifier::from_der(element.whole).map_err(|_| CmsError::Part("algorithm"))
}

fn instant(element: &Element<'_>) -> Result<UnixTime, CmsError> {
    let time = Time::from_der(element.whole).map_err(|_| CmsError::Part("signing time"))?;
    Ok(UnixTime(time.to_unix_duration().as_secs()))
}

/// Messages have the signer's, some its issuer's too.
const CERTIFICATES_MAX: usize = 8;

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
