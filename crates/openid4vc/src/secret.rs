//! Codes, tokens and client secrets.

use credential::jose::{encode, sha256};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serializer};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A text whose knowledge grants something. It is wiped when dropped, compared in constant time,
/// and read by [`Secret::expose`] alone.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Draws 256 bits and writes them in base64url, 43 characters.
    #[must_use]
    pub fn draw(rng: &mut impl CryptoRng) -> Secret {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *bytes);
        Secret::from(encode(bytes.as_slice()))
    }

    /// The text itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the text, the form in which a secret of high entropy is stored.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// Whether `other` is the same text, in time that depends on its length alone.
    #[must_use]
    pub fn matches(&self, other: &Secret) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Secret, D::Error> {
        String::deserialize(input).map(Secret::from)
    }
}

/// For the few message members that carry a secret to its owner: `serialize_with = "reveal"`.
pub(crate) fn reveal<S: Serializer>(secret: &Secret, output: S) -> Result<S::Ok, S::Error> {
    output.serialize_str(secret.expose())
}
