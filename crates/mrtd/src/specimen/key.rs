//! Keys that sign specimens.

use der::Encode;
use der::asn1::ObjectIdentifier;
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use rand_core::CryptoRng;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::SpecimenError;
use crate::hash::Hash;
use crate::signature::{EC_KEY, ECDSA_SHA256, MGF1, P256, RSA, RSA_PSS, RSA_SHA256};
use crate::tlv;

/// How a specimen is signed, always with SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// ECDSA on P-256.
    EcdsaP256,
    /// RSA of 2048 bits, PKCS #1 v1.5.
    RsaPkcs1,
    /// RSA of 2048 bits, PSS with a salt of 32 bytes.
    RsaPss,
}

/// A private key, with the kind of its signatures.
pub(crate) enum SpecimenKey {
    EcdsaP256(SigningKey),
    RsaPkcs1(RsaPrivateKey),
    RsaPss(RsaPrivateKey),
}

impl SpecimenKey {
    pub(crate) fn generate(
        kind: SignatureKind,
        rng: &mut impl CryptoRng,
    ) -> Result<SpecimenKey, SpecimenError> {
        let rsa = |rng| RsaPrivateKey::new(rng, RSA_BITS).map_err(|_| SpecimenError::Key);
        Ok(match kind {
            SignatureKind::EcdsaP256 => SpecimenKey::EcdsaP256(p256_key(rng)),
            SignatureKind::RsaPkcs1 => SpecimenKey::RsaPkcs1(rsa(rng)?),
            SignatureKind::RsaPss => SpecimenKey::RsaPss(rsa(rng)?),
        })
    }

    /// Signs `message` hashed with SHA-256.
    pub(super) fn sign(
        &self,
        message: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<u8>, SpecimenError> {
        let digest = Sha256::digest(message);
        match self {
            SpecimenKey::EcdsaP256(key) => {
                let pair: Signature = key.sign_prehash(&digest).map_err(|_| SpecimenError::Key)?;
                Ok(ecdsa_value(&pair.to_bytes()))
            }
            SpecimenKey::RsaPkcs1(key) => key
                .sign_with_rng(rng, Pkcs1v15Sign::new::<Sha256>(), &digest)
                .map_err(|_| SpecimenError::Key),
            SpecimenKey::RsaPss(key) => key
                .sign_with_rng(rng, Pss::<Sha256>::new(), &digest)
                .map_err(|_| SpecimenError::Key),
        }
    }

    /// The `AlgorithmIdentifier` of this key's signatures.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        match self {
            SpecimenKey::EcdsaP256(_) => algorithm(ECDSA_SHA256, &[]),
            SpecimenKey::RsaPkcs1(_) => algorithm(RSA_SHA256, NULL),
            SpecimenKey::RsaPss(_) => {
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
        let (identifier, key) = match self {
            SpecimenKey::EcdsaP256(key) => (
                algorithm(EC_KEY, &oid(P256)),
                key.verifying_key().to_sec1_bytes().into_vec(),
            ),
            SpecimenKey::RsaPkcs1(key) | SpecimenKey::RsaPss(key) => {
                let numbers = [
                    unsigned_integer(&key.n_bytes()),
                    unsigned_integer(&key.e().to_be_bytes_trimmed_vartime()),
                ];
                (
                    algorithm(RSA, NULL),
                    tlv::element(0x30, &[&numbers[0], &numbers[1]]),
                )
            }
        };
        tlv::element(0x30, &[&identifier, &bit_string(&key)])
    }
}

fn p256_key(rng: &mut impl CryptoRng) -> SigningKey {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    loop {
        rng.fill_bytes(bytes.as_mut_slice());
        // Fails for zero and for what is not below the order: less than once in 2^32.
        if let Ok(key) = SigningKey::from_slice(bytes.as_slice()) {
            return key;
        }
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

fn ecdsa_value(pair: &[u8]) -> Vec<u8> {
    let (r, s) = pair.split_at(pair.len() / 2);
    tlv::element(0x30, &[&unsigned_integer(r), &unsigned_integer(s)])
}

const RSA_BITS: usize = 2048;
pub(super) const NULL: &[u8] = &[0x05, 0x00];
