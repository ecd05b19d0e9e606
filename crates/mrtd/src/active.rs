//! Active authentication: the chip signs a challenge with a key that cannot be copied.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §6.1.

use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPublicKey};
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::curve::Curve;
use crate::hash::Hash;
use crate::security_info::SecurityInfos;
use crate::signature::{PublicKey, SignatureError, scalars};
use crate::tlv::{self, TlvError};

/// Octets that a chip signs; whoever relies on the document draws them for each run.
pub type Challenge = [u8; 8];

/// The key of active authentication: EF.DG15.
pub struct ActiveKey {
    key: PublicKey,
    /// The hash of ECDSA.
    hash: Option<Hash>,
}

/// Why active authentication fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActiveAuthError {
    /// The frame of EF.DG15 is broken.
    #[error("malformed data group 15")]
    Frame(#[from] TlvError),
    /// The key is refused.
    #[error("the chip's key is refused")]
    Key(#[source] SignatureError),
    /// The signature is not one of the key over the challenge.
    #[error("the chip did not sign the challenge")]
    Signature,
}

impl ActiveKey {
    /// Reads EF.DG15; EF.DG14 names the hash of a key on an elliptic curve.
    ///
    /// # Errors
    ///
    /// [`ActiveAuthError`].
    pub fn parse(dg15: &[u8], protocols: &SecurityInfos) -> Result<ActiveKey, ActiveAuthError> {
        let info = tlv::single(dg15, DG15_TAG)?.value;
        let key = PublicKey::of_chip(info).map_err(ActiveAuthError::Key)?;
        let hash = match &key {
            PublicKey::Rsa(..) => None,
            PublicKey::Ec(curve, _) => Some(protocols.active.unwrap_or(usual_hash(*curve))),
        };
        Ok(ActiveKey { key, hash })
    }

    /// Kind and size, as people write them: `RSA 1024`, `ECDSA brainpoolP256r1 with SHA-256`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.hash {
            Some(hash) => format!("{} with {}", self.key.name(), hash.name()),
            None => self.key.name(),
        }
    }

    /// How many octets a signature has.
    #[must_use]
    pub fn signature_len(&self) -> usize {
        match &self.key {
            PublicKey::Rsa(key, _) => key.size(),
            PublicKey::Ec(curve, _) => curve.order_len().saturating_mul(2),
        }
    }

    /// Checks what the chip answered to INTERNAL AUTHENTICATE with this challenge. A signature on an
    /// elliptic curve is plain, as the standard wants it, or in DER, as some chips give it.
    ///
    /// # Errors
    ///
    /// [`ActiveAuthError::Signature`].
    pub fn verify(&self, challenge: &Challenge, signature: &[u8]) -> Result<(), ActiveAuthError> {
        let fits = match (&self.key, self.hash) {
            (PublicKey::Rsa(key, _), _) => {
                recovered(key, signature).is_some_and(|message| message_fits(&message, challenge))
            }
            (PublicKey::Ec(curve, point), Some(hash)) => {
                let digest = hash.digest(challenge);
                let verify =
                    |(r, s): (&[u8], &[u8])| curve.arithmetic().verify(point, &digest, r, s);
                let plain = signature.split_at(signature.len() / 2);
                signature.len() == self.signature_len() && verify(plain)
                    || scalars(signature).is_some_and(verify)
            }
            (PublicKey::Ec(..), None) => false,
        };
        fits.then_some(()).ok_or(ActiveAuthError::Signature)
    }
}

/// The hash that fits a curve, where a document does not name one.
fn usual_hash(curve: Curve) -> Hash {
    match curve.order_len() {
        0..=28 => Hash::Sha224,
        29..=40 => Hash::Sha256,
        41..=48 => Hash::Sha384,
        _ => Hash::Sha512,
    }
}

/// The message representative of a signature, in as many octets as the modulus.
///
/// The signer may give the smaller one of a number and its complement.
///
/// Source: ISO/IEC 9796-2:2010 §B.
fn recovered(key: &RsaPublicKey, signature: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if signature.len() != key.size() {
        return None;
    }
    let signature = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
    if signature >= **key.n() {
        return None;
    }
    let number = rsa::hazmat::rsa_encrypt(key, &signature).ok()?;
    let octets = |number: &BoxedUint| {
        let octets = number.to_be_bytes();
        let start = octets.len().checked_sub(key.size())?;
        octets
            .get(start..)
            .map(|octets| Zeroizing::new(octets.to_vec()))
    };
    let found = octets(&number)?;
    if found.last().is_some_and(|last| last & 0xF == 0xC) {
        return Some(found);
    }
    octets(&key.n().as_ref().wrapping_sub(&number))
}

/// Whether a representative holds a message that ends with the challenge.
///
/// Source: ISO/IEC 9796-2:2010 §8.1 (scheme 1): `6A`, or `6B`, `BB` … `BA` where the chip's part is
/// shorter; the chip's part; the hash over it and the challenge; one or two octets that name the
/// hash.
fn message_fits(representative: &[u8], challenge: &Challenge) -> bool {
    let (rest, hash) = match representative {
        [rest @ .., 0xBC] => (rest, Hash::Sha1),
        [rest @ .., 0x34, 0xCC] => (rest, Hash::Sha256),
        [rest @ .., 0x35, 0xCC] => (rest, Hash::Sha512),
        [rest @ .., 0x36, 0xCC] => (rest, Hash::Sha384),
        [rest @ .., 0x38, 0xCC] => (rest, Hash::Sha224),
        _ => return false,
    };
    let hash_len = hash.digest(&[]).len();
    let Some(middle) = rest.len().checked_sub(hash_len) else {
        return false;
    };
    let (head, digest) = rest.split_at(middle);
    let part = match head {
        [0x6A, part @ ..] => part,
        [0x6B, padded @ ..] => {
            let filled = padded.iter().take_while(|octet| **octet == 0xBB).count();
            match padded.get(filled..) {
                Some([0xBA, part @ ..]) => part,
                _ => return false,
            }
        }
        _ => return false,
    };
    let message = Zeroizing::new([part, challenge].concat());
    hash.digest(&message).ct_eq(digest).into()
}

/// Source: ICAO Doc 9303-10, 8th edition, §4.7.15.
pub(crate) const DG15_TAG: u32 = 0x6F;

#[cfg(test)]
mod tests;
