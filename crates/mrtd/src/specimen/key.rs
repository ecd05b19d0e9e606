//! Keys that sign specimens.

use der::Encode;
use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::SpecimenError;
use crate::curve::{Curve, significant};
use crate::hash::Hash;
use crate::signature::{EC_KEY, ECDSA_SHA256, MGF1, RSA, RSA_PSS, RSA_SHA1, RSA_SHA256};
use crate::tlv;

/// How a specimen is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA with SHA-256 on a curve that the key spells out instead of naming it, as the keys of
    /// most issuing states do.
    EcdsaExplicit(Curve),
    /// RSA of 2048 bits, PKCS #1 v1.5 with SHA-256.
    RsaPkcs1,
    /// RSA of 2048 bits, PKCS #1 v1.5 with SHA-1, as documents of earlier years have it.
    RsaPkcs1Sha1,
    /// RSA of 2048 bits, PSS with SHA-256 and a salt of 32 bytes.
    RsaPss,
}

/// The key with which a specimen's chip signs challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveKind {
    /// RSA of so many bits: 1024 to 4096.
    Rsa {
        /// A multiple of eight.
        bits: u16,
    },
    /// ECDSA on this curve with SHA-256.
    Ecdsa(Curve),
}

/// A private key, with the kind of its signatures.
pub(crate) struct SpecimenKey {
    kind: SignatureKind,
    secret: Secret,
}

enum Secret {
    Ec(Curve, Zeroizing<Vec<u8>>),
    Rsa(Box<RsaPrivateKey>),
}

impl SpecimenKey {
    pub(crate) fn generate(
        kind: SignatureKind,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenKey, SpecimenError> {
        let ec = |curve: Curve, rng| Secret::Ec(curve, curve.arithmetic().draw(rng));
        let secret = match kind {
            SignatureKind::EcdsaP256 => ec(Curve::P256, rng),
            SignatureKind::EcdsaExplicit(curve) => ec(curve, rng),
            SignatureKind::RsaPkcs1 | SignatureKind::RsaPkcs1Sha1 | SignatureKind::RsaPss => {
                let key = RsaPrivateKey::new(rng, RSA_BITS).map_err(|_| SpecimenError::Key)?;
                Secret::Rsa(Box::new(key))
            }
        };
        Ok(SpecimenKey { kind, secret })
    }

    /// A key with which a chip signs challenges.
    pub(super) fn of_chip(
        kind: ActiveKind,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenKey, SpecimenError> {
        match kind {
            ActiveKind::Ecdsa(curve) => {
                SpecimenKey::generate(SignatureKind::EcdsaExplicit(curve), rng)
            }
            ActiveKind::Rsa { bits } => {
                let bits = usize::from(bits);
                let key = RsaPrivateKey::new(rng, bits);
                let key = key.map_err(|_| SpecimenError::Key)?;
                Ok(SpecimenKey {
                    kind: SignatureKind::RsaPkcs1,
                    secret: Secret::Rsa(Box::new(key)),
                })
            }
        }
    }

    /// What a chip answers to a challenge.
    ///
    /// Source: ICAO Doc 9303-11, 8th edition, §6.1.2.
    pub(super) fn sign_challenge(
        &self,
        challenge: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Option<Vec<u8>> {
        match &self.secret {
            Secret::Ec(curve, secret) => {
                let digest = Hash::Sha256.digest(challenge);
                let (r, s) = curve.arithmetic().sign(secret, &digest, rng)?;
                let len = curve.order_len();
                let number = |number: &[u8]| {
                    let number = significant(number);
                    [&vec![0; len.saturating_sub(number.len())], number].concat()
                };
                Some([number(&r), number(&s)].concat())
            }
            Secret::Rsa(key) => {
                // `6A`, the chip's own part, the hash over both, and the octets that name it.
                let own_len = key.size().checked_sub(1 + 32 + 2)?;
                let mut own = vec![0; own_len];
                rng.fill_bytes(&mut own);
                let digest = Hash::Sha256.digest(&[own.as_slice(), challenge].concat());
                let message = [&[0x6A], own.as_slice(), &digest, &[0x34, 0xCC]].concat();
                let message = BoxedUint::from_be_slice(&message, key.n_bits_precision()).ok()?;
                let signature =
                    rsa::hazmat::rsa_decrypt_and_check(key.as_ref(), Some(rng), &message);
                let signature = signature.ok()?.to_be_bytes();
                let start = signature.len().checked_sub(key.size())?;
                signature.get(start..).map(<[u8]>::to_vec)
            }
        }
    }

    /// What messages are hashed with.
    pub(super) fn hash(&self) -> Hash {
        if self.kind == SignatureKind::RsaPkcs1Sha1 {
            Hash::Sha1
        } else {
            Hash::Sha256
        }
    }

    pub(super) fn sign(
        &self,
        message: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SpecimenError> {
        let digest = self.hash().digest(message);
        let signature = match (&self.secret, self.kind) {
            (Secret::Ec(curve, secret), _) => {
                let pair = curve.arithmetic().sign(secret, &digest, rng);
                let (r, s) = pair.ok_or(SpecimenError::Key)?;
                let pair = [unsigned_integer(&r), unsigned_integer(&s)];
                return Ok(tlv::element(0x30, &[&pair.concat()]));
            }
            (Secret::Rsa(key), SignatureKind::RsaPss) => {
                key.sign_with_rng(rng, Pss::<Sha256>::new(), &digest)
            }
            (Secret::Rsa(key), SignatureKind::RsaPkcs1Sha1) => {
                key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha1>(), &digest)
            }
            (Secret::Rsa(key), _) => key.sign_with_rng(rng, Pkcs1v15Sign::new::<Sha256>(), &digest),
        };
        signature.map_err(|_| SpecimenError::Key)
    }

    /// The `AlgorithmIdentifier` of this key's signatures.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self.kind {
            SignatureKind::EcdsaP256 | SignatureKind::EcdsaExplicit(_) => {
                algorithm(ECDSA_SHA256, &[])
            }
            SignatureKind::RsaPkcs1 => algorithm(RSA_SHA256, NULL),
            SignatureKind::RsaPkcs1Sha1 => algorithm(RSA_SHA1, NULL),
            SignatureKind::RsaPss => {
                let hash = algorithm(Hash::Sha256.oid(), NULL);
                let parameters = tlv::element(
                    0x30,
                    &[
                        &tlv::element(0xA0, &[&hash]),
                        &tlv::element(0xA1, &[&algorithm(MGF1, &hash)]),
                        &tlv::element(0xA2, &[&[0x02, 1, 32]]),
                    ],
                );
                algorithm(RSA_PSS, &parameters)
            }
        }
    }

    /// The `SubjectPublicKeyInfo`.
    pub(super) fn public_key_info(&self) -> Vec<u8> {
        let (identifier, key) = match &self.secret {
            Secret::Ec(curve, secret) => {
                let parameters = if matches!(self.kind, SignatureKind::EcdsaExplicit(_)) {
                    curve.specified()
                } else {
                    oid(curve.oid())
                };
                let point = curve.arithmetic().point_of(secret);
                (algorithm(EC_KEY, &parameters), point.unwrap_or_default())
            }
            Secret::Rsa(key) => {
                let numbers = [
                    unsigned_integer(&key.n_bytes()),
                    unsigned_integer(&key.e().to_be_bytes_trimmed_vartime()),
                ];
                let numbers = tlv::element(0x30, &[&numbers.concat()]);
                (algorithm(RSA, NULL), numbers)
            }
        };
        tlv::element(0x30, &[&identifier, &bit_string(&key)])
    }
}

pub(super) fn algorithm(kind: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    tlv::element(0x30, &[&oid(kind), parameters])
}

pub(super) fn oid(identifier: ObjectIdentifier) -> Vec<u8> {
    identifier.to_der().unwrap_or_default()
}

pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    tlv::element(0x03, &[&[0], bytes])
}

/// A positive INTEGER of these big-endian bytes.
pub(super) fn unsigned_integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let magnitude = bytes.get(start..).unwrap_or_default();
    // A set first bit would make it negative, and zero has one byte too.
    match magnitude.first() {
        Some(first) if first & 0x80 == 0 => tlv::element(0x02, &[magnitude]),
        _ => tlv::element(0x02, &[&[0], magnitude]),
    }
}

const RSA_BITS: usize = 2048;
pub(super) const NULL: &[u8] = &[0x05, 0x00];
