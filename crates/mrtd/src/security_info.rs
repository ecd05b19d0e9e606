//! What a chip says of the protocols that it speaks: EF.CardAccess and data group 14.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §9.2; 9303-10 §3.11.3 and §4.7.14.

use der::Decode;
use der::asn1::ObjectIdentifier;
use thiserror::Error;

use crate::cipher::Cipher;
use crate::curve::Curve;
use crate::hash::Hash;
use crate::signature::{
    EC_KEY, ECDSA_SHA224, ECDSA_SHA256, ECDSA_SHA384, ECDSA_SHA512, PublicKey, SignatureError,
};
use crate::tlv::{self, Element, TlvError};

pub(crate) mod card_access;

/// The protocols of a chip. Those that nobody here speaks are left out.
#[derive(Default)]
pub struct SecurityInfos {
    pub(crate) pace: Vec<PaceInfo>,
    pub(crate) chip_protocols: Vec<ChipProtocol>,
    pub(crate) chip_keys: Vec<ChipKey>,
    /// The hash of active authentication by ECDSA.
    pub(crate) active: Option<Hash>,
}

/// Password authenticated connection establishment. Source: §9.2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaceInfo {
    pub(crate) protocol: ObjectIdentifier,
    pub(crate) mapping: Mapping,
    pub(crate) cipher: Cipher,
    /// Number of the standardized domain parameters.
    pub(crate) parameters: u64,
}

/// How PACE finds the generator that only those who know the password find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mapping {
    Generic,
    Integrated,
    /// Generic, and the chip shows its key with it.
    ChipAuthentication,
}

/// Chip authentication with a cipher, and with the key of this name. Source: §9.2.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChipProtocol {
    pub(crate) protocol: ObjectIdentifier,
    pub(crate) cipher: Cipher,
    pub(crate) key_id: Option<Vec<u8>>,
}

/// A key of the chip's. Source: §9.2.6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChipKey {
    pub(crate) curve: Curve,
    /// Uncompressed; on the curve.
    pub(crate) point: Vec<u8>,
    pub(crate) key_id: Option<Vec<u8>>,
}

/// Why the list of protocols cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SecurityInfoError {
    /// The frame is broken.
    #[error("malformed list of the chip's protocols")]
    Frame(#[from] TlvError),
    /// More than 64 KiB.
    #[error("the list of the chip's protocols is larger than 64 KiB")]
    TooLarge,
}

/// An entry, key or algorithm that is of another form, or of none that is known here.
struct NotUnderstood;

impl From<TlvError> for NotUnderstood {
    fn from(_: TlvError) -> NotUnderstood {
        NotUnderstood
    }
}

impl SecurityInfos {
    /// Reads EF.DG14: tag `6E` around the list.
    ///
    /// # Errors
    ///
    /// [`SecurityInfoError`].
    pub fn parse_dg14(file: &[u8]) -> Result<SecurityInfos, SecurityInfoError> {
        SecurityInfos::parse(SecurityInfos::list_of_dg14(file)?)
    }

    fn list_of_dg14(file: &[u8]) -> Result<&[u8], SecurityInfoError> {
        if file.len() > MAX_LEN {
            return Err(SecurityInfoError::TooLarge);
        }
        Ok(tlv::single(file, DG14_TAG)?.value)
    }

    /// Reads the list of EF.CardAccess.
    ///
    /// # Errors
    ///
    /// [`SecurityInfoError`].
    pub fn parse(list: &[u8]) -> Result<SecurityInfos, SecurityInfoError> {
        let mut infos = SecurityInfos::default();
        for entry in tlv::single(list, SET)?.inside().all()? {
            // What nobody here understands is nothing that the chip offers here.
            let _not_understood = infos.add(&entry);
        }
        Ok(infos)
    }

    fn add(&mut self, entry: &Element<'_>) -> Result<(), NotUnderstood> {
        let mut fields = tlv::single(entry.whole, SEQUENCE)?.inside();
        let protocol =
            ObjectIdentifier::from_der(fields.expect(OID)?.whole).map_err(|_| NotUnderstood)?;
        let fields = fields.all()?;
        let [required, optional @ ..] = fields.as_slice() else {
            return Err(NotUnderstood);
        };
        let number = |element: Option<&Element<'_>>| match element {
            Some(element) if element.tag == INTEGER => Ok(Some(element.value.to_vec())),
            None => Ok(None),
            Some(_) => Err(NotUnderstood),
        };
        if let Some((mapping, cipher)) = pace_protocol(&protocol) {
            // Without a number the parameters are the chip's own, which nobody has.
            if let Some(parameters) = number(optional.first())?.and_then(|id| small(&id)) {
                self.pace.push(PaceInfo {
                    protocol,
                    mapping,
                    cipher,
                    parameters,
                });
            }
        } else if has_prefix(&protocol, &CA_ECDH) {
            if let Some(cipher) = Cipher::of_protocol(&protocol) {
                let key_id = number(optional.first())?;
                self.chip_protocols.push(ChipProtocol {
                    protocol,
                    cipher,
                    key_id,
                });
            }
        } else if protocol == PK_ECDH {
            let (curve, point) = agreement_key(required).map_err(|_| NotUnderstood)?;
            let key_id = number(optional.first())?;
            self.chip_keys.push(ChipKey {
                curve,
                point,
                key_id,
            });
        } else if protocol == ACTIVE_AUTHENTICATION {
            let algorithm = optional.first().ok_or(NotUnderstood)?;
            let algorithm = ObjectIdentifier::from_der(algorithm.whole);
            self.active = ecdsa_hash(&algorithm.map_err(|_| NotUnderstood)?);
        }
        Ok(())
    }
}

/// The key of an agreement: a `SubjectPublicKeyInfo` whose curve is named, spelled out, or given as
/// a number of the standardized ones.
fn agreement_key(info: &Element<'_>) -> Result<(Curve, Vec<u8>), SignatureError> {
    let mut fields = tlv::single(info.whole, SEQUENCE)?.inside();
    let mut algorithm = fields.expect(SEQUENCE)?.inside();
    let kind = ObjectIdentifier::from_der(algorithm.expect(OID)?.whole);
    if kind == Ok(EC_KEY) {
        return match PublicKey::from_spki(info.whole)? {
            PublicKey::Ec(curve, point) => Ok((curve, uncompressed(point)?)),
            PublicKey::Rsa(..) => Err(SignatureError::OtherKind),
        };
    }
    if kind != Ok(STANDARDIZED) {
        return Err(SignatureError::Key);
    }
    let number = small(algorithm.expect(INTEGER)?.value);
    let curve = number.and_then(Curve::standardized);
    let curve = curve.ok_or(SignatureError::UnknownCurve)?;
    let point = match fields.expect(BIT_STRING)?.value {
        [0, point @ ..] => uncompressed(point.to_vec())?,
        _ => return Err(SignatureError::Key),
    };
    if curve.arithmetic().is_point(&point) {
        Ok((curve, point))
    } else {
        Err(SignatureError::Key)
    }
}

fn uncompressed(point: Vec<u8>) -> Result<Vec<u8>, SignatureError> {
    match point.first() {
        Some(4) => Ok(point),
        _ => Err(SignatureError::Key),
    }
}

fn small(number: &[u8]) -> Option<u64> {
    let octets = number.iter().skip_while(|octet| **octet == 0);
    let (mut value, mut count) = (0_u64, 0);
    for octet in octets {
        value = value << 8 | u64::from(*octet);
        count += 1;
    }
    (count <= 8).then_some(value)
}

fn pace_protocol(protocol: &ObjectIdentifier) -> Option<(Mapping, Cipher)> {
    let mapping = match protocol.parent()? {
        PACE_ECDH_GM => Mapping::Generic,
        PACE_ECDH_IM => Mapping::Integrated,
        PACE_ECDH_CAM => Mapping::ChipAuthentication,
        _ => return None,
    };
    Some((mapping, Cipher::of_protocol(protocol)?))
}

fn has_prefix(protocol: &ObjectIdentifier, parent: &ObjectIdentifier) -> bool {
    protocol.parent() == Some(*parent)
}

/// The hash of a plain signature, or of the other form, by which some states call it.
fn ecdsa_hash(algorithm: &ObjectIdentifier) -> Option<Hash> {
    let number = algorithm.arcs().last()?;
    if has_prefix(algorithm, &ECDSA_PLAIN) {
        return match number {
            1 => Some(Hash::Sha1),
            2 => Some(Hash::Sha224),
            3 => Some(Hash::Sha256),
            4 => Some(Hash::Sha384),
            5 => Some(Hash::Sha512),
            _ => None,
        };
    }
    match *algorithm {
        ECDSA_SHA224 => Some(Hash::Sha224),
        ECDSA_SHA256 => Some(Hash::Sha256),
        ECDSA_SHA384 => Some(Hash::Sha384),
        ECDSA_SHA512 => Some(Hash::Sha512),
        _ => None,
    }
}

const MAX_LEN: usize = 1 << 16;
/// Source: ICAO Doc 9303-10, 8th edition, §4.7.14.
pub(crate) const DG14_TAG: u32 = 0x6E;

// Source: ITU-T X.690 §8.
const INTEGER: u32 = 0x02;
const BIT_STRING: u32 = 0x03;
const OID: u32 = 0x06;
const SEQUENCE: u32 = 0x30;
const SET: u32 = 0x31;

// Source: ICAO Doc 9303-11, 8th edition, §9.2 and BSI TR-03111, version 2.10, §5.2.1 for the plain
// signatures.
pub(crate) const PACE_ECDH_GM: ObjectIdentifier = identifier("0.4.0.127.0.7.2.2.4.2");
pub(crate) const PACE_ECDH_IM: ObjectIdentifier = identifier("0.4.0.127.0.7.2.2.4.4");
pub(crate) const PACE_ECDH_CAM: ObjectIdentifier = identifier("0.4.0.127.0.7.2.2.4.6");
pub(crate) const CA_ECDH: ObjectIdentifier = identifier("0.4.0.127.0.7.2.2.3.2");
pub(crate) const PK_ECDH: ObjectIdentifier = identifier("0.4.0.127.0.7.2.2.1.2");
pub(crate) const ACTIVE_AUTHENTICATION: ObjectIdentifier = identifier("2.23.136.1.1.5");
pub(crate) const ECDSA_PLAIN: ObjectIdentifier = identifier("0.4.0.127.0.7.1.1.4.1");
pub(crate) const STANDARDIZED: ObjectIdentifier = identifier("0.4.0.127.0.7.1.2");

const fn identifier(dotted: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(dotted)
}
