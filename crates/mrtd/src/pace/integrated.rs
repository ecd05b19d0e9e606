//! The integrated mapping: a point that follows from two nonces.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.4.3.3.2 and appendix B.

use zeroize::Zeroizing;

use crate::cipher::{Cipher, Padding, SymmetricKey};
use crate::curve::Curve;

/// The generator from the chip's nonce and the reader's, which is as long as a key.
pub(super) fn generator(
    curve: Curve,
    cipher: Cipher,
    nonce: &[u8],
    reader_nonce: &[u8],
) -> Option<Vec<u8>> {
    let number = pseudo_random(curve, cipher, nonce, reader_nonce)?;
    curve.arithmetic().encode(&number)
}

/// As many octets as the field's prime has, and eight more. Source: §4.4.3.3.2.
fn pseudo_random(
    curve: Curve,
    cipher: Cipher,
    nonce: &[u8],
    reader_nonce: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (next, out): (&[u8], &[u8]) = match cipher {
        Cipher::TripleDes | Cipher::Aes128 => (&C0_SHORT, &C1_SHORT),
        Cipher::Aes192 | Cipher::Aes256 => (&C0_LONG, &C1_LONG),
    };
    let iv = vec![0; cipher.block_len()];
    let with = |key: Zeroizing<Vec<u8>>, text: &[u8]| {
        let key = Zeroizing::new(key.get(..cipher.key_len())?.to_vec());
        let key = SymmetricKey::from_octets(cipher, key);
        Some(Zeroizing::new(key.encrypt(&iv, text, Padding::Whole)))
    };
    let mut key = with(Zeroizing::new(reader_nonce.to_vec()), nonce)?;
    let wanted = curve.prime_bits().saturating_add(64);
    let mut number = Zeroizing::new(Vec::new());
    while number.len().saturating_mul(8) < wanted {
        number.extend_from_slice(&with(key.clone(), out)?);
        key = with(key, next)?;
    }
    Some(number)
}

// Source: §4.4.3.3.2, for ciphers with keys of 128 bits and of more.
const C0_SHORT: [u8; 16] = 0xA668_892A_7C41_E3CA_739F_40B0_57D8_5904_u128.to_be_bytes();
const C1_SHORT: [u8; 16] = 0xA4E1_36AC_725F_738B_01C1_F602_17C1_88AD_u128.to_be_bytes();
const C0_LONG: [u8; 32] = *b"\xD4\x63\xD6\x52\x34\x12\x4E\xF7\x89\x70\x54\x98\x6D\xCA\x0A\x17\
\x4E\x28\xDF\x75\x8C\xBA\xA0\x3F\x24\x06\x16\x41\x4D\x5A\x16\x76";
const C1_LONG: [u8; 32] = *b"\x54\xBD\x72\x55\xF0\xAA\xF8\x31\xBE\xC3\x42\x3F\xCF\x39\xD6\x9B\
\x6C\xBF\x06\x66\x77\xD0\xFA\xAE\x5A\xAD\xD9\x9D\xF8\xE5\x35\x17";
