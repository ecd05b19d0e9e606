//! Officers: who they are, and what they have signed.
//!
//! An officer is known by a key, never by a field of a request. Every request of an officer
//! carries a statement of its own (`bauta-officer+jwt`) that is good for one request; a decision
//! is a statement as well (`bauta-officer-decision+jwt`) and names the evidence decided on.

use std::collections::BTreeMap;
use std::sync::Arc;

use credential::jose::{PublicKey, jws};
use credential::origin::Origin;
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};
use store::{Consumed, SessionStore, StoreError};

use crate::secret;

/// `typ` of a statement that accompanies a request.
const REQUEST_TYP: &str = "bauta-officer+jwt";
/// `typ` of a decision.
const DECISION_TYP: &str = "bauta-officer-decision+jwt";
/// The longest time for which a request's statement may be made, in seconds.
const REQUEST_LIFETIME_SECS: u64 = 60;
/// How far an officer's clock may be ahead, in seconds.
const CLOCK_SKEW_SECS: u64 = 30;
/// How old a decision may be when it arrives, in seconds.
const DECISION_AGE_SECS: u64 = 300;

/// The name of an officer, as configured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OfficerId(pub String);

/// What an officer signs with every request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerRequest {
    /// The officer.
    pub iss: OfficerId,
    /// The operator's origin.
    pub aud: Origin,
    /// When it was signed.
    pub iat: UnixTime,
    /// The first second at which it is no longer taken, at most 60 after `iat`.
    pub exp: UnixTime,
    /// A random identifier that is used once.
    pub jti: String,
    /// The HTTP method.
    pub htm: String,
    /// The URL, without query.
    pub htu: String,
}

/// What an officer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The person is the holder of the document.
    Confirm,
    /// The person is not, or it cannot be told.
    Refuse,
}

/// A decision on one enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The officer.
    pub iss: OfficerId,
    /// The session.
    pub session: String,
    /// The digest of the evidence that the officer was shown.
    pub evidence_digest: String,
    /// What the officer found.
    pub decision: Verdict,
    /// Why, in a few words without personal data.
    pub reason: String,
    /// When it was signed.
    pub iat: UnixTime,
}

/// Why an officer's statement is refused.
#[derive(Debug, thiserror::Error)]
pub enum OfficerError {
    /// Not signed by an officer that is configured, or for another request or time.
    #[error("statement is not a valid one of an officer for this request")]
    Refused,
    /// It was used before.
    #[error("statement was used before")]
    Replayed,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The officers of this operator.
pub struct Officers {
    keys: BTreeMap<OfficerId, PublicKey>,
    origin: Origin,
    used: Arc<dyn SessionStore>,
}

impl Officers {
    /// The officers with these keys.
    #[must_use]
    pub fn new(
        keys: BTreeMap<OfficerId, PublicKey>,
        origin: Origin,
        used: Arc<dyn SessionStore>,
    ) -> Officers {
        Officers { keys, origin, used }
    }

    /// Which officer sent the request with this method and path.
    ///
    /// # Errors
    ///
    /// The variants of [`OfficerError`].
    pub async fn authenticate(
        &self,
        statement: &str,
        method: &str,
        path: &str,
        now: UnixTime,
    ) -> Result<OfficerId, OfficerError> {
        let request: OfficerRequest =
            self.verify(statement, REQUEST_TYP, |r: &OfficerRequest| &r.iss)?;
        let in_time = request.iat <= now.plus_secs(CLOCK_SKEW_SECS)
            && now < request.exp
            && request.exp <= request.iat.plus_secs(REQUEST_LIFETIME_SECS);
        let url = request.htu.strip_prefix(self.origin.as_str());
        let fits = request.aud == self.origin && request.htm == method && url == Some(path);
        if !in_time || !fits || request.jti.len() < 16 {
            return Err(OfficerError::Refused);
        }
        let jti = secret::hash(&format!("{}\n{}", request.iss.0, request.jti));
        match self.used.insert_jti(jti, request.exp).await? {
            Consumed::First => Ok(request.iss),
            Consumed::Refused => Err(OfficerError::Replayed),
        }
    }

    /// A decision that `officer` has signed just now.
    ///
    /// # Errors
    ///
    /// [`OfficerError::Refused`]
    pub fn decision(
        &self,
        statement: &str,
        officer: &OfficerId,
        now: UnixTime,
    ) -> Result<Decision, OfficerError> {
        let decision: Decision = self.verify(statement, DECISION_TYP, |d: &Decision| &d.iss)?;
        let in_time = decision.iat <= now.plus_secs(CLOCK_SKEW_SECS)
            && now < decision.iat.plus_secs(DECISION_AGE_SECS);
        if decision.iss != *officer || !in_time {
            return Err(OfficerError::Refused);
        }
        Ok(decision)
    }

    /// Verifies a statement under the key of the officer it names.
    fn verify<T: serde::de::DeserializeOwned>(
        &self,
        statement: &str,
        typ: &str,
        officer: impl Fn(&T) -> &OfficerId,
    ) -> Result<T, OfficerError> {
        let jws = jws::UnverifiedJws::parse(statement).map_err(|_| OfficerError::Refused)?;
        let claimed: T = jws
            .unverified_payload()
            .map_err(|_| OfficerError::Refused)?;
        let key = self
            .keys
            .get(officer(&claimed))
            .ok_or(OfficerError::Refused)?;
        jws.verify(key, typ).map_err(|_| OfficerError::Refused)
    }
}

impl OfficerRequest {
    /// Signs the statement for one request.
    #[must_use]
    pub fn sign(&self, key: &credential::jose::SigningKey) -> String {
        jws::sign(key, REQUEST_TYP, self)
    }
}

impl Decision {
    /// Signs the decision.
    #[must_use]
    pub fn sign(&self, key: &credential::jose::SigningKey) -> String {
        jws::sign(key, DECISION_TYP, self)
    }
}

#[cfg(test)]
mod tests;
