//! P-256 keys: signing keys, public keys and their JWK form.

use std::fmt;

use aws_lc_rs::agreement::{self, ParsedPublicKey};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use super::{decode, encode, present, sha256};

/// A P-256 key that signs with ES256. It is wiped when dropped and has no textual form.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// Draws a new key.
    ///
    /// # Panics
    ///
    /// If the library cannot allocate the key.
    #[must_use]
    pub fn generate() -> SigningKey {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .expect("generating a P-256 key fails only without memory");
        SigningKey::from_pair(pair).expect("a generated public key is an uncompressed point")
    }

    /// Reads an unencrypted PKCS #8 document holding a P-256 key.
    ///
    /// # Errors
    ///
    /// [`BadKey`] for another kind of key or a damaged one.
    pub fn from_pkcs8(der: &[u8]) -> Result<SigningKey, BadKey> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| BadKey)?;
        SigningKey::from_pair(pair)
    }

    /// The key as an unencrypted PKCS #8 document.
    ///
    /// # Panics
    ///
    /// If the library cannot allocate the document.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let document = self
            .pair
            .to_pkcs8v1()
            .expect("encoding a key fails only without memory");
        Zeroizing::new(document.as_ref().to_vec())
    }

    /// Signs `message` (hashed with SHA-256); the result is `r || s`, 32 bytes each.
    ///
    /// # Panics
    ///
    /// If the library cannot allocate the signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.pair
            .sign(&SystemRandom::new(), message)
            .ok()
            .and_then(|signature| signature.as_ref().try_into().ok())
            .expect("an ES256 signature is 64 bytes and fails only without memory")
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    fn from_pair(pair: EcdsaKeyPair) -> Result<SigningKey, BadKey> {
        let public = PublicKey::from_sec1(pair.public_key().as_ref())?;
        Ok(SigningKey { pair, public })
    }
}

/// A point on P-256 other than infinity: a key that verifies signatures or receives secrets.
///
/// Its serde form is the JWK `{"kty":"EC","crv":"P-256","x":…,"y":…}`; other members are ignored
/// when reading, except that a private member `d` is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "JwkFields")]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// Reads an uncompressed SEC 1 point, 65 bytes beginning with `04`.
    ///
    /// # Errors
    ///
    /// [`BadKey`] for another length or form, or a point that is not on the curve.
    pub fn from_sec1(point: &[u8]) -> Result<PublicKey, BadKey> {
        let point: [u8; 65] = point.try_into().map_err(|_| BadKey)?;
        if point.first() != Some(&UNCOMPRESSED) {
            return Err(BadKey);
        }
        let key = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point.as_slice());
        ParsedPublicKey::try_from(&key).map_err(|_| BadKey)?;
        Ok(PublicKey(point))
    }

    /// The uncompressed SEC 1 point.
    #[must_use]
    pub fn sec1(&self) -> [u8; 65] {
        self.0
    }

    /// The SHA-256 JWK thumbprint.
    ///
    /// Source: RFC 7638 §3.
    #[must_use]
    pub fn thumbprint(&self) -> [u8; 32] {
        let JwkFields { x, y, .. } = JwkFields::from(*self);
        // The members in lexicographic order without white space, as the RFC demands.
        sha256(format!(r#"{{"crv":"{CURVE}","kty":"{KIND}","x":"{x}","y":"{y}"}}"#).as_bytes())
    }

    /// Checks an ES256 signature (`r || s`, 64 bytes) over `message`.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] whatever the reason.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0)
            .verify(message, signature)
            .map_err(|_| BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", encode(self.thumbprint()))
    }
}

/// A public key as it stands in a JWK Set, with what it is called and meant for.
///
/// Source: RFC 7517 §4.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The key itself.
    #[serde(flatten)]
    pub key: PublicKey,
    /// Name of the key within its set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `sig` or `enc`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// The one algorithm the key is for, `ES256` or `ECDH-ES`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
}

impl Jwk {
    /// A key for ES256 signatures, named by its thumbprint.
    #[must_use]
    pub fn for_signatures(key: PublicKey) -> Jwk {
        Jwk::new(key, "sig", "ES256")
    }

    /// A key for ECDH-ES encryption, named by its thumbprint.
    #[must_use]
    pub fn for_encryption(key: PublicKey) -> Jwk {
        Jwk::new(key, "enc", "ECDH-ES")
    }

    fn new(key: PublicKey, usage: &str, alg: &str) -> Jwk {
        let kid = Some(encode(key.thumbprint()));
        Jwk {
            key,
            kid,
            usage: Some(usage.to_owned()),
            alg: Some(alg.to_owned()),
        }
    }
}

/// Bytes or a JWK are not a P-256 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid P-256 key")]
pub struct BadKey;

/// A signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct BadSignature;

#[derive(Serialize, Deserialize)]
struct JwkFields {
    kty: String,
    crv: String,
    x: String,
    y: String,
    /// Read only to refuse a private key where a public one belongs.
    #[serde(default, skip_serializing, deserialize_with = "present")]
    d: Option<serde::de::IgnoredAny>,
}

impl From<PublicKey> for JwkFields {
    fn from(key: PublicKey) -> JwkFields {
        let [_, coordinates @ ..] = key.0;
        let (x, y) = coordinates.split_at(32);
        JwkFields {
            kty: KIND.into(),
            crv: CURVE.into(),
            x: encode(x),
            y: encode(y),
            d: None,
        }
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<PublicKey, D::Error> {
        input.deserialize_map(Members)
    }
}

/// Reads an object. Serde alone would also read an array of the members.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = PublicKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Web Key")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<PublicKey, A::Error> {
        let fields = JwkFields::deserialize(MapAccessDeserializer::new(members))?;
        PublicKey::try_from(fields).map_err(A::Error::custom)
    }
}

impl TryFrom<JwkFields> for PublicKey {
    type Error = BadKey;

    fn try_from(jwk: JwkFields) -> Result<PublicKey, BadKey> {
        if jwk.kty != KIND || jwk.crv != CURVE || jwk.d.is_some() {
            return Err(BadKey);
        }
        let x = coordinate(&jwk.x)?;
        let y = coordinate(&jwk.y)?;
        PublicKey::from_sec1(&[&[UNCOMPRESSED], x.as_slice(), y.as_slice()].concat())
    }
}

/// A coordinate is always 32 bytes, leading zeros included (RFC 7518 §6.2.1.2).
fn coordinate(text: &str) -> Result<[u8; 32], BadKey> {
    decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(BadKey)
}

const UNCOMPRESSED: u8 = 4;
const KIND: &str = "EC";
const CURVE: &str = "P-256";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The key of RFC 7515 appendix A.3.1.
    fn rfc_key() -> serde_json::Value {
        json!({"kty":"EC","crv":"P-256",
            "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    #[test]
    fn a_jwk_survives_a_round_trip() {
        let key: PublicKey = serde_json::from_value(rfc_key()).unwrap();
        assert_eq!(serde_json::to_value(key).unwrap(), rfc_key());
        assert_eq!(PublicKey::from_sec1(&key.sec1()), Ok(key));
        let jwk = Jwk::for_encryption(key);
        let value = serde_json::to_value(&jwk).unwrap();
        assert_eq!(value["use"], "enc");
        assert_eq!(serde_json::from_value::<Jwk>(value).unwrap(), jwk);
    }

    #[test]
    fn the_thumbprint_ignores_order_and_other_members() {
        let key: PublicKey = serde_json::from_value(rfc_key()).unwrap();
        let mut more = rfc_key();
        more["kid"] = "x".into();
        assert_eq!(serde_json::from_value::<PublicKey>(more).unwrap(), key);
        // Computed from the RFC's text: SHA-256 over the required members in order.
        let canonical = concat!(
            r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
            r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#
        );
        assert_eq!(key.thumbprint(), sha256(canonical.as_bytes()));
    }

    #[test]
    fn keys_that_are_not_public_p256_points_are_refused() {
        let changes = [
            ("kty", json!("OKP")),
            ("crv", json!("P-384")),
            ("crv", json!("secp256k1")),
            ("x", json!("")),
            // One coordinate of another point: off the curve.
            ("x", json!("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")),
            ("y", json!("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0=")),
            ("y", json!("AMfxRM0bvZt-hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt")),
            ("d", json!("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI")),
        ];
        for (member, value) in changes {
            let mut jwk = rfc_key();
            jwk[member] = value;
            assert!(
                serde_json::from_value::<PublicKey>(jwk.clone()).is_err(),
                "{jwk}"
            );
        }
        let key = rfc_key();
        let listed = serde_json::json!([key["kty"], key["crv"], key["x"], key["y"]]);
        assert!(serde_json::from_value::<PublicKey>(key).is_ok());
        assert!(serde_json::from_value::<PublicKey>(listed).is_err());
        let mut point = SigningKey::generate().public().sec1();
        point[64] ^= 1;
        assert_eq!(PublicKey::from_sec1(&point), Err(BadKey));
        assert_eq!(PublicKey::from_sec1(&[0]), Err(BadKey));
    }

    #[test]
    fn a_signing_key_survives_pkcs8() {
        let key = SigningKey::generate();
        let again = SigningKey::from_pkcs8(&key.to_pkcs8()).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(key.public().verify(b"m", &again.sign(b"m")), Ok(()));
        assert_eq!(
            key.public().verify(b"n", &again.sign(b"m")),
            Err(BadSignature)
        );
        assert_eq!(key.public().verify(b"m", &[]), Err(BadSignature));
        assert!(SigningKey::from_pkcs8(&key.to_pkcs8()[1..]).is_err());
    }
}
