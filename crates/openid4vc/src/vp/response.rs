//! Responses: presentations or an error, encrypted to the verifier.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use credential::jose::jwe::{self, DecryptionKey, Jwe, JweError, Parameters};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::dcql::{Query, QueryId};
use super::{ClientMetadata, MetadataError, UrlSafe};
use crate::form::{self, FormError, compose};
use crate::oauth::ErrorCode;

/// What a wallet answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// Presentations.
    Presented {
        /// By credential query.
        vp_token: VpToken,
        /// The request's.
        state: Option<UrlSafe>,
    },
    /// None, and why.
    Refused(ErrorResponse),
}

impl AuthorizationResponse {
    /// Encrypts the response and writes the body to post to `response_uri`.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Metadata`] if the verifier's key cannot be used, [`ResponseError::Jwe`] if
    /// the library fails.
    pub fn encrypt(&self, metadata: &ClientMetadata) -> Result<String, ResponseError> {
        let (jwk, enc) = metadata.encryption()?;
        let parameters = Parameters {
            enc,
            kid: jwk.kid.as_deref(),
            ..Parameters::A256GCM
        };
        let payload = serde_json::to_vec(&Payload::from(self)).map(Zeroizing::new);
        let payload = payload.map_err(|_| ResponseError::Payload)?;
        let jwe = jwe::encrypt(&jwk.key, &parameters, &payload)?;
        Ok(compose([("response", jwe.as_str())]))
    }

    /// Decrypts a response.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Jwe`] if it was made for another key; [`ResponseError::Payload`] if it
    /// holds neither presentations nor an error.
    pub fn decrypt(jwe: &Jwe, key: &DecryptionKey) -> Result<AuthorizationResponse, ResponseError> {
        let payload = jwe.decrypt(key)?;
        let payload: Payload =
            serde_json::from_slice(&payload).map_err(|_| ResponseError::Payload)?;
        payload.try_into()
    }

    /// The state it repeats.
    #[must_use]
    pub fn state(&self) -> Option<&UrlSafe> {
        match self {
            AuthorizationResponse::Presented { state, .. }
            | AuthorizationResponse::Refused(ErrorResponse { state, .. }) => state.as_ref(),
        }
    }
}

/// Presentations by credential query.
///
/// Source: OpenID4VP 1.0 §8.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct VpToken(BTreeMap<QueryId, Vec<Presentation>>);

impl VpToken {
    /// A token that answers one credential query with one presentation.
    #[must_use]
    pub fn of(id: QueryId, presentation: String) -> VpToken {
        VpToken(BTreeMap::from([(
            id,
            vec![Presentation::Text(presentation)],
        )]))
    }

    /// The same with another credential query answered.
    #[must_use]
    pub fn and(mut self, id: QueryId, presentations: Vec<Presentation>) -> VpToken {
        self.0.insert(id, presentations);
        self
    }

    /// The presentations for a credential query.
    #[must_use]
    pub fn get(&self, id: &str) -> &[Presentation] {
        let found = self.0.iter().find(|(known, _)| known.as_str() == id);
        found
            .map(|(_, presentations)| presentations.as_slice())
            .unwrap_or_default()
    }

    /// The presentation, if there is exactly one and it is a text, with what it answers.
    #[must_use]
    pub fn single(&self) -> Option<(&QueryId, &str)> {
        let mut entries = self.0.iter();
        match (entries.next(), entries.next()) {
            (Some((id, presentations)), None) => match presentations.as_slice() {
                [Presentation::Text(text)] => Some((id, text)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Checks that these are answers to `query`, as far as their number goes. What is in them is
    /// for the formats to judge.
    ///
    /// # Errors
    ///
    /// [`ResponseError::Unasked`], [`ResponseError::Number`] or [`ResponseError::Unsatisfied`].
    pub fn check(&self, query: &Query) -> Result<(), ResponseError> {
        for (id, presentations) in &self.0 {
            let asked = query
                .credential(id.as_str())
                .ok_or(ResponseError::Unasked)?;
            if presentations.is_empty() || (presentations.len() > 1 && !asked.multiple) {
                return Err(ResponseError::Number);
            }
        }
        let answered: BTreeSet<&QueryId> = self.0.keys().collect();
        if query.is_satisfied_by(&answered) {
            Ok(())
        } else {
            Err(ResponseError::Unsatisfied)
        }
    }
}

/// A presentation, in whichever of the two forms its format has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Presentation {
    /// A text.
    Text(String),
    /// An object.
    Object(Map<String, Value>),
}

/// Why there are no presentations.
///
/// Source: OpenID4VP 1.0 §8.5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The reason.
    pub error: ErrorCode,
    /// The same for a developer.
    pub error_description: Option<String>,
    /// The request's.
    pub state: Option<UrlSafe>,
}

/// What arrives at `response_uri`.
pub enum PostedResponse {
    /// An encrypted response; its `kid` tells which key.
    Encrypted(Box<Jwe>),
    /// An error of a wallet that could not encrypt. Anybody may have sent it.
    Error(ErrorResponse),
}

impl PostedResponse {
    /// Reads the body of a post.
    ///
    /// # Errors
    ///
    /// [`ResponseError`] if it is neither; presentations that are not encrypted are refused.
    pub fn parse(body: &str) -> Result<PostedResponse, ResponseError> {
        let form = form::Parameters::parse(body, MAX_BYTES)?;
        if let Some(response) = form.get("response") {
            return Ok(PostedResponse::Encrypted(Box::new(Jwe::parse(response)?)));
        }
        if form.has("vp_token") {
            return Err(ResponseError::Unencrypted);
        }
        let error = form.get("error").ok_or(ResponseError::Payload)?;
        let state = form.get("state").map(UrlSafe::parse).transpose();
        Ok(PostedResponse::Error(ErrorResponse {
            error: ErrorCode::deserialize(Value::from(error)).unwrap_or(ErrorCode::Unknown),
            error_description: form.text("error_description"),
            state: state.map_err(|_| ResponseError::Payload)?,
        }))
    }
}

/// What the verifier answers to a post, with status 200.
///
/// Source: OpenID4VP 1.0 §8.2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostAnswer {
    /// Where the browser on the wallet's device goes on; any absolute address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}

/// Why a response is refused or cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not a form.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The encryption is wrong.
    #[error(transparent)]
    Jwe(#[from] JweError),
    /// The verifier cannot be encrypted to.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Neither presentations nor an error, or malformed ones.
    #[error("response is malformed")]
    Payload,
    /// Presentations that are not encrypted.
    #[error("response is not encrypted")]
    Unencrypted,
    /// An answer to a credential query that is not in the request.
    #[error("response answers something that was not asked")]
    Unasked,
    /// No presentation, or several where one was asked for.
    #[error("response has another number of presentations than asked for")]
    Number,
    /// What is required is not all there.
    #[error("response does not satisfy the request")]
    Unsatisfied,
}

/// A form around the longest JWE that is read.
const MAX_BYTES: usize = jwe::MAX_BYTES + 1024;

/// The JSON inside; members that are not known are ignored.
#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vp_token: Option<VpToken>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ErrorCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<UrlSafe>,
}

impl From<&AuthorizationResponse> for Payload {
    fn from(response: &AuthorizationResponse) -> Payload {
        match response.clone() {
            AuthorizationResponse::Presented { vp_token, state } => Payload {
                vp_token: Some(vp_token),
                error: None,
                error_description: None,
                state,
            },
            AuthorizationResponse::Refused(ErrorResponse {
                error,
                error_description,
                state,
            }) => Payload {
                vp_token: None,
                error: Some(error),
                error_description,
                state,
            },
        }
    }
}

impl TryFrom<Payload> for AuthorizationResponse {
    type Error = ResponseError;

    fn try_from(payload: Payload) -> Result<AuthorizationResponse, ResponseError> {
        let Payload {
            vp_token,
            error,
            error_description,
            state,
        } = payload;
        match (vp_token, error) {
            (Some(vp_token), None) => Ok(AuthorizationResponse::Presented { vp_token, state }),
            (None, Some(error)) => {
                let refused = ErrorResponse {
                    error,
                    error_description,
                    state,
                };
                Ok(AuthorizationResponse::Refused(refused))
            }
            (Some(_), Some(_)) | (None, None) => Err(ResponseError::Payload),
        }
    }
}

impl<'de> Deserialize<'de> for VpToken {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<VpToken, D::Error> {
        input.deserialize_map(TokenVisitor)
    }
}

/// Unlike a plain map, it refuses a name that occurs twice: two readers might choose differently.
struct TokenVisitor;

impl<'de> Visitor<'de> for TokenVisitor {
    type Value = VpToken;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arrays of presentations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<VpToken, A::Error> {
        let mut token = BTreeMap::new();
        while let Some((id, presentations)) = entries.next_entry()? {
            if token.insert(id, presentations).is_some() {
                return Err(serde::de::Error::custom("credential query answered twice"));
            }
        }
        Ok(VpToken(token))
    }
}

#[cfg(test)]
mod tests;
