//! The request object: what a verifier asks, signed.

use std::fmt;

use credential::jose::jws::{self, Header, JwsError, UnverifiedJws};
use credential::jose::{SigningKey, sha256};
use credential::time::UnixTime;
use rand_core::CryptoRng;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dcql::{Query, QueryId};
use super::{CertificateError, ClientId, ClientMetadata, MetadataError, RequestCertificate};
use crate::Secret;
use crate::oauth::ErrorCode;
use crate::uri::HttpsUri;

/// What a verifier asks.
///
/// Source: OpenID4VP 1.0 §5.1, §5.2 and §8.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestObject {
    /// The verifier.
    pub client_id: ClientId,
    /// [`RESPONSE_TYPE`].
    pub response_type: String,
    /// [`RESPONSE_MODE`].
    pub response_mode: String,
    /// Where the response is posted.
    pub response_uri: HttpsUri,
    /// What presentations are bound to.
    pub nonce: UrlSafe,
    /// To be repeated in the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<UrlSafe>,
    /// Whom the request is for: [`SELF_ISSUED_AUDIENCE`].
    pub aud: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<UnixTime>,
    /// From this second on it is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<UnixTime>,
    /// Keys and formats.
    pub client_metadata: ClientMetadata,
    /// What is asked for.
    pub dcql_query: Query,
    /// What others attest about the verifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verifier_info: Option<Vec<VerifierInfo>>,
}

impl RequestObject {
    /// The same, answered from `now` on for `ttl_secs`.
    #[must_use]
    pub fn valid_for(self, now: UnixTime, ttl_secs: u64) -> RequestObject {
        RequestObject {
            iat: Some(now),
            exp: Some(now.plus_secs(ttl_secs)),
            ..self
        }
    }

    /// The same, with an attestation added.
    #[must_use]
    pub fn with_attestation(mut self, format: &str, data: Value) -> RequestObject {
        let info = VerifierInfo {
            format: format.to_owned(),
            data,
            credential_ids: None,
        };
        self.verifier_info.get_or_insert_default().push(info);
        self
    }

    /// The first attestation in this format.
    #[must_use]
    pub fn attestation(&self, format: &str) -> Option<&Value> {
        let mut infos = self.verifier_info.iter().flatten();
        infos
            .find(|info| info.format == format)
            .map(|info| &info.data)
    }

    fn check(&self, now: UnixTime) -> Result<(), RequestError> {
        if self.response_type != RESPONSE_TYPE {
            return Err(RequestError::ResponseType);
        }
        if self.response_mode != RESPONSE_MODE {
            return Err(RequestError::ResponseMode);
        }
        if self.aud != SELF_ISSUED_AUDIENCE {
            return Err(RequestError::Audience);
        }
        if self.exp.is_some_and(|exp| now >= exp) {
            return Err(RequestError::Expired);
        }
        if let Some(infos) = &self.verifier_info {
            let fits = !infos.is_empty() && infos.iter().all(|info| info.fits(&self.dcql_query));
            fits.then_some(()).ok_or(RequestError::VerifierInfo)?;
        }
        self.client_metadata.encryption()?;
        Ok(())
    }
}

/// Something that others attest about the verifier.
///
/// Source: OpenID4VP 1.0 §5.1 and §5.11.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierInfo {
    /// How it is to be read.
    pub format: String,
    /// The attestation, a text or an object.
    pub data: Value,
    /// The credential queries it is about; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_ids: Option<Vec<QueryId>>,
}

impl VerifierInfo {
    fn fits(&self, query: &Query) -> bool {
        let known = |id: &QueryId| query.credential(id.as_str()).is_some();
        let about_known = match &self.credential_ids {
            None => true,
            Some(ids) => !ids.is_empty() && ids.iter().all(known),
        };
        about_known && (self.data.is_string() || self.data.is_object())
    }
}

/// A nonce or state: 1 to 512 letters, digits or any of `-._~`.
///
/// Source: OpenID4VP 1.0 §5.2.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlSafe(String);

impl UrlSafe {
    /// Draws 256 bits.
    #[must_use]
    pub fn draw(rng: &mut impl CryptoRng) -> UrlSafe {
        UrlSafe(Secret::draw(rng).expose().to_owned())
    }

    /// Reads a text.
    ///
    /// # Errors
    ///
    /// [`RequestError::Characters`] for another length or character.
    pub fn parse(text: &str) -> Result<UrlSafe, RequestError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (1..=512).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(UrlSafe(text.to_owned()))
        } else {
            Err(RequestError::Characters)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UrlSafe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for UrlSafe {
    type Error = RequestError;

    fn try_from(text: String) -> Result<UrlSafe, RequestError> {
        UrlSafe::parse(&text)
    }
}

impl From<UrlSafe> for String {
    fn from(text: UrlSafe) -> String {
        text.0
    }
}

/// A verifier's key with its certificates.
pub struct RequestSigner {
    key: SigningKey,
    chain: Vec<Vec<u8>>,
    client_id: ClientId,
}

impl RequestSigner {
    /// Takes a key and its certificate in DER, followed by those that vouch for it, if any.
    ///
    /// # Errors
    ///
    /// [`RequestError::Certificate`] if the first cannot be read; [`RequestError::NoCertificate`]
    /// if there is none; [`RequestError::Key`] if it was made for another key.
    pub fn new(key: SigningKey, chain: Vec<Vec<u8>>) -> Result<RequestSigner, RequestError> {
        let leaf = RequestCertificate::parse(chain.first().ok_or(RequestError::NoCertificate)?)?;
        if leaf.key() != key.public() {
            return Err(RequestError::Key);
        }
        Ok(RequestSigner {
            key,
            chain,
            client_id: leaf.client_id(),
        })
    }

    /// The verifier's client id.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// Makes a request with a nonce and state of 256 bits each, which is valid for ever until
    /// [`RequestObject::valid_for`] says otherwise.
    #[must_use]
    pub fn request(
        &self,
        response_uri: HttpsUri,
        client_metadata: ClientMetadata,
        dcql_query: Query,
        rng: &mut impl CryptoRng,
    ) -> RequestObject {
        RequestObject {
            client_id: self.client_id,
            response_type: RESPONSE_TYPE.to_owned(),
            response_mode: RESPONSE_MODE.to_owned(),
            response_uri,
            nonce: UrlSafe::draw(rng),
            state: Some(UrlSafe::draw(rng)),
            aud: SELF_ISSUED_AUDIENCE.to_owned(),
            iat: None,
            exp: None,
            client_metadata,
            dcql_query,
            verifier_info: None,
        }
    }

    /// Signs a request; the result is served as `application/oauth-authz-req+jwt`.
    #[must_use]
    pub fn sign(&self, request: &RequestObject) -> String {
        let header = Header {
            x5c: self.chain.clone(),
            ..Header::of_type(TYP)
        };
        jws::sign_with_header(&self.key, &header, request)
    }
}

/// A request object as it was fetched.
pub struct UnverifiedRequest {
    jws: UnverifiedJws,
    sha256: [u8; 32],
}

impl UnverifiedRequest {
    /// Reads the compact form.
    ///
    /// # Errors
    ///
    /// [`RequestError::Jws`].
    pub fn parse(compact: &str) -> Result<UnverifiedRequest, RequestError> {
        let jws = UnverifiedJws::parse(compact)?;
        Ok(UnverifiedRequest {
            jws,
            sha256: sha256(compact.as_bytes()),
        })
    }

    /// Checks that the verifier `expected` by the link signed it and that it can be answered now.
    ///
    /// Who issued the certificate is not judged: the caller must know the client id from someone
    /// it trusts, and that the response address belongs to that verifier.
    ///
    /// # Errors
    ///
    /// Any variant of [`RequestError`].
    pub fn verify(
        &self,
        expected: ClientId,
        now: UnixTime,
    ) -> Result<VerifiedRequest, RequestError> {
        let leaf = self
            .jws
            .header()
            .x5c
            .first()
            .ok_or(RequestError::NoCertificate)?;
        let leaf = RequestCertificate::parse(leaf)?;
        if leaf.client_id() != expected {
            return Err(RequestError::ClientId);
        }
        if !leaf.is_valid_at(now) {
            return Err(RequestError::CertificateExpired);
        }
        let forbidden: Forbidden = self.jws.verify(leaf.key(), TYP)?;
        forbidden.check()?;
        let request: RequestObject = self.jws.verify(leaf.key(), TYP)?;
        if request.client_id != expected {
            return Err(RequestError::ClientId);
        }
        request.check(now)?;
        Ok(VerifiedRequest {
            request,
            sha256: self.sha256,
        })
    }
}

/// A request that its verifier signed and that can be answered.
#[derive(Clone, Debug)]
pub struct VerifiedRequest {
    request: RequestObject,
    sha256: [u8; 32],
}

impl VerifiedRequest {
    /// What is asked.
    #[must_use]
    pub fn request(&self) -> &RequestObject {
        &self.request
    }

    /// SHA-256 of the compact form as it was fetched.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The signature or the form of the whole is wrong.
    #[error("request object: {0}")]
    Jws(#[from] JwsError),
    /// The header has no certificate.
    #[error("request object carries no certificate")]
    NoCertificate,
    /// The certificate cannot be used.
    #[error("request object: {0}")]
    Certificate(#[from] CertificateError),
    /// The certificate is not valid at this time.
    #[error("certificate of the request has expired or is not valid yet")]
    CertificateExpired,
    /// The certificate belongs to another key than the one to sign with.
    #[error("certificate was made for another key")]
    Key,
    /// The certificate, the request and the link do not name the same verifier.
    #[error("request is from another verifier than expected")]
    ClientId,
    /// `response_type` is not `vp_token`.
    #[error("response_type is not supported")]
    ResponseType,
    /// `response_mode` is not `direct_post.jwt`.
    #[error("response_mode is not supported")]
    ResponseMode,
    /// `aud` is another one.
    #[error("request is for someone else")]
    Audience,
    /// Too late.
    #[error("request has expired")]
    Expired,
    /// `redirect_uri` beside `response_uri`, or `scope` beside `dcql_query`.
    #[error("request has a parameter that excludes another one")]
    Contradiction,
    /// `transaction_data` is not supported and must not be ignored.
    #[error("transaction data is not supported")]
    TransactionData,
    /// `verifier_info` is empty, or names credentials that are not asked for.
    #[error("verifier_info is malformed")]
    VerifierInfo,
    /// The response cannot be encrypted.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A nonce or state has characters it must not have.
    #[error("nonce or state is malformed")]
    Characters,
}

impl RequestError {
    /// The error's code in OAuth's terms, for an answer to a verifier that is known.
    #[must_use]
    pub fn code(self) -> ErrorCode {
        match self {
            RequestError::TransactionData => ErrorCode::InvalidTransactionData,
            RequestError::ResponseType => ErrorCode::UnsupportedResponseType,
            RequestError::Jws(_)
            | RequestError::NoCertificate
            | RequestError::Certificate(_)
            | RequestError::CertificateExpired
            | RequestError::Key
            | RequestError::ClientId
            | RequestError::ResponseMode
            | RequestError::Audience
            | RequestError::Expired
            | RequestError::Contradiction
            | RequestError::VerifierInfo
            | RequestError::Metadata(_)
            | RequestError::Characters => ErrorCode::InvalidRequest,
        }
    }
}

/// The one response type.
pub const RESPONSE_TYPE: &str = "vp_token";
/// The one response mode.
pub const RESPONSE_MODE: &str = "direct_post.jwt";
/// Audience of a request to a wallet that is not known beforehand.
///
/// Source: OpenID4VP 1.0 §5.8.
pub const SELF_ISSUED_AUDIENCE: &str = "https://self-issued.me/v2";

/// Members whose presence is an error. Unknown ones are ignored as the specification demands.
#[derive(Deserialize)]
struct Forbidden {
    redirect_uri: Option<IgnoredAny>,
    scope: Option<IgnoredAny>,
    transaction_data: Option<IgnoredAny>,
}

impl Forbidden {
    fn check(&self) -> Result<(), RequestError> {
        if self.transaction_data.is_some() {
            return Err(RequestError::TransactionData);
        }
        if self.redirect_uri.is_some() || self.scope.is_some() {
            return Err(RequestError::Contradiction);
        }
        Ok(())
    }
}

/// Source: RFC 9101 §10.8.
const TYP: &str = "oauth-authz-req+jwt";

#[cfg(test)]
mod tests;
