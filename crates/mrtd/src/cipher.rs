//! Encryption, message authentication and key derivation between reader and chip.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §9.7 (key derivation) and §9.8 (secure messaging).

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::{Iso7816, NoPadding};
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, KeyInit, KeyIvInit,
};
use cmac::{Cmac, Mac};
use der::asn1::ObjectIdentifier;
use des::{Des, TdesEde2};
use retail_mac::RetailMac;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A cipher with the message authentication code that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// Triple DES with two keys, and the retail MAC.
    TripleDes,
    /// AES and CMAC with keys of 16 octets.
    Aes128,
    /// The same with keys of 24 octets.
    Aes192,
    /// The same with keys of 32 octets.
    Aes256,
}

/// What a derived key is for. Source: §9.7.1.
#[derive(Clone, Copy)]
pub(crate) enum KeyUse {
    Encryption = 1,
    Authentication = 2,
    Password = 3,
}

/// A session's two keys.
pub(crate) struct SessionKeys {
    pub(crate) encryption: SymmetricKey,
    pub(crate) authentication: SymmetricKey,
}

/// A key with the cipher that it is for.
pub(crate) struct SymmetricKey {
    cipher: Cipher,
    octets: Zeroizing<Vec<u8>>,
}

/// Length of a message authentication code: both are cut to it.
pub(crate) const MAC_LEN: usize = 8;

impl Cipher {
    /// The cipher that the last number of a protocol's identifier stands for.
    ///
    /// Source: §9.2.1, §9.2.7: the same four numbers for every protocol.
    pub(crate) fn of_protocol(protocol: &ObjectIdentifier) -> Option<Cipher> {
        let number = u8::try_from(protocol.arcs().last()?).ok()?;
        Cipher::from_protocol_number(number)
    }

    pub(crate) fn from_protocol_number(number: u8) -> Option<Cipher> {
        let ciphers = [
            Cipher::TripleDes,
            Cipher::Aes128,
            Cipher::Aes192,
            Cipher::Aes256,
        ];
        ciphers
            .into_iter()
            .find(|cipher| cipher.protocol_number() == number)
    }

    pub(crate) fn protocol_number(self) -> u8 {
        match self {
            Cipher::TripleDes => 1,
            Cipher::Aes128 => 2,
            Cipher::Aes192 => 3,
            Cipher::Aes256 => 4,
        }
    }

    pub(crate) fn block_len(self) -> usize {
        match self {
            Cipher::TripleDes => 8,
            Cipher::Aes128 | Cipher::Aes192 | Cipher::Aes256 => 16,
        }
    }

    pub(crate) fn key_len(self) -> usize {
        match self {
            Cipher::TripleDes | Cipher::Aes128 => 16,
            Cipher::Aes192 => 24,
            Cipher::Aes256 => 32,
        }
    }

    /// As standards write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Cipher::TripleDes => "3DES",
            Cipher::Aes128 => "AES-128",
            Cipher::Aes192 => "AES-192",
            Cipher::Aes256 => "AES-256",
        }
    }

    /// A key from a shared secret. Source: §9.7.1.
    pub(crate) fn derive(self, secret: &[u8], key_use: KeyUse) -> SymmetricKey {
        let mut input = Zeroizing::new(secret.to_vec());
        input.extend_from_slice(&(key_use as u32).to_be_bytes());
        let digest = Zeroizing::new(match self {
            Cipher::TripleDes | Cipher::Aes128 => Sha1::digest(&input).to_vec(),
            Cipher::Aes192 | Cipher::Aes256 => Sha256::digest(&input).to_vec(),
        });
        let octets = digest.get(..self.key_len()).unwrap_or_default();
        let mut octets = Zeroizing::new(octets.to_vec());
        if self == Cipher::TripleDes {
            octets.iter_mut().for_each(set_parity);
        }
        SymmetricKey {
            cipher: self,
            octets,
        }
    }

    /// Both keys of a session from its shared secret.
    pub(crate) fn session_keys(self, secret: &[u8]) -> SessionKeys {
        SessionKeys {
            encryption: self.derive(secret, KeyUse::Encryption),
            authentication: self.derive(secret, KeyUse::Authentication),
        }
    }
}

/// Sets the lowest bit so that the number of set bits is odd. Source: §9.7.1.1.
fn set_parity(octet: &mut u8) {
    let odd = (*octet >> 1).count_ones() & 1;
    *octet = *octet & 0xFE | u8::from(odd == 0);
}

impl SymmetricKey {
    /// The key of these octets, where a protocol has another way to derive them.
    pub(crate) fn from_octets(cipher: Cipher, octets: Zeroizing<Vec<u8>>) -> SymmetricKey {
        SymmetricKey { cipher, octets }
    }

    #[cfg(test)]
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    pub(crate) fn cipher(&self) -> Cipher {
        self.cipher
    }

    /// CBC over `text`, padded (§9.8.4), or exactly as long as whole blocks.
    pub(crate) fn encrypt(&self, iv: &[u8], text: &[u8], padding: Padding) -> Vec<u8> {
        match self.cipher {
            Cipher::TripleDes => cbc_encrypt::<TdesEde2>(&self.octets, iv, text, padding),
            Cipher::Aes128 => cbc_encrypt::<Aes128>(&self.octets, iv, text, padding),
            Cipher::Aes192 => cbc_encrypt::<Aes192>(&self.octets, iv, text, padding),
            Cipher::Aes256 => cbc_encrypt::<Aes256>(&self.octets, iv, text, padding),
        }
    }

    /// The text of a CBC ciphertext; `None` where length or padding do not fit.
    pub(crate) fn decrypt(
        &self,
        iv: &[u8],
        encrypted: &[u8],
        padding: Padding,
    ) -> Option<Zeroizing<Vec<u8>>> {
        match self.cipher {
            Cipher::TripleDes => cbc_decrypt::<TdesEde2>(&self.octets, iv, encrypted, padding),
            Cipher::Aes128 => cbc_decrypt::<Aes128>(&self.octets, iv, encrypted, padding),
            Cipher::Aes192 => cbc_decrypt::<Aes192>(&self.octets, iv, encrypted, padding),
            Cipher::Aes256 => cbc_decrypt::<Aes256>(&self.octets, iv, encrypted, padding),
        }
    }

    /// The message authentication code. The retail MAC takes whole blocks: what is authenticated
    /// with triple DES is padded first.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; MAC_LEN] {
        match self.cipher {
            Cipher::TripleDes => mac::<RetailMac<Des>>(&self.octets, message),
            Cipher::Aes128 => mac::<Cmac<Aes128>>(&self.octets, message),
            Cipher::Aes192 => mac::<Cmac<Aes192>>(&self.octets, message),
            Cipher::Aes256 => mac::<Cmac<Aes256>>(&self.octets, message),
        }
    }

    /// Whether `code` is the one of `message`, in a time that does not depend on it.
    pub(crate) fn has_mac(&self, message: &[u8], code: &[u8]) -> bool {
        self.mac(message).ct_eq(code).into()
    }
}

/// What becomes of a text that is not whole blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// `80` and zeros, also after whole blocks.
    Iso7816,
    /// None: the text is whole blocks.
    Whole,
}

/// `80` and zeros up to whole blocks, for what is authenticated.
///
/// Source: ISO/IEC 9797-1, padding method 2.
pub(crate) fn pad(message: &mut Vec<u8>, block_len: usize) {
    message.push(0x80);
    message.resize(message.len().next_multiple_of(block_len), 0);
}

fn cbc_encrypt<C>(key: &[u8], iv: &[u8], text: &[u8], padding: Padding) -> Vec<u8>
where
    C: BlockCipherEncrypt + KeyInit,
    cbc::Encryptor<C>: KeyIvInit,
{
    let encryptor = cbc::Encryptor::<C>::new_from_slices(key, iv);
    let encryptor = encryptor.expect("key and vector have the cipher's lengths by construction");
    match padding {
        Padding::Iso7816 => encryptor.encrypt_padded_vec::<Iso7816>(text),
        Padding::Whole => encryptor.encrypt_padded_vec::<NoPadding>(text),
    }
}

fn cbc_decrypt<C>(
    key: &[u8],
    iv: &[u8],
    encrypted: &[u8],
    padding: Padding,
) -> Option<Zeroizing<Vec<u8>>>
where
    C: BlockCipherDecrypt + KeyInit,
    cbc::Decryptor<C>: KeyIvInit,
{
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv);
    let decryptor = decryptor.expect("key and vector have the cipher's lengths by construction");
    let text = match padding {
        Padding::Iso7816 => decryptor.decrypt_padded_vec::<Iso7816>(encrypted),
        Padding::Whole => decryptor.decrypt_padded_vec::<NoPadding>(encrypted),
    };
    text.ok().map(Zeroizing::new)
}

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> [u8; MAC_LEN] {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("the key has the cipher's length");
    mac.update(message);
    let mut code = [0; MAC_LEN];
    for (to, from) in code.iter_mut().zip(mac.finalize().into_bytes()) {
        *to = from;
    }
    code
}
