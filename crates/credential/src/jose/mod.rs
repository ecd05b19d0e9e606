//! JSON signatures, encryption and keys, in the one suite this project speaks: P-256.
//!
//! ES256 signatures (RFC 7515, RFC 7518 §3.4), ECDH-ES with AES-GCM (RFC 7516, RFC 7518 §4.6)
//! and EC keys (RFC 7517), all in compact form and on `aws-lc-rs`. What it is not: a general JOSE
//! library. An `alg` other than these is refused before a key is touched.
//!
//! Signing and key generation draw from the library's own generator, which cannot be seeded.

pub mod jwe;
mod jwk;
pub mod jws;

pub use jwk::{BadKey, BadSignature, Jwk, PublicKey, SigningKey};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize as _, Deserializer};

/// SHA-256 of `bytes`, 32 bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // The digest is 32 bytes by construction, so nothing is cut or left over.
    for (to, from) in out
        .iter_mut()
        .zip(digest::digest(&digest::SHA256, bytes).as_ref())
    {
        *to = *from;
    }
    out
}

/// Encodes with the URL-safe alphabet and without padding, as all of JOSE does.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes [`encode`]'s form and refuses padding, white space and non-zero trailing bits.
///
/// # Errors
///
/// [`BadBase64`] for anything else.
pub fn decode(text: &str) -> Result<Vec<u8>, BadBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| BadBase64)
}

/// A text is not unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not unpadded base64url")]
pub struct BadBase64;

/// Reads a JSON object. Serde alone would also fill a struct from an array of its members.
#[must_use]
pub fn parse_object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let begins = json.trim_ascii_start().first() == Some(&b'{');
    if begins {
        serde_json::from_slice(json).ok()
    } else {
        None
    }
}

/// For members whose mere presence matters: `null` is present, too.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(input).map(Some)
}
