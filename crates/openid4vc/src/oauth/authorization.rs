//! The authorization endpoint with the code flow.
//!
//! A request is judged in two steps, because an error may be sent back to the client only once
//! its address is known to be its own: [`AuthorizationParameters::redirect_target`], then
//! [`AuthorizationParameters::request`].

use serde::{Deserialize, Serialize};

use super::{CodeChallenge, ErrorCode, OAuthError, PkceError};
use crate::Secret;
use crate::form::{FormError, Parameters, compose};
use crate::uri::RedirectUri;

/// Parameters of an authorization request, before anything about them is known to be right.
///
/// Source: RFC 6749 §4.1.1; OpenID Connect Core §3.1.2.1.
pub struct AuthorizationParameters(Parameters);

impl AuthorizationParameters {
    /// Reads a query, or the body of a form that was posted.
    ///
    /// # Errors
    ///
    /// [`FormError`] as [`Parameters::parse`]. There is nobody to send this error to: show it.
    pub fn parse(query: &str) -> Result<AuthorizationParameters, FormError> {
        Parameters::parse(query, MAX_BYTES).map(AuthorizationParameters)
    }

    /// The client the request says it is from.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Missing`]. Show it.
    pub fn client_id(&self) -> Result<&str, AuthorizationError> {
        self.0
            .get("client_id")
            .ok_or(AuthorizationError::Missing("client_id"))
    }

    /// Where answers go, if the request names one of the client's `registered` addresses exactly.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Missing`] or [`AuthorizationError::RedirectUri`]. Show them; never
    /// redirect.
    pub fn redirect_target(
        &self,
        registered: &[RedirectUri],
    ) -> Result<RedirectTarget, AuthorizationError> {
        let requested = self.0.get("redirect_uri");
        let requested = requested.ok_or(AuthorizationError::Missing("redirect_uri"))?;
        let uri = registered.iter().find(|uri| uri.matches(requested));
        // An unknown response mode is an error of its own, which is answered in a query.
        let response_mode = match self.0.get("response_mode") {
            Some("form_post") => ResponseMode::FormPost,
            _ => ResponseMode::Query,
        };
        Ok(RedirectTarget {
            uri: uri.ok_or(AuthorizationError::RedirectUri)?.clone(),
            state: self.0.text("state"),
            response_mode,
        })
    }

    /// The request itself. `pkce` says whether this client must use it.
    ///
    /// # Errors
    ///
    /// Any variant of [`AuthorizationError`]; answer it with [`RedirectTarget::refuse`].
    pub fn request(
        &self,
        target: RedirectTarget,
        pkce: Pkce,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        for (name, error) in UNSUPPORTED {
            if self.0.has(name) {
                return Err(error);
            }
        }
        match self.0.get("response_type") {
            None => return Err(AuthorizationError::Missing("response_type")),
            Some("code") => {}
            Some(_) => return Err(AuthorizationError::ResponseType),
        }
        if !matches!(
            self.0.get("response_mode"),
            None | Some("query" | "form_post")
        ) {
            return Err(AuthorizationError::ResponseMode);
        }
        let max_age = self.0.get("max_age").map(parse_seconds).transpose()?;
        Ok(AuthorizationRequest {
            client_id: self.client_id()?.to_owned(),
            target,
            scope: Scope::parse(self.0.get("scope").unwrap_or_default())?,
            nonce: self.0.text("nonce"),
            code_challenge: self.code_challenge(pkce)?,
            prompt: Prompt::parse(self.0.get("prompt"))?,
            max_age,
            acr_values: words(self.0.get("acr_values")),
            ui_locales: words(self.0.get("ui_locales")),
            id_token_hint: self.0.text("id_token_hint"),
            login_hint: self.0.text("login_hint"),
        })
    }

    fn code_challenge(&self, pkce: Pkce) -> Result<Option<CodeChallenge>, AuthorizationError> {
        let method = self.0.get("code_challenge_method");
        match (self.0.get("code_challenge"), pkce) {
            (Some(challenge), _) => Ok(Some(CodeChallenge::parse(challenge, method)?)),
            (None, Pkce::Required) => Err(AuthorizationError::Missing("code_challenge")),
            // A method without a challenge is a client that believes itself protected.
            (None, Pkce::Optional) if method.is_some() => {
                Err(AuthorizationError::Missing("code_challenge"))
            }
            (None, Pkce::Optional) => Ok(None),
        }
    }
}

/// Whether a client must use PKCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Requests without a challenge are refused; always so for public clients.
    Required,
    /// A challenge is honoured where there is one.
    Optional,
}

/// An authorization request whose parameters are right and whose answer has an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// The client.
    pub client_id: String,
    /// Where the answer goes.
    pub target: RedirectTarget,
    /// What is asked for.
    pub scope: Scope,
    /// To be repeated in the ID token.
    pub nonce: Option<String>,
    /// PKCE challenge.
    pub code_challenge: Option<CodeChallenge>,
    /// Whether the person must or must not be asked.
    pub prompt: Prompt,
    /// Longest time since the log-in, in seconds.
    pub max_age: Option<u64>,
    /// Wanted authentication contexts, the preferred one first. A wish, not a demand.
    pub acr_values: Vec<String>,
    /// Wanted languages, the preferred one first.
    pub ui_locales: Vec<String>,
    /// ID token of the person expected, unverified.
    pub id_token_hint: Option<String>,
    /// Name of the person expected.
    pub login_hint: Option<String>,
}

/// The client's own address with what its answer must repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedirectTarget {
    uri: RedirectUri,
    state: Option<String>,
    response_mode: ResponseMode,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    Query,
    /// In a form that the browser posts.
    ///
    /// Source: OAuth 2.0 Form Post Response Mode.
    FormPost,
}

/// An answer on its way to the client.
pub enum Answer {
    /// Redirect with 303 to this address.
    Redirect(String),
    /// Show a page that posts these fields to this address by itself.
    Post {
        /// Where to.
        uri: String,
        /// Names and values, not yet escaped for HTML.
        fields: Vec<(&'static str, String)>,
    },
}

impl RedirectTarget {
    /// The address itself, which the token request must repeat.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// How the answer travels.
    #[must_use]
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// Hands over a code. `issuer` is ours, so that a client of several cannot mix them up.
    ///
    /// Source: RFC 6749 §4.1.2; RFC 9207 §2.
    #[must_use]
    pub fn succeed(&self, issuer: &str, code: &Secret) -> Answer {
        self.answer(vec![("code", code.expose().to_owned())], issuer)
    }

    /// Tells the client why there is no code.
    ///
    /// Source: RFC 6749 §4.1.2.1; RFC 9207 §2.
    #[must_use]
    pub fn refuse(&self, issuer: &str, error: &OAuthError) -> Answer {
        let mut fields = vec![("error", error.error.as_str().to_owned())];
        fields.extend(
            error
                .error_description
                .clone()
                .map(|text| ("error_description", text)),
        );
        self.answer(fields, issuer)
    }

    fn answer(&self, mut fields: Vec<(&'static str, String)>, issuer: &str) -> Answer {
        fields.extend(self.state.clone().map(|state| ("state", state)));
        fields.push(("iss", issuer.to_owned()));
        match self.response_mode {
            ResponseMode::Query => {
                let query = compose(fields.iter().map(|(name, value)| (*name, value.as_str())));
                Answer::Redirect(self.uri.with_query(&query))
            }
            ResponseMode::FormPost => Answer::Post {
                uri: self.uri.as_str().to_owned(),
                fields,
            },
        }
    }
}

/// Scope values in the order given.
///
/// Source: RFC 6749 §3.3.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(Vec<String>);

impl Scope {
    /// Reads values separated by single spaces.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Scope`] if a character is outside the permitted ones.
    pub fn parse(text: &str) -> Result<Scope, AuthorizationError> {
        let allowed = |b: u8| b == b' ' || (b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if !text.bytes().all(allowed) {
            return Err(AuthorizationError::Scope);
        }
        Ok(Scope(words(Some(text))))
    }

    /// Whether a value is among them.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.0.iter().any(|one| one == value)
    }

    /// Whether an ID token is asked for.
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.contains("openid")
    }

    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Whether the person must or must not be asked.
///
/// Source: OpenID Connect Core §3.1.2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// As needed.
    #[default]
    Default,
    /// `none`: show no page.
    Never,
    /// `login`, `select_account` or `consent`: let the person act again even if there is a
    /// session.
    Login,
}

impl Prompt {
    fn parse(text: Option<&str>) -> Result<Prompt, AuthorizationError> {
        let values = words(text);
        let mut prompt = Prompt::Default;
        for value in &values {
            match value.as_str() {
                "none" if values.len() == 1 => prompt = Prompt::Never,
                "none" => return Err(AuthorizationError::Prompt),
                "login" | "select_account" | "consent" => prompt = Prompt::Login,
                _ => {}
            }
        }
        Ok(prompt)
    }
}

/// Why an authorization request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizationError {
    /// A parameter has no value.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// `redirect_uri` is not one of the client's.
    #[error("redirect_uri is not registered for this client")]
    RedirectUri,
    /// `response_type` is not `code`.
    #[error("response_type is not supported")]
    ResponseType,
    /// `response_mode` is neither `query` nor `form_post`.
    #[error("response_mode is not supported")]
    ResponseMode,
    /// `scope` has characters it must not have.
    #[error("scope is malformed")]
    Scope,
    /// `prompt` combines `none` with another value.
    #[error("prompt is contradictory")]
    Prompt,
    /// `max_age` is not a number of seconds.
    #[error("max_age is malformed")]
    MaxAge,
    /// PKCE parameters are wrong.
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// `request` is not supported.
    #[error("request is not supported")]
    Request,
    /// `request_uri` is not supported.
    #[error("request_uri is not supported")]
    RequestUri,
    /// `registration` is not supported.
    #[error("registration is not supported")]
    Registration,
}

impl From<AuthorizationError> for OAuthError {
    fn from(error: AuthorizationError) -> OAuthError {
        let code = match error {
            AuthorizationError::ResponseType => ErrorCode::UnsupportedResponseType,
            AuthorizationError::Scope => ErrorCode::InvalidScope,
            AuthorizationError::Request => ErrorCode::RequestNotSupported,
            AuthorizationError::RequestUri => ErrorCode::RequestUriNotSupported,
            AuthorizationError::Registration => ErrorCode::RegistrationNotSupported,
            AuthorizationError::Missing(_)
            | AuthorizationError::RedirectUri
            | AuthorizationError::ResponseMode
            | AuthorizationError::Prompt
            | AuthorizationError::MaxAge
            | AuthorizationError::Pkce(_) => ErrorCode::InvalidRequest,
        };
        OAuthError::new(code, &error)
    }
}

fn words(text: Option<&str>) -> Vec<String> {
    let words = text
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

fn parse_seconds(text: &str) -> Result<u64, AuthorizationError> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AuthorizationError::MaxAge);
    }
    text.parse().map_err(|_| AuthorizationError::MaxAge)
}

const UNSUPPORTED: [(&str, AuthorizationError); 3] = [
    ("request", AuthorizationError::Request),
    ("request_uri", AuthorizationError::RequestUri),
    ("registration", AuthorizationError::Registration),
];

const MAX_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests;
