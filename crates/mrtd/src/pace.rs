//! Password authenticated connection establishment: a channel for who knows the password, and a
//! password that is not found out by listening.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.4.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::access::AccessKey;
use crate::apdu::Command;
use crate::chip_authentication::{MANAGE_SECURITY, PROTOCOL};
use crate::cipher::{Cipher, KeyUse, MAC_LEN, Padding, SessionKeys, SymmetricKey};
use crate::curve::{Curve, coordinate};
use crate::security_info::{Mapping, PaceInfo};
use crate::tlv;

mod integrated;

/// One of a chip's protocols, with the password.
pub(crate) struct Pace<'a> {
    pub(crate) info: &'a PaceInfo,
    pub(crate) curve: Curve,
    password: SymmetricKey,
    reference: u8,
}

/// A key of one run.
pub(crate) struct Ephemeral {
    pub(crate) secret: Zeroizing<Vec<u8>>,
    pub(crate) public: Vec<u8>,
}

impl PaceInfo {
    /// As people write it: `PACE ECDH-GM brainpoolP256r1 with AES-128`.
    pub(crate) fn name(&self) -> String {
        let mapping = match self.mapping {
            Mapping::Generic => "GM",
            Mapping::Integrated => "IM",
            Mapping::ChipAuthentication => "CAM",
        };
        let curve = match Curve::standardized(self.parameters) {
            Some(curve) => curve.name().to_owned(),
            None => format!("parameters {}", self.parameters),
        };
        format!("PACE ECDH-{mapping} {curve} with {}", self.cipher.name())
    }
}

impl<'a> Pace<'a> {
    /// `None` where the parameters are none of the elliptic curves.
    pub(crate) fn new(info: &'a PaceInfo, access: &AccessKey) -> Option<Pace<'a>> {
        let curve = Curve::standardized(info.parameters)?;
        if info.mapping == Mapping::Integrated && !curve.has_integrated_mapping() {
            return None;
        }
        Some(Pace {
            info,
            curve,
            password: info.cipher.derive(access.secret(), KeyUse::Password),
            reference: access.reference(),
        })
    }

    /// The command that begins it. The parameters are named also where a chip has no others: some
    /// chips want that. Source: §4.4.4.1.
    pub(crate) fn begin(&self) -> Command {
        let protocol = tlv::element(PROTOCOL, &[self.info.protocol.as_bytes()]);
        let password = tlv::element(PASSWORD, &[&[self.reference]]);
        let parameters = u8::try_from(self.info.parameters).unwrap_or(0);
        let parameters = tlv::element(PARAMETERS, &[&[parameters]]);
        let data = [protocol, password, parameters].concat();
        Command::new(MANAGE_SECURITY, SET_PACE, &data)
    }

    /// The chip's nonce out of its encryption.
    pub(crate) fn nonce(&self, encrypted: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let iv = vec![0; self.info.cipher.block_len()];
        self.password.decrypt(&iv, encrypted, Padding::Whole)
    }

    /// Chip: the nonce as it is sent.
    pub(crate) fn encrypted_nonce(&self, nonce: &[u8]) -> Vec<u8> {
        let iv = vec![0; self.info.cipher.block_len()];
        self.password.encrypt(&iv, nonce, Padding::Whole)
    }

    /// The generator of the generic mapping, from a shared point. Source: §4.4.3.3.1.
    pub(crate) fn generic(&self, nonce: &[u8], shared: &[u8]) -> Option<Vec<u8>> {
        let curve = self.curve.arithmetic();
        curve.add(&curve.generator_times(nonce)?, shared)
    }

    /// The generator of the integrated mapping, from the reader's nonce. Source: §4.4.3.3.2.
    pub(crate) fn integrated(&self, nonce: &[u8], reader_nonce: &[u8]) -> Option<Vec<u8>> {
        integrated::generator(self.curve, self.info.cipher, nonce, reader_nonce)
    }

    /// Draws a key for this generator; the curve's own for `None`.
    pub(crate) fn draw(
        &self,
        generator: Option<&[u8]>,
        rng: &mut impl CryptoRng,
    ) -> Option<Ephemeral> {
        let curve = self.curve.arithmetic();
        let secret = curve.draw(rng);
        let public = match generator {
            Some(generator) => curve.multiply(generator, &secret)?.to_vec(),
            None => curve.point_of(&secret)?,
        };
        Some(Ephemeral { secret, public })
    }

    /// The point that both sides find.
    pub(crate) fn shared(&self, own: &Ephemeral, other: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // Its own key sent back proves nothing. Source: §4.4.1, step 3.
        let uncompressed = other.first() == Some(&4);
        if !uncompressed || own.public == other {
            return None;
        }
        self.curve.arithmetic().multiply(other, &own.secret)
    }

    /// The session's keys from the point that both found over the mapped generator.
    pub(crate) fn session_keys(&self, shared: &[u8]) -> SessionKeys {
        self.info.cipher.session_keys(coordinate(shared))
    }

    /// What shows knowledge of the keys: a code over the other side's public key.
    ///
    /// Source: §4.4.3.4.
    pub(crate) fn token(&self, keys: &SessionKeys, other: &[u8]) -> [u8; MAC_LEN] {
        let protocol = tlv::element(OID, &[self.info.protocol.as_bytes()]);
        let point = tlv::element(POINT, &[other]);
        let mut message = tlv::element(PUBLIC_KEY, &[&protocol, &point]);
        if self.info.cipher == Cipher::TripleDes {
            crate::cipher::pad(&mut message, self.info.cipher.block_len());
        }
        keys.authentication.mac(&message)
    }

    /// Whether a token is the one over this key.
    pub(crate) fn is_token(&self, keys: &SessionKeys, own: &[u8], token: &[u8]) -> bool {
        self.token(keys, own).ct_eq(token).into()
    }
}

/// Source: §4.4.4.1.
pub(crate) const SET_PACE: [u8; 2] = [0xC1, 0xA4];
pub(crate) const PASSWORD: u32 = 0x83;
const PARAMETERS: u32 = 0x84;

// Source: §9.4.
const OID: u32 = 0x06;
const POINT: u32 = 0x86;
const PUBLIC_KEY: u32 = 0x7F49;

#[cfg(test)]
mod tests;
