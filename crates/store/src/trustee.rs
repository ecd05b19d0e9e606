//! What one trustee remembers: which evidence it has answered for, and how often.

use async_trait::async_trait;
use credential::time::{Day, UnixTime};

use crate::StoreError;

/// Hash of an evidence identifier; the log shows it in place of the identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EvidenceHash(pub [u8; 32]);

/// An evaluation that a trustee is about to answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Which evidence it is for.
    pub evidence: EvidenceHash,
    /// SHA-256 over the blinded elements that were asked for.
    pub elements: [u8; 32],
    /// The answer, byte for byte.
    pub answer: Vec<u8>,
    /// From then on a retry is not answered, because its attestation has expired.
    pub retry_until: UnixTime,
    /// Kind of evidence, for the log.
    pub kind: String,
    /// Level of the evidence, for the log.
    pub level: String,
}

/// At most `evaluations` new evaluations in each span of `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How many in one span.
    pub evaluations: u32,
    /// Length of a span in seconds, at least 1.
    pub seconds: u64,
}

/// What a trustee may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationRecord {
    /// First evaluation of this evidence: it is logged, and this is the answer.
    Recorded,
    /// The same elements were evaluated before: this is the answer given then.
    Repeated(Vec<u8>),
    /// Other elements were evaluated for this evidence, or the time for a retry is over.
    AlreadyUsed,
    /// Too many evaluations at present; nothing was recorded.
    RateLimited,
}

/// Evaluations by evidence, and the log of them.
#[async_trait]
pub trait TrusteeStore: Send + Sync {
    /// Records an evaluation unless its evidence was used before or the limit is reached; in one
    /// transaction. The answer must not leave the trustee unless this returned
    /// [`EvaluationRecord::Recorded`].
    async fn record(
        &self,
        evaluation: &Evaluation,
        limit: RateLimit,
        now: UnixTime,
    ) -> Result<EvaluationRecord, StoreError>;

    /// How many evaluations the log holds for each day, in order.
    async fn count_by_day(&self) -> Result<Vec<(Day, u64)>, StoreError>;

    /// Forgets the answers that may no longer be repeated; the log stays. Writes nothing if there
    /// are none.
    async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError>;
}
