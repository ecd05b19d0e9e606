//! Compact JSON Web Signatures with ES256.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{PublicKey, SigningKey, decode, encode, parse_object, present};

/// The protected header of a JWS; `alg` is always ES256.
///
/// Source: RFC 7515 §4.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Media type of the whole, without `application/`.
    pub typ: Option<String>,
    /// Name of the signer's key.
    pub kid: Option<String>,
    /// The signer's key itself. Signing with it shows possession, nothing about whose it is.
    pub jwk: Option<PublicKey>,
    /// Certificate chain in DER, the signer's own certificate first; empty for none.
    pub x5c: Vec<Vec<u8>>,
}

impl Header {
    /// A header with a type only.
    #[must_use]
    pub fn of_type(typ: &str) -> Header {
        Header {
            typ: Some(typ.to_owned()),
            ..Header::default()
        }
    }
}

/// Signs `payload` as JSON under a header holding `alg` and `typ`.
///
/// # Panics
///
/// If `payload` does not serialise to JSON, which a payload type must.
#[must_use]
pub fn sign(key: &SigningKey, typ: &str, payload: &impl Serialize) -> String {
    sign_with_header(key, &Header::of_type(typ), payload)
}

/// Signs `payload` as JSON under `header`.
///
/// # Panics
///
/// If `payload` does not serialise to JSON, which a payload type must.
#[must_use]
pub fn sign_with_header(key: &SigningKey, header: &Header, payload: &impl Serialize) -> String {
    let header = WireHeader {
        alg: ES256.to_owned(),
        typ: header.typ.clone(),
        kid: header.kid.clone(),
        jwk: header.jwk,
        x5c: (!header.x5c.is_empty())
            .then(|| header.x5c.iter().map(|der| STANDARD.encode(der)).collect()),
        crit: None,
        b64: None,
    };
    let header = serde_json::to_vec(&header).expect("a header is plain strings");
    let payload = serde_json::to_vec(payload).expect("a payload type serialises to JSON");
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(input.as_bytes());
    format!("{input}.{}", encode(signature))
}

/// A well-formed JWS whose signature has not been checked. Its header is the sender's claim.
#[derive(Clone, Debug)]
pub struct UnverifiedJws {
    signing_input: String,
    header: Header,
    payload: Vec<u8>,
    signature: [u8; 64],
}

impl UnverifiedJws {
    /// Reads the compact form: three parts, ES256, no extensions, at most [`MAX_BYTES`].
    ///
    /// # Errors
    ///
    /// The variants of [`JwsError`] up to and including [`JwsError::Algorithm`].
    pub fn parse(compact: &str) -> Result<UnverifiedJws, JwsError> {
        if compact.len() > MAX_BYTES {
            return Err(JwsError::TooLong);
        }
        let (signing_input, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Malformed)?;
        let header = parse_header(&decode(header).map_err(|_| JwsError::Malformed)?)?;
        // A fourth part leaves a dot in the payload, which is not base64url.
        let payload = decode(payload).map_err(|_| JwsError::Malformed)?;
        let signature = decode(signature).map_err(|_| JwsError::Malformed)?;
        let signature = signature.try_into().map_err(|_| JwsError::Malformed)?;
        Ok(UnverifiedJws {
            signing_input: signing_input.to_owned(),
            header,
            payload,
            signature,
        })
    }

    /// The header, as the sender claims it.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload before verification, for finding out which key to verify with and no more.
    ///
    /// # Errors
    ///
    /// [`JwsError::Payload`] if it is not a JSON object of this shape.
    pub fn unverified_payload<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        parse_object(&self.payload).ok_or(JwsError::Payload)
    }

    /// Checks type and signature, then reads the payload.
    ///
    /// # Errors
    ///
    /// [`JwsError::Type`], [`JwsError::Signature`] or [`JwsError::Payload`].
    pub fn verify<T: DeserializeOwned>(
        &self,
        key: &PublicKey,
        expected_typ: &str,
    ) -> Result<T, JwsError> {
        if self.header.typ.as_deref() != Some(expected_typ) {
            return Err(JwsError::Type);
        }
        self.verify_signature(key)?;
        self.unverified_payload()
    }

    fn verify_signature(&self, key: &PublicKey) -> Result<(), JwsError> {
        key.verify(self.signing_input.as_bytes(), &self.signature)
            .map_err(|_| JwsError::Signature)
    }
}

/// Why a JWS is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Longer than [`MAX_BYTES`].
    #[error("signed token is too long")]
    TooLong,
    /// Not three base64url parts with a JSON header and a 64-byte signature.
    #[error("signed token is malformed")]
    Malformed,
    /// `crit` or `b64` is present; no extension is supported.
    #[error("signed token demands an extension")]
    Extension,
    /// `alg` is not ES256.
    #[error("signed token uses another algorithm than ES256")]
    Algorithm,
    /// `typ` is absent or another one.
    #[error("signed token has another type")]
    Type,
    /// The signature does not verify under this key.
    #[error("signature does not verify")]
    Signature,
    /// The payload is not a JSON object of the expected shape.
    #[error("payload of the signed token is malformed")]
    Payload,
}

/// Longest compact form that is read, in bytes. A request object with a certificate chain and a
/// site entry is a few thousand.
pub const MAX_BYTES: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct WireHeader {
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwk: Option<PublicKey>,
    /// Padded standard base64, unlike everything else (RFC 7515 §4.1.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x5c: Option<Vec<String>>,
    #[serde(default, skip_serializing, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    #[serde(default, skip_serializing, deserialize_with = "present")]
    b64: Option<IgnoredAny>,
}

fn parse_header(json: &[u8]) -> Result<Header, JwsError> {
    // The algorithm is judged first: under another one, `jwk` may hold another kind of key.
    let AlgOnly { alg } = parse_object(json).ok_or(JwsError::Malformed)?;
    if alg != ES256 {
        return Err(JwsError::Algorithm);
    }
    let wire: WireHeader = parse_object(json).ok_or(JwsError::Malformed)?;
    if wire.crit.is_some() || wire.b64.is_some() {
        return Err(JwsError::Extension);
    }
    let x5c = wire.x5c.unwrap_or_default();
    let x5c = x5c
        .iter()
        .map(|text| STANDARD.decode(text))
        .collect::<Result<_, _>>();
    let x5c = x5c.map_err(|_| JwsError::Malformed)?;
    Ok(Header {
        typ: wire.typ,
        kid: wire.kid,
        jwk: wire.jwk,
        x5c,
    })
}

#[derive(Deserialize)]
struct AlgOnly {
    alg: String,
}

const ES256: &str = "ES256";

#[cfg(test)]
mod tests;
