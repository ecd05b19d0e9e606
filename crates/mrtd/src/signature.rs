//! Public keys and signatures: RSA (PKCS #1 v1.5 and PSS) and ECDSA.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use thiserror::Error;
use x509_cert::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::curve::{Curve, significant};
use crate::hash::{Hash, HashError};
use crate::tlv::{self, TlvError};

/// A public key of a certificate.
pub(crate) enum PublicKey {
    /// With the parameters that a key for PSS alone may be bound to.
    Rsa(RsaPublicKey, RsaUse),
    /// With the point, which is on the curve.
    Ec(Curve, Vec<u8>),
}

/// What an RSA key may be used for, as its algorithm identifier says.
pub(crate) enum RsaUse {
    Any,
    PssOnly,
    PssWith(Scheme),
}

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Pkcs1(Hash),
    Pss { hash: Hash, salt_len: u16 },
    Ecdsa(Hash),
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` in DER.
    pub(crate) fn from_spki(info: &[u8]) -> Result<PublicKey, SignatureError> {
        PublicKey::read(info, RSA_MIN_BITS)
    }

    /// Reads the key with which a chip signs challenges, and nothing else: RSA keys of 1024 bits
    /// are common there.
    pub(crate) fn of_chip(info: &[u8]) -> Result<PublicKey, SignatureError> {
        PublicKey::read(info, CHIP_RSA_MIN_BITS)
    }

    fn read(info: &[u8], rsa_min_bits: u32) -> Result<PublicKey, SignatureError> {
        let info = SubjectPublicKeyInfo::from_der(info).map_err(|_| SignatureError::Key)?;
        let key = info
            .subject_public_key
            .as_bytes()
            .ok_or(SignatureError::Key)?;
        match info.algorithm.oid {
            RSA => Ok(PublicKey::Rsa(rsa_key(key, rsa_min_bits)?, RsaUse::Any)),
            RSA_PSS if info.algorithm.parameters.is_none() => {
                Ok(PublicKey::Rsa(rsa_key(key, rsa_min_bits)?, RsaUse::PssOnly))
            }
            RSA_PSS => {
                let bound = RsaUse::PssWith(pss_scheme(&info.algorithm)?);
                Ok(PublicKey::Rsa(rsa_key(key, rsa_min_bits)?, bound))
            }
            EC_KEY => ec_key(&info.algorithm, key),
            other => Err(SignatureError::Unsupported(other.to_string())),
        }
    }

    /// Kind and size, as people write them: `RSA 2048`, `ECDSA brainpoolP256r1`.
    pub(crate) fn name(&self) -> String {
        match self {
            PublicKey::Rsa(key, _) => format!("RSA {}", key.n().bits()),
            PublicKey::Ec(curve, _) => format!("ECDSA {}", curve.name()),
        }
    }

    /// The key with a scheme, as people write it: `RSA 2048, PSS with SHA-256`.
    pub(crate) fn describe(&self, scheme: Scheme) -> String {
        let padding = match scheme {
            Scheme::Pss { .. } => ", PSS",
            Scheme::Pkcs1(_) | Scheme::Ecdsa(_) => "",
        };
        format!("{}{padding} with {}", self.name(), scheme.hash().name())
    }

    /// Checks `signature` over `message`.
    pub(crate) fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let fits = match (self, scheme) {
            (PublicKey::Rsa(key, usable), Scheme::Pkcs1(hash)) => {
                usable.allows(scheme)?;
                fits_pkcs1(key, hash, message, signature)
            }
            (PublicKey::Rsa(key, usable), Scheme::Pss { hash, salt_len }) => {
                usable.allows(scheme)?;
                fits_pss(key, hash, usize::from(salt_len), message, signature)
            }
            (PublicKey::Ec(curve, point), Scheme::Ecdsa(hash)) => {
                scalars(signature).is_some_and(|(r, s)| {
                    let digest = hash.digest(message);
                    curve.arithmetic().verify(point, &digest, r, s)
                })
            }
            (PublicKey::Rsa(..), Scheme::Ecdsa(_))
            | (PublicKey::Ec(..), Scheme::Pkcs1(_) | Scheme::Pss { .. }) => {
                return Err(SignatureError::OtherKind);
            }
        };
        if fits {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

impl RsaUse {
    /// Source: RFC 4055 §3.3: a bound key needs the same hash and at least the same salt.
    fn allows(&self, scheme: Scheme) -> Result<(), SignatureError> {
        let allowed = match (self, scheme) {
            (RsaUse::Any, _) | (RsaUse::PssOnly, Scheme::Pss { .. }) => true,
            (
                RsaUse::PssWith(Scheme::Pss {
                    hash: bound,
                    salt_len: least,
                }),
                Scheme::Pss { hash, salt_len },
            ) => *bound == hash && salt_len >= *least,
            (RsaUse::PssOnly | RsaUse::PssWith(_), _) => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(SignatureError::OtherKind)
        }
    }
}

impl Scheme {
    /// The hash that the signature rests on.
    pub(crate) fn hash(self) -> Hash {
        match self {
            Scheme::Pkcs1(hash) | Scheme::Pss { hash, .. } | Scheme::Ecdsa(hash) => hash,
        }
    }

    /// Reads a signature algorithm. `digest` is the hash that CMS names apart from it; it counts
    /// where the identifier names the kind of key only.
    pub(crate) fn from_algorithm(
        algorithm: &AlgorithmIdentifier,
        digest: Option<Hash>,
    ) -> Result<Scheme, SignatureError> {
        Ok(match algorithm.oid {
            RSA => Scheme::Pkcs1(digest.ok_or(SignatureError::Parameters)?),
            RSA_SHA1 | RSA_SHA1_OIW => Scheme::Pkcs1(Hash::Sha1),
            RSA_SHA224 => Scheme::Pkcs1(Hash::Sha224),
            RSA_SHA256 => Scheme::Pkcs1(Hash::Sha256),
            RSA_SHA384 => Scheme::Pkcs1(Hash::Sha384),
            RSA_SHA512 => Scheme::Pkcs1(Hash::Sha512),
            RSA_PSS => pss_scheme(algorithm)?,
            EC_KEY => Scheme::Ecdsa(digest.ok_or(SignatureError::Parameters)?),
            ECDSA_SHA1 => Scheme::Ecdsa(Hash::Sha1),
            ECDSA_SHA224 => Scheme::Ecdsa(Hash::Sha224),
            ECDSA_SHA256 => Scheme::Ecdsa(Hash::Sha256),
            ECDSA_SHA384 => Scheme::Ecdsa(Hash::Sha384),
            ECDSA_SHA512 => Scheme::Ecdsa(Hash::Sha512),
            RSA_MD5 => return Err(HashError::Broken.into()),
            other => return Err(SignatureError::Unsupported(other.to_string())),
        })
    }
}

/// Why a signature is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// It does not fit the message and the key.
    #[error("the signature does not fit")]
    Invalid,
    /// It rests on a hash function that is refused.
    #[error("refused hash function")]
    Hash(#[from] HashError),
    /// An algorithm or curve that is not supported, by its object identifier.
    #[error("algorithm {0} is not supported")]
    Unsupported(String),
    /// The key spells out a curve that is none of the known ones.
    #[error("the key is on a curve that nobody knows")]
    UnknownCurve,
    /// PSS with different hash functions for message and mask; not supported.
    #[error("mask generation with another hash function is not supported")]
    MaskHash,
    /// An RSA key outside 2048 to 8192 bits.
    #[error("an rsa key of {0} bits is not accepted")]
    KeySize(u32),
    /// The key cannot be read.
    #[error("malformed public key")]
    Key,
    /// The parameters of the algorithm cannot be read.
    #[error("malformed algorithm parameters")]
    Parameters,
    /// The key is not meant for this kind of signature.
    #[error("the key is of another kind than the signature")]
    OtherKind,
}

impl From<TlvError> for SignatureError {
    fn from(_: TlvError) -> SignatureError {
        SignatureError::Parameters
    }
}

fn fits_pkcs1(key: &RsaPublicKey, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    let padding = match hash {
        Hash::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
        Hash::Sha224 => Pkcs1v15Sign::new::<Sha224>(),
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    };
    key.verify(padding, &hash.digest(message), signature)
        .is_ok()
}

fn fits_pss(
    key: &RsaPublicKey,
    hash: Hash,
    salt_len: usize,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let digest = hash.digest(message);
    match hash {
        Hash::Sha1 => key.verify(Pss::<Sha1>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha224 => key.verify(Pss::<Sha224>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha256 => key.verify(Pss::<Sha256>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha384 => key.verify(Pss::<Sha384>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha512 => key.verify(Pss::<Sha512>::new_with_salt(salt_len), &digest, signature),
    }
    .is_ok()
}

fn rsa_key(key: &[u8], min_bits: u32) -> Result<RsaPublicKey, SignatureError> {
    let malformed = |_| SignatureError::Key;
    let mut inside = tlv::single(key, 0x30).map_err(malformed)?.inside();
    let modulus = unsigned(inside.expect(0x02).map_err(malformed)?.value)?;
    let exponent = unsigned(inside.expect(0x02).map_err(malformed)?.value)?;
    inside.end().map_err(malformed)?;
    let bits = u32::try_from(modulus.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8);
    let bits = bits.saturating_sub(modulus.first().map_or(0, |byte| byte.leading_zeros()));
    if !(min_bits..=RSA_MAX_BITS).contains(&bits) {
        return Err(SignatureError::KeySize(bits));
    }
    let number = |bytes: &[u8]| {
        let precision = u32::try_from(bytes.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(8);
        BoxedUint::from_be_slice(bytes, precision).map_err(|_| SignatureError::Key)
    };
    RsaPublicKey::new(number(modulus)?, number(exponent)?).map_err(|_| SignatureError::Key)
}

/// The magnitude of an INTEGER that is not negative, without leading zeros, of which some signers
/// write more than DER allows.
fn unsigned(integer: &[u8]) -> Result<&[u8], SignatureError> {
    match integer {
        [first, ..] if first & 0x80 == 0 => Ok(significant(integer)),
        _ => Err(SignatureError::Key),
    }
}

fn ec_key(algorithm: &AlgorithmIdentifier, point: &[u8]) -> Result<PublicKey, SignatureError> {
    let parameters = algorithm.parameters.as_ref().ok_or(SignatureError::Key)?;
    let parameters = parameters.to_der().map_err(|_| SignatureError::Key)?;
    let curve = Curve::from_parameters(&parameters)?;
    if curve.arithmetic().is_point(point) {
        Ok(PublicKey::Ec(curve, point.to_vec()))
    } else {
        Err(SignatureError::Key)
    }
}

/// `RSASSA-PSS-params`, in which SHA-1 is what stands for an absent hash.
///
/// Source: RFC 4055 §3.1.
fn pss_scheme(algorithm: &AlgorithmIdentifier) -> Result<Scheme, SignatureError> {
    let Some(parameters) = algorithm.parameters.as_ref() else {
        return Err(SignatureError::Parameters); // required for a signature
    };
    let parameters = parameters
        .to_der()
        .map_err(|_| SignatureError::Parameters)?;
    let mut inside = tlv::single(&parameters, 0x30)?.inside();
    let hash = match inside.optional(0xA0)? {
        Some(field) => Hash::from_oid(&inner_algorithm(field.value)?.oid)?,
        None => Hash::Sha1,
    };
    let mask_hash = match inside.optional(0xA1)? {
        Some(field) => mask_hash(&inner_algorithm(field.value)?)?,
        None => Hash::Sha1,
    };
    if mask_hash != hash {
        return Err(SignatureError::MaskHash);
    }
    let salt_len = match inside.optional(0xA2)? {
        Some(field) => small_number(field.value)?,
        None => PSS_DEFAULT_SALT_LEN,
    };
    let trailer = inside
        .optional(0xA3)?
        .map(|field| small_number(field.value))
        .transpose()?;
    inside.end()?;
    if trailer.is_some_and(|field| field != PSS_TRAILER) || salt_len > PSS_MAX_SALT_LEN {
        return Err(SignatureError::Parameters);
    }
    Ok(Scheme::Pss { hash, salt_len })
}

/// The hash of a mask generation function, which is always the one of RFC 8017.
fn mask_hash(mask: &AlgorithmIdentifier) -> Result<Hash, SignatureError> {
    if mask.oid != MGF1 {
        return Err(SignatureError::Unsupported(mask.oid.to_string()));
    }
    let hash = mask.parameters.as_ref().ok_or(SignatureError::Parameters)?;
    let hash = hash.to_der().map_err(|_| SignatureError::Parameters)?;
    Ok(Hash::from_oid(&inner_algorithm(&hash)?.oid)?)
}

fn inner_algorithm(der: &[u8]) -> Result<AlgorithmIdentifier, SignatureError> {
    AlgorithmIdentifier::from_der(der).map_err(|_| SignatureError::Parameters)
}

fn small_number(field: &[u8]) -> Result<u16, SignatureError> {
    u16::from_der(field).map_err(|_| SignatureError::Parameters)
}

/// The two numbers of an `Ecdsa-Sig-Value`.
///
/// Source: RFC 3279 §2.2.3.
pub(crate) fn scalars(signature: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut inside = tlv::single(signature, 0x30).ok()?.inside();
    let r = unsigned(inside.expect(0x02).ok()?.value).ok()?;
    let s = unsigned(inside.expect(0x02).ok()?.value).ok()?;
    inside.end().ok()?;
    Some((r, s))
}

/// The smallest and largest RSA modulus. ICAO Doc 9303-12, 8th edition, §4.1.6 wants appropriate
/// lengths and names none; the largest seen in issuing states' certificates is 6144.
const RSA_MIN_BITS: u32 = 2048;
const RSA_MAX_BITS: u32 = 8192;
/// The smallest modulus of a chip's own key, which many passports have; ICAO Doc 9303-11, 8th
/// edition, §6.1.4 names none.
const CHIP_RSA_MIN_BITS: u32 = 1024;

// Source: RFC 4055 §3.1.
const PSS_DEFAULT_SALT_LEN: u16 = 20;
const PSS_TRAILER: u16 = 1;
/// Longer than any hash; a bound on what a signer may ask for.
const PSS_MAX_SALT_LEN: u16 = 512;

// Source: RFC 8017, appendix C; RFC 5758 §3.2; RFC 5480 §2.1.1.
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4");
/// What the Open Systems Implementors' Workshop called it before RFC 8017 did.
const RSA_SHA1_OIW: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.29");
pub(crate) const RSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
pub(crate) const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
pub(crate) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
pub(crate) const RSA_SHA256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const RSA_SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.14");
pub(crate) const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ECDSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
pub(crate) const ECDSA_SHA224: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.1");
pub(crate) const ECDSA_SHA256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
pub(crate) const ECDSA_SHA384: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
pub(crate) const ECDSA_SHA512: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

#[cfg(test)]
mod tests;
