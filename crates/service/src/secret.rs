//! Codes, tokens, nonces and transaction codes: drawn at random, stored as hashes.

use credential::jose;
use rand_core::{Rng as _, UnwrapErr};
use store::{SecretHash, UnlockHash};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Keeps hashes of different kinds of secrets apart.
const UNLOCK_DOMAIN: &[u8] = b"bauta/v1/transaction-code";

/// Length of a transaction code.
pub const TRANSACTION_CODE_DIGITS: u32 = 6;

/// The system's generator.
pub(crate) fn rng() -> UnwrapErr<getrandom::SysRng> {
    UnwrapErr(getrandom::SysRng)
}

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rng().fill_bytes(&mut bytes);
    bytes
}

/// A random text of 43 characters with 256 bits of entropy, for codes and tokens.
pub(crate) fn random_text() -> Zeroizing<String> {
    Zeroizing::new(jose::encode(random::<32>()))
}

/// A random nonce as text, 22 characters with 128 bits of entropy.
pub(crate) fn random_nonce() -> String {
    jose::encode(random::<16>())
}

/// The form in which a code, token or nonce is stored and compared.
pub(crate) fn hash(text: &str) -> SecretHash {
    SecretHash(jose::sha256(text.as_bytes()))
}

/// Six decimal digits, each combination equally likely.
pub(crate) fn transaction_code() -> Zeroizing<String> {
    const CODES: u32 = 10_u32.pow(TRANSACTION_CODE_DIGITS);
    // Drawing again above the last full million keeps the codes equally likely.
    const LIMIT: u32 = u32::MAX - u32::MAX % CODES;
    loop {
        let drawn = u32::from_be_bytes(random());
        if drawn < LIMIT {
            return Zeroizing::new(format!("{:06}", drawn % CODES));
        }
    }
}

/// What a transaction code is stored as: hashed with its code, which is not stored, so the six
/// digits cannot be searched for.
pub(crate) fn unlock_hash(code: &str, transaction_code: &str) -> UnlockHash {
    let mut input = Zeroizing::new(Vec::new());
    for part in [UNLOCK_DOMAIN, code.as_bytes(), transaction_code.as_bytes()] {
        input.extend_from_slice(&jose::sha256(part));
    }
    UnlockHash(jose::sha256(&input))
}

/// Whether `text` is the secret with this hash, in constant time.
pub(crate) fn matches(text: &str, expected: &SecretHash) -> bool {
    hash(text).0.ct_eq(&expected.0).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_code_is_six_digits_and_not_always_the_same() {
        let codes: Vec<_> = (0..50).map(|_| transaction_code()).collect();
        assert!(
            codes
                .iter()
                .all(|c| c.len() == 6 && c.bytes().all(|b| b.is_ascii_digit()))
        );
        assert!(codes.iter().any(|c| *c != codes[0]));
    }

    #[test]
    fn an_unlock_hash_depends_on_both_codes() {
        let hashes = [("a", "1"), ("a", "2"), ("b", "1")].map(|(a, b)| unlock_hash(a, b));
        assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2]);
        assert_eq!(unlock_hash("a", "1"), hashes[0]);
    }
}
