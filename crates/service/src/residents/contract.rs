//! The messages between an operator and the connector of an authoritative register.
//!
//! Source: `docs/specs/authority.md`.

use credential::jose::{self, PublicKey, SigningKey, jws};
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{IsoDate, LastDay, NumberKind};

/// `typ` of what proves who asks.
const REQUEST_TYP: &str = "bauta-authority-request+jwt";
/// `typ` of an answer.
const ANSWER_TYP: &str = "bauta-authority-answer+jwt";
/// How long a request is good for, in seconds.
pub(crate) const REQUEST_SECS: u64 = 60;
/// How far the clocks of the two sides may differ, in seconds.
const CLOCK_SKEW_SECS: u64 = 60;

/// What an operator asks. Wiped when dropped.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyRequest {
    /// 16 random bytes in base64url; the same request again has the same.
    pub(crate) request_id: String,
    /// 16 random bytes in base64url.
    pub(crate) nonce: String,
    pub(crate) kind: NumberKind,
    pub(crate) number: Zeroizing<String>,
    pub(crate) name: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) birth: Option<IsoDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_from: Option<IsoDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_to: Option<LastDay>,
}

impl Drop for VerifyRequest {
    fn drop(&mut self) {
        self.birth.zeroize();
        self.valid_from.zeroize();
        self.valid_to.zeroize();
    }
}

/// Whether number and name, and what else was given, belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchResult {
    /// All that was given is that of the register.
    Match,
    /// Something is another one in the register.
    Mismatch,
    /// The register has nothing under this number.
    NoRecord,
    /// The register cannot say.
    Indeterminate,
}

/// The state of the card or permit on the day of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentState {
    /// Issued, not withdrawn, and its last day is not over.
    Valid,
    /// Its last day is over.
    Expired,
    /// Lost, replaced or taken back.
    Withdrawn,
    /// The register does not say; always so without a match.
    Unknown,
}

/// The state of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonState {
    /// Alive.
    Alive,
    /// Dead.
    Deceased,
    /// The register does not say; always so without a match.
    Unknown,
}

/// What a register says. Nothing of the person is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterAnswer {
    /// Whether what was given belongs together.
    pub result: MatchResult,
    /// The card's state.
    pub document: DocumentState,
    /// The person's state.
    pub person: PersonState,
    /// When the register was asked, if it says so.
    pub checked_at: Option<UnixTime>,
}

/// The payload of an answer.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerClaims {
    request_id: String,
    nonce: String,
    request_sha256: String,
    result: MatchResult,
    document: DocumentState,
    person: PersonState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checked_at: Option<UnixTime>,
}

/// The answer does not hold: whichever of signature, request, nonce and form it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the register's answer does not hold")]
pub struct AnswerInvalid;

/// Signs the answer to the request of these octets.
pub(crate) fn sign_answer(
    key: &SigningKey,
    request: &VerifyRequest,
    body_sha256: [u8; 32],
    answer: &RegisterAnswer,
) -> String {
    let claims = AnswerClaims {
        request_id: request.request_id.clone(),
        nonce: request.nonce.clone(),
        request_sha256: jose::encode(body_sha256),
        result: answer.result,
        document: answer.document,
        person: answer.person,
        checked_at: answer.checked_at,
    };
    jws::sign(key, ANSWER_TYP, &claims)
}

/// Checks that `compact` is the register's answer to this request and no other.
pub(crate) fn verify_answer(
    compact: &str,
    key: &PublicKey,
    request: &VerifyRequest,
    body_sha256: [u8; 32],
) -> Result<RegisterAnswer, AnswerInvalid> {
    let claims: AnswerClaims = jws::UnverifiedJws::parse(compact)
        .and_then(|jws| jws.verify(key, ANSWER_TYP))
        .map_err(|_| AnswerInvalid)?;
    let answers = claims.request_id == request.request_id
        && claims.nonce == request.nonce
        && claims.request_sha256 == jose::encode(body_sha256);
    let without_match =
        claims.document == DocumentState::Unknown && claims.person == PersonState::Unknown;
    if !answers || (claims.result != MatchResult::Match && !without_match) {
        return Err(AnswerInvalid);
    }
    Ok(RegisterAnswer {
        result: claims.result,
        document: claims.document,
        person: claims.person,
        checked_at: claims.checked_at,
    })
}

/// Who asks, for which octets, and until when: the bearer token of a request.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestClaims {
    iss: String,
    aud: String,
    request_sha256: String,
    iat: UnixTime,
    exp: UnixTime,
}

/// Why a connector does not take a request's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not signed by the enrolment service, for another connector or request, or of another form.
    #[error("token is not the enrolment service's for this request")]
    Invalid,
    /// Expired, made in the future or for too long.
    #[error("token is not valid at this time")]
    Time,
}

/// Signs the token of a request from the enrolment service `iss` to the connector at `aud`.
pub(crate) fn sign_token(
    key: &SigningKey,
    (iss, aud): (&str, &str),
    body_sha256: [u8; 32],
    now: UnixTime,
) -> String {
    let claims = RequestClaims {
        iss: iss.to_owned(),
        aud: aud.to_owned(),
        request_sha256: jose::encode(body_sha256),
        iat: now,
        exp: now.plus_secs(REQUEST_SECS),
    };
    jws::sign(key, REQUEST_TYP, &claims)
}

/// Checks that a token is the enrolment service's, for this connector and these octets.
pub(crate) fn verify_token(
    compact: &str,
    key: &PublicKey,
    (iss, aud): (&str, &str),
    body_sha256: [u8; 32],
    now: UnixTime,
) -> Result<(), TokenError> {
    let claims: RequestClaims = jws::UnverifiedJws::parse(compact)
        .and_then(|jws| jws.verify(key, REQUEST_TYP))
        .map_err(|_| TokenError::Invalid)?;
    let body = jose::encode(body_sha256);
    if claims.iss != iss || claims.aud != aud || claims.request_sha256 != body {
        return Err(TokenError::Invalid);
    }
    let latest_end = now.plus_secs(REQUEST_SECS + CLOCK_SKEW_SECS);
    let early = claims.iat > now.plus_secs(CLOCK_SKEW_SECS);
    // A clock that is behind makes tokens that seem to have ended.
    if now >= claims.exp.plus_secs(CLOCK_SKEW_SECS) || claims.exp > latest_end || early {
        return Err(TokenError::Time);
    }
    Ok(())
}
