//! The provider's keys: signing ID tokens, publishing keys, recognising one's own tokens again.

use credential::jose::jws::{self, Header, UnverifiedJws};
use credential::jose::{Jwk, SigningKey, decode, encode};
use serde::{Deserialize, Serialize};

use super::{IdTokenClaims, RsaKeyError, RsaPublicKey, RsaSigningKey};

/// Signature algorithm of an ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5; the one every relying party must know, and the default.
    #[serde(rename = "RS256")]
    Rs256,
}

/// The keys a provider signs with.
pub struct ProviderKeys {
    es256: SigningKey,
    rs256: RsaSigningKey,
}

impl ProviderKeys {
    /// Takes one key per algorithm.
    #[must_use]
    pub fn new(es256: SigningKey, rs256: RsaSigningKey) -> ProviderKeys {
        ProviderKeys { es256, rs256 }
    }

    /// The public keys, for `jwks_uri`.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        JwkSet {
            keys: vec![
                PublicJwk::Ec(Jwk::for_signatures(*self.es256.public())),
                PublicJwk::Rsa(RsaJwk::new(self.rs256.public().clone())),
            ],
        }
    }

    /// Signs an ID token.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError`] if the library fails, which it does only without memory.
    pub fn sign(
        &self,
        algorithm: SigningAlgorithm,
        claims: &IdTokenClaims,
    ) -> Result<String, RsaKeyError> {
        match algorithm {
            SigningAlgorithm::Es256 => {
                let kid = Some(encode(self.es256.public().thumbprint()));
                let header = Header {
                    kid,
                    ..Header::of_type(TYP)
                };
                Ok(jws::sign_with_header(&self.es256, &header, claims))
            }
            SigningAlgorithm::Rs256 => self.sign_rs256(claims),
        }
    }

    fn sign_rs256(&self, claims: &IdTokenClaims) -> Result<String, RsaKeyError> {
        let header = RsaHeader {
            alg: SigningAlgorithm::Rs256,
            typ: Some(TYP.to_owned()),
            kid: Some(encode(self.rs256.public().thumbprint())),
            crit: None,
        };
        let header = serde_json::to_vec(&header).map_err(|_| RsaKeyError)?;
        let claims = serde_json::to_vec(claims).map_err(|_| RsaKeyError)?;
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = self.rs256.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", encode(signature)))
    }
}

/// A set of public keys. Keys of other kinds are skipped when reading.
///
/// Source: RFC 7517 §5.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys.
    #[serde(deserialize_with = "known_keys")]
    pub keys: Vec<PublicJwk>,
}

impl JwkSet {
    /// Checks the signature of an ID token with the key its header names, and reads it.
    ///
    /// Issuer, audience and times are not judged: a hint may have expired (OpenID Connect
    /// RP-Initiated Logout §2).
    ///
    /// # Errors
    ///
    /// [`IdTokenError`] if no key of this set signed it, or it is no ID token.
    pub fn verify(&self, token: &str) -> Result<IdTokenClaims, IdTokenError> {
        match UnverifiedJws::parse(token) {
            Ok(jws) => self.verify_es256(&jws),
            Err(jws::JwsError::Algorithm) => self.verify_rs256(token),
            Err(_) => Err(IdTokenError),
        }
    }

    fn verify_es256(&self, jws: &UnverifiedJws) -> Result<IdTokenClaims, IdTokenError> {
        let named = jws.header().kid.as_deref();
        let mut keys = self.keys.iter().filter_map(|key| match key {
            PublicJwk::Ec(jwk) if jwk.kid.as_deref() == named => Some(&jwk.key),
            PublicJwk::Ec(_) | PublicJwk::Rsa(_) => None,
        });
        keys.find_map(|key| jws.verify(key, TYP).ok())
            .ok_or(IdTokenError)
    }

    fn verify_rs256(&self, token: &str) -> Result<IdTokenClaims, IdTokenError> {
        let (input, signature) = token.rsplit_once('.').ok_or(IdTokenError)?;
        let (header, claims) = input.split_once('.').ok_or(IdTokenError)?;
        let part = |text| decode(text).map_err(|_| IdTokenError);
        // Other algorithms than RS256 do not parse as a header.
        let header: RsaHeader = serde_json::from_slice(&part(header)?).map_err(|_| IdTokenError)?;
        let ours = header.alg == SigningAlgorithm::Rs256 && header.typ.as_deref() == Some(TYP);
        if !ours || header.crit.is_some() {
            return Err(IdTokenError);
        }
        let signature = part(signature)?;
        let signed = self.keys.iter().any(|key| match key {
            PublicJwk::Rsa(jwk) if jwk.kid == header.kid => {
                jwk.key.verify(input.as_bytes(), &signature).is_ok()
            }
            PublicJwk::Rsa(_) | PublicJwk::Ec(_) => false,
        });
        if !signed {
            return Err(IdTokenError);
        }
        serde_json::from_slice(&part(claims)?).map_err(|_| IdTokenError)
    }
}

/// A public key of either kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PublicJwk {
    /// A P-256 key.
    Ec(Jwk),
    /// An RSA key.
    Rsa(RsaJwk),
}

/// An RSA key as it stands in a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RsaJwk {
    #[serde(flatten)]
    key: RsaPublicKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
}

impl RsaJwk {
    /// A key for RS256 signatures, named by its thumbprint.
    #[must_use]
    pub fn new(key: RsaPublicKey) -> RsaJwk {
        let kid = Some(encode(key.thumbprint()));
        RsaJwk {
            key,
            kid,
            usage: Some("sig".to_owned()),
            alg: Some("RS256".to_owned()),
        }
    }
}

/// A text is not an ID token signed by the keys at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ID token of this provider")]
pub struct IdTokenError;

#[derive(Serialize, Deserialize)]
struct RsaHeader {
    alg: SigningAlgorithm,
    typ: Option<String>,
    kid: Option<String>,
    #[serde(default, skip_serializing)]
    crit: Option<serde::de::IgnoredAny>,
}

fn known_keys<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Vec<PublicJwk>, D::Error> {
    let values = Vec::<serde_json::Value>::deserialize(input)?;
    Ok(values
        .into_iter()
        .filter_map(|value| serde_json::from_value(value).ok())
        .collect())
}

const TYP: &str = "JWT";

#[cfg(test)]
mod tests {
    use credential::time::UnixTime;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn keys() -> ProviderKeys {
        ProviderKeys::new(
            SigningKey::generate(),
            RsaSigningKey::generate().ok().unwrap(),
        )
    }

    fn claims() -> IdTokenClaims {
        IdTokenClaims::new("https://op.example", "sub", "client", UnixTime(100), 60)
    }

    #[test]
    fn tokens_of_both_algorithms_are_recognised_again() {
        let keys = keys();
        let jwks = serde_json::to_value(keys.jwks()).unwrap();
        assert_eq!(jwks["keys"][0]["alg"], "ES256");
        assert_eq!(jwks["keys"][1]["alg"], "RS256");
        let mut more = jwks.clone();
        more["keys"]
            .as_array_mut()
            .unwrap()
            .push(json!({"kty":"OKP","crv":"Ed25519"}));
        let set: JwkSet = serde_json::from_value(more).unwrap();
        assert_eq!(set, keys.jwks());
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
            let token = keys.sign(algorithm, &claims()).unwrap();
            assert_eq!(set.verify(&token), Ok(claims()));
            let header = decode(token.split('.').next().unwrap()).unwrap();
            let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(header["alg"], serde_json::to_value(algorithm).unwrap());
            assert!(set.keys.iter().any(|key| match key {
                PublicJwk::Ec(jwk) => header["kid"] == json!(jwk.kid),
                PublicJwk::Rsa(jwk) => header["kid"] == json!(jwk.kid),
            }));
        }
    }

    #[test]
    fn foreign_changed_and_unsigned_tokens_are_refused() {
        let (keys, other) = (keys(), keys());
        for algorithm in [SigningAlgorithm::Es256, SigningAlgorithm::Rs256] {
            let token = keys.sign(algorithm, &claims()).unwrap();
            assert_eq!(other.jwks().verify(&token), Err(IdTokenError));
            let (input, signature) = token.rsplit_once('.').unwrap();
            let header = input.split('.').next().unwrap();
            let changed = format!("{header}.{}.{signature}", encode(r#"{"sub":"other"}"#));
            assert_eq!(keys.jwks().verify(&changed), Err(IdTokenError));
            assert_eq!(keys.jwks().verify(&format!("{input}.")), Err(IdTokenError));
        }
        let body = encode(serde_json::to_vec(&claims()).unwrap());
        for header in [
            r#"{"alg":"none","typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":"JWT"}"#,
        ] {
            let token = format!("{}.{body}.", encode(header));
            assert_eq!(keys.jwks().verify(&token), Err(IdTokenError));
        }
    }

    proptest! {
        #[test]
        fn verifying_never_panics(text in "[A-Za-z0-9_.-]{0,80}|\\PC{0,40}") {
            prop_assert_eq!(JwkSet::default().verify(&text), Err(IdTokenError));
        }
    }
}
