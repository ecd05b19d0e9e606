//! The reference connector: answers an operator from a table of residents.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use credential::jose::{self, PublicKey, SigningKey};
use credential::origin::Origin;
use credential::time::UnixTime;
use store::{ResidentTable, StoreError};
use zeroize::Zeroizing;

use super::contract::{self, TokenError};
use super::{MatchResult, NumberError};

mod question;
mod recent;

use question::Question;
use recent::{Admission, Recent};

/// A connector to one table.
pub struct Connector {
    key: SigningKey,
    origin: Origin,
    attester: String,
    attester_key: PublicKey,
    table: Arc<dyn ResidentTable>,
    recent: Mutex<Recent>,
    counts: Counts,
}

/// What a connector is and whom it answers.
pub struct ConnectorSetup {
    /// The key that signs answers.
    pub key: SigningKey,
    /// The origin that the enrolment service knows it by.
    pub origin: Origin,
    /// Name and public key of the enrolment service.
    pub attester: (String, PublicKey),
    /// How often one number may be asked about within a minute, at least 1.
    pub attempts_per_minute: u32,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// The request's token does not hold.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The request has not the form of the contract.
    #[error("request has another form")]
    Malformed,
    /// The number is none of its kind.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// Another request has this identifier.
    #[error("identifier of another request")]
    IdUsed,
    /// Too many questions about this number, or in all, at present.
    #[error("too many questions at present")]
    RateLimited,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many answers of each kind there were since the start, and how many requests had none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    /// Matches.
    pub matches: u64,
    /// Mismatches.
    pub mismatches: u64,
    /// Numbers without a record.
    pub no_records: u64,
    /// Questions that the table does not answer.
    pub indeterminate: u64,
    /// Requests that were refused, or failed.
    pub refused: u64,
}

#[derive(Default)]
struct Counts {
    by_result: [AtomicU64; 4],
    refused: AtomicU64,
}

impl Connector {
    /// A connector to `table`.
    #[must_use]
    pub fn new(setup: ConnectorSetup, table: Arc<dyn ResidentTable>) -> Connector {
        let (attester, attester_key) = setup.attester;
        Connector {
            key: setup.key,
            origin: setup.origin,
            attester,
            attester_key,
            table,
            recent: Mutex::new(Recent::new(setup.attempts_per_minute)),
            counts: Counts::default(),
        }
    }

    /// Answers a request of these octets with a signed answer, the same to the same request for
    /// ten minutes.
    ///
    /// # Errors
    ///
    /// The variants of [`ConnectorError`]; none of them says anything about a person.
    pub async fn verify(
        &self,
        token: &str,
        body: &[u8],
        now: UnixTime,
    ) -> Result<String, ConnectorError> {
        let answered = self.answer(token, body, now).await;
        if answered.is_err() {
            self.counts.refused.fetch_add(1, Ordering::Relaxed);
        }
        answered
    }

    async fn answer(
        &self,
        token: &str,
        body: &[u8],
        now: UnixTime,
    ) -> Result<String, ConnectorError> {
        let hash = jose::sha256(body);
        let parties = (self.attester.as_str(), self.origin.as_str());
        contract::verify_token(token, &self.attester_key, parties, hash, now)?;
        let question = Question::parse(body, now)?;
        let id = &question.request.request_id;
        let admission = self
            .recent()
            .admit((id, hash), question.number.expose(), now);
        match admission {
            Admission::New => {}
            Admission::Repeated(answer) => return Ok(answer),
            Admission::OtherRequest => return Err(ConnectorError::IdUsed),
            Admission::TooMany => return Err(ConnectorError::RateLimited),
        }
        let (kind, number) = (question.number.kind().as_str(), question.number.expose());
        let number = Zeroizing::new(number.to_owned());
        let found = self.table.find(kind, &number).await?;
        let answer = question.compare(&found, now)?;
        let signed = contract::sign_answer(&self.key, &question.request, hash, &answer);
        self.counts.add(answer.result);
        Ok(self.recent().keep(id, signed))
    }

    /// Forgets what is no longer repeated or counted.
    pub fn forget_expired(&self, now: UnixTime) {
        self.recent().forget_expired(now);
    }

    /// The answers since the start.
    #[must_use]
    pub fn counts(&self) -> AnswerCounts {
        let [matches, mismatches, no_records, indeterminate] = &self.counts.by_result;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        AnswerCounts {
            matches: read(matches),
            mismatches: read(mismatches),
            no_records: read(no_records),
            indeterminate: read(indeterminate),
            refused: read(&self.counts.refused),
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&self, result: MatchResult) {
        let [matches, mismatches, no_records, indeterminate] = &self.by_result;
        let count = match result {
            MatchResult::Match => matches,
            MatchResult::Mismatch => mismatches,
            MatchResult::NoRecord => no_records,
            MatchResult::Indeterminate => indeterminate,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
