//! RSA keys for RS256, which every relying party can verify.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents,
};
use credential::jose::{BadSignature, decode, encode, sha256};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// An RSA key that signs with RS256. It is wiped when dropped and has no textual form.
pub struct RsaSigningKey {
    pair: KeyPair,
    public: RsaPublicKey,
}

impl RsaSigningKey {
    /// Draws a key of 2048 bits. This takes a noticeable part of a second.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] if the library finds no primes, which is next to impossible.
    pub fn generate() -> Result<RsaSigningKey, RsaKeyError> {
        KeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| RsaKeyError)
            .map(RsaSigningKey::from_pair)
    }

    /// Reads an unencrypted PKCS #8 document holding an RSA key of 2048 to 8192 bits.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] for another kind of key or a damaged one.
    pub fn from_pkcs8(der: &[u8]) -> Result<RsaSigningKey, RsaKeyError> {
        KeyPair::from_pkcs8(der)
            .map_err(|_| RsaKeyError)
            .map(RsaSigningKey::from_pair)
    }

    /// The key as an unencrypted PKCS #8 document.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] if the library cannot encode it, which it can.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, RsaKeyError> {
        let document: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| RsaKeyError)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Signs `message` with RSASSA-PKCS1-v1_5 and SHA-256; as long as the modulus, in bytes.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] if the library fails, which it does only without memory.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| RsaKeyError)?;
        Ok(signature)
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    fn from_pair(pair: KeyPair) -> RsaSigningKey {
        let key = pair.public_key();
        let public = RsaPublicKey {
            n: key.modulus().big_endian_without_leading_zero().to_vec(),
            e: key.exponent().big_endian_without_leading_zero().to_vec(),
        };
        RsaSigningKey { pair, public }
    }
}

/// An RSA public key. Its serde form is the JWK `{"kty":"RSA","n":…,"e":…}`.
///
/// Source: RFC 7518 §6.3.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "JwkFields", into = "JwkFields")]
pub struct RsaPublicKey {
    n: Vec<u8>,
    e: Vec<u8>,
}

impl RsaPublicKey {
    /// Checks an RS256 signature over `message`.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] whatever the reason, a modulus outside 2048 to 8192 bits included.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        RsaPublicKeyComponents {
            n: &self.n,
            e: &self.e,
        }
        .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
        .map_err(|_| BadSignature)
    }

    /// The SHA-256 JWK thumbprint.
    ///
    /// Source: RFC 7638 §3.
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        let (e, n) = (encode(&self.e), encode(&self.n));
        sha256(format!(r#"{{"e":"{e}","kty":"{KIND}","n":"{n}"}}"#).as_bytes())
    }
}

/// An RSA key cannot be made, read or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable RSA key")]
pub struct RsaKeyError;

#[derive(Serialize, Deserialize)]
struct JwkFields {
    kty: String,
    n: String,
    e: String,
}

impl From<RsaPublicKey> for JwkFields {
    fn from(key: RsaPublicKey) -> JwkFields {
        JwkFields {
            kty: KIND.to_owned(),
            n: encode(key.n),
            e: encode(key.e),
        }
    }
}

impl TryFrom<JwkFields> for RsaPublicKey {
    type Error = RsaKeyError;

    fn try_from(jwk: JwkFields) -> Result<RsaPublicKey, RsaKeyError> {
        let number = |text| decode(text).map_err(|_| RsaKeyError);
        let (n, e) = (number(&jwk.n)?, number(&jwk.e)?);
        // Numbers have no leading zero byte (RFC 7518 §2), so that each has one thumbprint.
        let minimal = [&n, &e]
            .iter()
            .all(|number| number.first().is_some_and(|&b| b != 0));
        if jwk.kty == KIND && minimal {
            Ok(RsaPublicKey { n, e })
        } else {
            Err(RsaKeyError)
        }
    }
}

const KIND: &str = "RSA";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_survives_pkcs8_and_jwk_and_its_signatures_verify() {
        let key = RsaSigningKey::generate().ok().unwrap();
        let again = RsaSigningKey::from_pkcs8(&key.to_pkcs8().unwrap())
            .ok()
            .unwrap();
        let jwk = serde_json::to_value(again.public()).unwrap();
        assert_eq!(jwk["e"], "AQAB");
        let public: RsaPublicKey = serde_json::from_value(jwk).unwrap();
        assert_eq!(&public, key.public());
        let signature = again.sign(b"m").unwrap();
        assert_eq!(public.verify(b"m", &signature), Ok(()));
        assert_eq!(public.verify(b"n", &signature), Err(BadSignature));
        assert_eq!(public.verify(b"m", &signature[1..]), Err(BadSignature));
        assert!(RsaSigningKey::from_pkcs8(&key.to_pkcs8().unwrap()[1..]).is_err());
    }

    #[test]
    fn the_thumbprint_of_rfc_7638_comes_out() {
        let key: RsaPublicKey = serde_json::from_value(json!({"kty":"RSA","e":"AQAB","n":concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSo",
            "c_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YG",
            "jQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt",
            "-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw")}))
        .unwrap();
        assert_eq!(
            encode(key.thumbprint()),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn other_kinds_and_unusual_numbers_are_refused() {
        for jwk in [
            json!({"kty":"EC","n":"AQAB","e":"AQAB"}),
            json!({"kty":"RSA","n":"AAEAAQ","e":"AQAB"}),
            json!({"kty":"RSA","n":"AQAB","e":""}),
            json!({"kty":"RSA","n":"AQAB"}),
        ] {
            assert!(
                serde_json::from_value::<RsaPublicKey>(jwk.clone()).is_err(),
                "{jwk}"
            );
        }
        let small: RsaPublicKey =
            serde_json::from_value(json!({"kty":"RSA","n":"AQAB","e":"AQAB"})).unwrap();
        assert_eq!(small.verify(b"", &[]), Err(BadSignature));
    }
}
