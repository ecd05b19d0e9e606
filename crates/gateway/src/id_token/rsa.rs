//! RS256, which OpenID Connect obliges a provider to offer.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use credential::jose::{encode, sha256};
use serde::Serialize;
use zeroize::Zeroizing;

/// An RSA key of 2,048 bits or more that signs ID tokens. No `Debug`, no `Clone`.
pub struct RsaSigningKey {
    pair: RsaKeyPair,
    jwk: RsaJwk,
}

/// The public half as it stands in a JWK Set.
///
/// Source: RFC 7518 section 6.3.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RsaJwk {
    kty: &'static str,
    n: String,
    e: String,
    /// Name of the key, its thumbprint (RFC 7638).
    pub kid: String,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
}

/// The bytes are no RSA key that may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA key of 2,048 bits or more")]
pub struct BadRsaKey;

impl RsaSigningKey {
    /// Draws a key of 2,048 bits.
    ///
    /// # Errors
    ///
    /// [`BadRsaKey`] if the library fails.
    pub fn generate() -> Result<RsaSigningKey, BadRsaKey> {
        RsaKeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| BadRsaKey)
            .map(RsaSigningKey::of)
    }

    /// Reads an unencrypted PKCS #8 document.
    ///
    /// # Errors
    ///
    /// [`BadRsaKey`] for another kind of key, a damaged or a short one.
    pub fn from_pkcs8(der: &[u8]) -> Result<RsaSigningKey, BadRsaKey> {
        RsaKeyPair::from_pkcs8(der)
            .map_err(|_| BadRsaKey)
            .map(RsaSigningKey::of)
    }

    /// The key as an unencrypted PKCS #8 document.
    ///
    /// # Errors
    ///
    /// [`BadRsaKey`] if the library fails.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, BadRsaKey> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| BadRsaKey)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The public half.
    #[must_use]
    pub fn jwk(&self) -> &RsaJwk {
        &self.jwk
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    ///
    /// # Panics
    ///
    /// If the library cannot allocate the signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                message,
                &mut signature,
            )
            .expect("signing with an accepted RSA key fails only without memory");
        signature
    }

    /// Whether `signature` is one of this key over `message`.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref())
            .verify(message, signature)
            .is_ok()
    }

    fn of(pair: RsaKeyPair) -> RsaSigningKey {
        let public = pair.public_key();
        let n = encode(public.modulus().big_endian_without_leading_zero());
        let e = encode(public.exponent().big_endian_without_leading_zero());
        let kid = encode(sha256(
            format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).as_bytes(),
        ));
        let jwk = RsaJwk {
            kty: "RSA",
            n,
            e,
            kid,
            usage: "sig",
            alg: "RS256",
        };
        RsaSigningKey { pair, jwk }
    }
}
