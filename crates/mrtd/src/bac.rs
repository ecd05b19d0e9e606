//! Basic access control: a channel for who knows the machine-readable zone.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.3.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::access::AccessKey;
use crate::cipher::{Cipher, MAC_LEN, Padding, SessionKeys, pad};
use crate::secure_messaging::SecureMessaging;

/// What each side draws: eight octets to tell runs apart, sixteen for the session's keys.
pub(crate) struct Drawn {
    pub(crate) nonce: [u8; 8],
    pub(crate) key: Zeroizing<[u8; 16]>,
}

impl Drawn {
    pub(crate) fn draw(rng: &mut impl CryptoRng) -> Drawn {
        let (mut nonce, mut key) = ([0; 8], Zeroizing::new([0; 16]));
        rng.fill_bytes(&mut nonce);
        rng.fill_bytes(key.as_mut_slice());
        Drawn { nonce, key }
    }
}

/// The keys of a document, for one run.
pub(crate) struct BasicAccess {
    keys: SessionKeys,
}

impl BasicAccess {
    /// `None` for a password that does not open this.
    pub(crate) fn new(access: &AccessKey) -> Option<BasicAccess> {
        let keys = Cipher::TripleDes.session_keys(access.basic_seed()?);
        Some(BasicAccess { keys })
    }

    /// Reader: the data of EXTERNAL AUTHENTICATE.
    pub(crate) fn request(&self, reader: &Drawn, chip_nonce: &[u8; 8]) -> Vec<u8> {
        self.seal(&[&reader.nonce, chip_nonce, reader.key.as_slice()])
    }

    /// Reader: the channel, if the answer is that of a chip with the same keys to this request.
    pub(crate) fn finish(
        &self,
        reader: &Drawn,
        chip_nonce: &[u8; 8],
        answer: &[u8],
    ) -> Option<SecureMessaging> {
        let (chip, own_nonce) = self.open(answer)?;
        let same = chip.nonce.ct_eq(chip_nonce) & own_nonce.ct_eq(&reader.nonce);
        bool::from(same).then(|| channel(reader, &chip))
    }

    /// Chip: the answer to a reader's request, and the channel.
    pub(crate) fn accept(
        &self,
        request: &[u8],
        chip: &Drawn,
    ) -> Option<(Vec<u8>, SecureMessaging)> {
        let (reader, chip_nonce) = self.open(request)?;
        if !bool::from(chip_nonce.ct_eq(&chip.nonce)) {
            return None;
        }
        let answer = self.seal(&[&chip.nonce, &reader.nonce, chip.key.as_slice()]);
        Some((answer, channel(&reader, chip)))
    }

    fn seal(&self, parts: &[&[u8]]) -> Vec<u8> {
        let text = Zeroizing::new(parts.concat());
        let mut sealed = self.keys.encryption.encrypt(&IV, &text, Padding::Whole);
        let code = self.code(&sealed);
        sealed.extend_from_slice(&code);
        sealed
    }

    /// What the sender drew, and the nonce of the other side.
    fn open(&self, sealed: &[u8]) -> Option<(Drawn, [u8; 8])> {
        let (encrypted, code) = sealed.split_last_chunk::<MAC_LEN>()?;
        if !bool::from(self.code(encrypted).ct_eq(code)) {
            return None;
        }
        let text = self
            .keys
            .encryption
            .decrypt(&IV, encrypted, Padding::Whole)?;
        let (first, rest) = text.split_first_chunk::<8>()?;
        let (second, key) = rest.split_first_chunk::<8>()?;
        let drawn = Drawn {
            nonce: *first,
            key: Zeroizing::new(key.try_into().ok()?),
        };
        Some((drawn, *second))
    }

    fn code(&self, encrypted: &[u8]) -> [u8; MAC_LEN] {
        let mut message = encrypted.to_vec();
        pad(&mut message, Cipher::TripleDes.block_len());
        self.keys.authentication.mac(&message)
    }
}

/// Source: §4.3.3 step 4 and §9.8.6.3 for the counter.
fn channel(reader: &Drawn, chip: &Drawn) -> SecureMessaging {
    let mut seed = reader.key.clone();
    for (octet, other) in seed.iter_mut().zip(chip.key.iter()) {
        *octet ^= other;
    }
    let [_, _, _, _, chip_half @ ..] = chip.nonce;
    let [_, _, _, _, reader_half @ ..] = reader.nonce;
    let counter = [chip_half, reader_half].concat();
    SecureMessaging::starting_at(Cipher::TripleDes.session_keys(&seed[..]), counter)
}

const IV: [u8; 8] = [0; 8];

#[cfg(test)]
mod tests;
