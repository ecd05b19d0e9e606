//! ID tokens: their claims, the keys that sign them, and the hints they serve as later.

mod rsa;

pub use rsa::{BadRsaKey, RsaJwk, RsaSigningKey};

use crate::authentication::Authentication;
use crate::client::{ClientId, IdTokenAlg};
use credential::jose::jws::UnverifiedJws;
use credential::jose::{Jwk, SigningKey, decode, encode, sha256};
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};

/// The claims of an ID token.
///
/// Source: OpenID Connect Core 1.0 section 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdToken<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: UnixTime,
    iat: UnixTime,
    auth_time: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'static str,
    amr: &'static [&'static str],
    at_hash: String,
    /// 1 for the first registration of the person, 2 for a later one.
    generation: u8,
}

/// What an ID token is made of.
#[derive(Clone, Copy, Debug)]
pub struct IdTokenParts<'a> {
    /// The gateway.
    pub issuer: &'a str,
    /// For whom.
    pub client: &'a ClientId,
    /// `nonce` of the request.
    pub nonce: Option<&'a str>,
    /// The log-in.
    pub authentication: &'a Authentication,
    /// The access token issued beside it.
    pub access_token: &'a str,
    /// Now.
    pub issued: UnixTime,
    /// How long it holds, in seconds.
    pub lifetime_secs: u64,
}

impl<'a> IdToken<'a> {
    /// Puts the claims together.
    #[must_use]
    pub fn new(parts: &IdTokenParts<'a>) -> IdToken<'a> {
        let hash = sha256(parts.access_token.as_bytes());
        let (left, _) = hash.split_at(hash.len() / 2);
        IdToken {
            iss: parts.issuer,
            sub: parts.authentication.subject.to_string(),
            aud: &parts.client.0,
            exp: parts.issued.plus_secs(parts.lifetime_secs),
            iat: parts.issued,
            auth_time: parts.authentication.time,
            nonce: parts.nonce,
            acr: parts.authentication.moment.acr(),
            amr: parts.authentication.transport.amr(),
            at_hash: encode(left),
            generation: parts.authentication.generation,
        }
    }
}

/// The keys that sign ID tokens.
pub struct IdTokenKeys {
    es256: SigningKey,
    rs256: RsaSigningKey,
}

/// The public keys, for the client's library.
///
/// Source: RFC 7517 section 5.
#[derive(Clone, Debug, Serialize)]
pub struct JwkSet {
    keys: [AnyJwk; 2],
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
enum AnyJwk {
    Ec(Jwk),
    Rsa(RsaJwk),
}

/// What an ID token that comes back says about the log-in it was issued for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Hint {
    iss: String,
    /// Whose log-in.
    pub sub: String,
    /// Which client's.
    pub aud: String,
}

impl IdTokenKeys {
    /// Takes the two keys.
    #[must_use]
    pub fn new(es256: SigningKey, rs256: RsaSigningKey) -> IdTokenKeys {
        IdTokenKeys { es256, rs256 }
    }

    /// The public halves.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        let ec = Jwk::for_signatures(*self.es256.public());
        JwkSet {
            keys: [AnyJwk::Ec(ec), AnyJwk::Rsa(self.rs256.jwk().clone())],
        }
    }

    /// Signs an ID token as a compact JWS.
    ///
    /// # Panics
    ///
    /// Never: the claims are plain values.
    #[must_use]
    pub fn sign(&self, alg: IdTokenAlg, token: &IdToken<'_>) -> String {
        let (name, kid) = match alg {
            IdTokenAlg::ES256 => ("ES256", encode(self.es256.public().thumbprint())),
            IdTokenAlg::RS256 => ("RS256", self.rs256.jwk().kid.clone()),
        };
        let header = serde_json::json!({ "alg": name, "typ": TYP, "kid": kid }).to_string();
        let claims = serde_json::to_vec(token).expect("claims are plain values");
        let input = format!("{}.{}", encode(header), encode(claims));
        let signature = match alg {
            IdTokenAlg::ES256 => encode(self.es256.sign(input.as_bytes())),
            IdTokenAlg::RS256 => encode(self.rs256.sign(input.as_bytes())),
        };
        format!("{input}.{signature}")
    }

    /// Reads an ID token that this gateway signed, expired or not. `None` for anything else.
    ///
    /// Source: OpenID Connect RP-Initiated Logout 1.0 section 2, `id_token_hint`.
    #[must_use]
    pub fn read_hint(&self, issuer: &str, compact: &str) -> Option<Hint> {
        let by_es256 = UnverifiedJws::parse(compact)
            .ok()
            .and_then(|jws| jws.verify::<Hint>(self.es256.public(), TYP).ok());
        let hint = by_es256.or_else(|| self.read_rs256(compact))?;
        (hint.iss == issuer).then_some(hint)
    }

    fn read_rs256(&self, compact: &str) -> Option<Hint> {
        let (input, signature) = compact.rsplit_once('.')?;
        let signed = self
            .rs256
            .has_signed(input.as_bytes(), &decode(signature).ok()?);
        // Signed by this key means that the header is one that `sign` wrote.
        let (_, claims) = input.split_once('.').filter(|_| signed)?;
        serde_json::from_slice(&decode(claims).ok()?).ok()
    }
}

const TYP: &str = "JWT";

#[cfg(test)]
mod tests;
