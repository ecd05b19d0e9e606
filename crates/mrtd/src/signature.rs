//! Public keys and signatures: RSA (PKCS #1 v1.5 and PSS) and ECDSA on the NIST curves.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use thiserror::Error;
use x509_cert::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::hash::{Hash, HashError};
use crate::tlv::{self, TlvError};

/// A public key of a certificate.
pub(crate) enum PublicKey {
    /// With the parameters that a key for PSS alone may be bound to.
    Rsa(RsaPublicKey, RsaUse),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
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
        let info = SubjectPublicKeyInfo::from_der(info).map_err(|_| SignatureError::Key)?;
        let key = info
            .subject_public_key
            .as_bytes()
            .ok_or(SignatureError::Key)?;
        match info.algorithm.oid {
            RSA => Ok(PublicKey::Rsa(rsa_key(key)?, RsaUse::Any)),
            RSA_PSS if info.algorithm.parameters.is_none() => {
                Ok(PublicKey::Rsa(rsa_key(key)?, RsaUse::PssOnly))
            }
            RSA_PSS => {
                let bound = RsaUse::PssWith(pss_scheme(&info.algorithm)?);
                Ok(PublicKey::Rsa(rsa_key(key)?, bound))
            }
            EC_KEY => ec_key(&info.algorithm, key),
            other => Err(SignatureError::Unsupported(other.to_string())),
        }
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
            (PublicKey::P256(key), Scheme::Ecdsa(hash)) => scalars::<32>(signature)
                .and_then(|pair| p256::ecdsa::Signature::from_slice(&pair).ok())
                .is_some_and(|pair| key.verify_prehash(&hash.digest(message), &pair).is_ok()),
            (PublicKey::P384(key), Scheme::Ecdsa(hash)) => scalars::<48>(signature)
                .and_then(|pair| p384::ecdsa::Signature::from_slice(&pair).ok())
                .is_some_and(|pair| key.verify_prehash(&hash.digest(message), &pair).is_ok()),
            (PublicKey::P521(key), Scheme::Ecdsa(hash)) => scalars::<66>(signature)
                .and_then(|pair| p521::ecdsa::Signature::from_slice(&pair).ok())
                .is_some_and(|pair| key.verify_prehash(&hash.digest(message), &pair).is_ok()),
            (PublicKey::Rsa(..), Scheme::Ecdsa(_))
            | (
                PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::P521(_),
                Scheme::Pkcs1(_) | Scheme::Pss { .. },
            ) => return Err(SignatureError::OtherKind),
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
    /// Reads a signature algorithm. `digest` is the hash that CMS names apart from it; it counts
    /// where the identifier names the kind of key only.
    pub(crate) fn from_algorithm(
        algorithm: &AlgorithmIdentifier,
        digest: Option<Hash>,
    ) -> Result<Scheme, SignatureError> {
        Ok(match algorithm.oid {
            RSA => Scheme::Pkcs1(digest.ok_or(SignatureError::Parameters)?),
            RSA_SHA224 => Scheme::Pkcs1(Hash::Sha224),
            RSA_SHA256 => Scheme::Pkcs1(Hash::Sha256),
            RSA_SHA384 => Scheme::Pkcs1(Hash::Sha384),
            RSA_SHA512 => Scheme::Pkcs1(Hash::Sha512),
            RSA_PSS => pss_scheme(algorithm)?,
            ECDSA_SHA224 => Scheme::Ecdsa(Hash::Sha224),
            ECDSA_SHA256 => Scheme::Ecdsa(Hash::Sha256),
            ECDSA_SHA384 => Scheme::Ecdsa(Hash::Sha384),
            ECDSA_SHA512 => Scheme::Ecdsa(Hash::Sha512),
            RSA_MD5 | RSA_SHA1 | ECDSA_SHA1 => return Err(HashError::Broken.into()),
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
    /// The key spells out its curve instead of naming it; not supported yet.
    #[error("explicit curve parameters are not supported")]
    ExplicitCurve,
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
        Hash::Sha224 => key.verify(Pss::<Sha224>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha256 => key.verify(Pss::<Sha256>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha384 => key.verify(Pss::<Sha384>::new_with_salt(salt_len), &digest, signature),
        Hash::Sha512 => key.verify(Pss::<Sha512>::new_with_salt(salt_len), &digest, signature),
    }
    .is_ok()
}

fn rsa_key(key: &[u8]) -> Result<RsaPublicKey, SignatureError> {
    let malformed = |_| SignatureError::Key;
    let mut inside = tlv::single(key, 0x30).map_err(malformed)?.inside();
    let modulus = unsigned(inside.expect(0x02).map_err(malformed)?.value)?;
    let exponent = unsigned(inside.expect(0x02).map_err(malformed)?.value)?;
    inside.end().map_err(malformed)?;
    let bits = u32::try_from(modulus.len())
        .unwrap_or(u32::MAX)
        .saturating_mul(8);
    let bits = bits.saturating_sub(modulus.first().map_or(0, |byte| byte.leading_zeros()));
    if !(RSA_MIN_BITS..=RSA_MAX_BITS).contains(&bits) {
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

/// The magnitude of a positive INTEGER, without a leading zero.
fn unsigned(integer: &[u8]) -> Result<&[u8], SignatureError> {
    match integer {
        [0, rest @ ..] if !rest.is_empty() => Ok(rest),
        [first, ..] if first & 0x80 == 0 => Ok(integer),
        _ => Err(SignatureError::Key),
    }
}

fn ec_key(algorithm: &AlgorithmIdentifier, point: &[u8]) -> Result<PublicKey, SignatureError> {
    let parameters = algorithm.parameters.as_ref().ok_or(SignatureError::Key)?;
    let parameters = parameters.to_der().map_err(|_| SignatureError::Key)?;
    // X9.62 `Parameters`: an OID names the curve, a SEQUENCE spells it out.
    if parameters.first() == Some(&0x30) {
        return Err(SignatureError::ExplicitCurve);
    }
    let curve = ObjectIdentifier::from_der(&parameters).map_err(|_| SignatureError::Key)?;
    match curve {
        P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .ok()
            .map(PublicKey::P256),
        P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .ok()
            .map(PublicKey::P384),
        P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(point)
            .ok()
            .map(PublicKey::P521),
        other => return Err(SignatureError::Unsupported(other.to_string())),
    }
    .ok_or(SignatureError::Key)
}

/// `RSASSA-PSS-params`. What is absent stands for SHA-1, which is refused.
///
/// Source: RFC 4055 §3.1.
fn pss_scheme(algorithm: &AlgorithmIdentifier) -> Result<Scheme, SignatureError> {
    let parameters = algorithm.parameters.as_ref().ok_or(HashError::Broken)?;
    let parameters = parameters
        .to_der()
        .map_err(|_| SignatureError::Parameters)?;
    let mut inside = tlv::single(&parameters, 0x30)?.inside();
    let hash = inside.optional(0xA0)?.ok_or(HashError::Broken)?;
    let hash = Hash::from_oid(&inner_algorithm(hash.value)?.oid)?;
    let mask = inside.optional(0xA1)?.ok_or(HashError::Broken)?;
    let mask = inner_algorithm(mask.value)?;
    let mask_parameters = mask.parameters.as_ref().ok_or(SignatureError::Parameters)?;
    let mask_hash = mask_parameters
        .to_der()
        .map_err(|_| SignatureError::Parameters)?;
    let mask_hash = Hash::from_oid(&inner_algorithm(&mask_hash)?.oid)?;
    if mask.oid != MGF1 {
        return Err(SignatureError::Unsupported(mask.oid.to_string()));
    }
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

fn inner_algorithm(der: &[u8]) -> Result<AlgorithmIdentifier, SignatureError> {
    AlgorithmIdentifier::from_der(der).map_err(|_| SignatureError::Parameters)
}

fn small_number(field: &[u8]) -> Result<u16, SignatureError> {
    u16::from_der(field).map_err(|_| SignatureError::Parameters)
}

/// The two numbers of an `Ecdsa-Sig-Value`, each in `N` bytes.
///
/// Source: RFC 3279 §2.2.3.
fn scalars<const N: usize>(signature: &[u8]) -> Option<Vec<u8>> {
    let mut inside = tlv::single(signature, 0x30).ok()?.inside();
    let mut pair = Vec::with_capacity(2 * N);
    for _ in 0..2 {
        let number = unsigned(inside.expect(0x02).ok()?.value).ok()?;
        pair.extend(core::iter::repeat_n(0, N.checked_sub(number.len())?));
        pair.extend_from_slice(number);
    }
    inside.end().ok()?;
    Some(pair)
}

/// The smallest and largest RSA modulus. Source: ICAO Doc 9303-12, 8th edition, §4.1.6 for the
/// smallest; the largest seen in issuing states' certificates is 6144.
const RSA_MIN_BITS: u32 = 2048;
const RSA_MAX_BITS: u32 = 8192;

// Source: RFC 4055 §3.1.
const PSS_DEFAULT_SALT_LEN: u16 = 20;
const PSS_TRAILER: u16 = 1;
/// Longer than any hash; a bound on what a signer may ask for.
const PSS_MAX_SALT_LEN: u16 = 512;

// Source: RFC 8017, appendix C; RFC 5758 §3.2; RFC 5480 §2.1.1.
pub(crate) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4");
const RSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
pub(crate) const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
pub(crate) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
pub(crate) const RSA_SHA256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const RSA_SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.14");
pub(crate) const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(crate) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ECDSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
const ECDSA_SHA224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.1");
pub(crate) const ECDSA_SHA256: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

#[cfg(test)]
mod tests;
