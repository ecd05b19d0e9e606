//! A trustee: raises blinded elements to its share, once for each piece of evidence.

use std::sync::Arc;

use credential::jose::{self, PublicKey};
use credential::time::UnixTime;
use oprf::{BlindedElement, GroupKey, ShareKey};
use serde::{Deserialize, Serialize};
use store::{Evaluation, EvaluationRecord, EvidenceHash, RateLimit, StoreError, TrusteeStore};

use crate::attestation::{Attestation, AttestationError, elements_hash};
use crate::secret;

/// The largest number of elements in one request: one for every kind of number that evidence
/// can yield.
pub const ELEMENTS_MAX: usize = 5;

/// Keeps the hash in the log apart from every other hash.
const LOG_DOMAIN: &[u8] = b"bauta/v1/trustee-log";

/// What the enrolment service sends.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationRequest {
    /// The signed attestation.
    pub attestation: String,
    /// 1 to [`ELEMENTS_MAX`] blinded elements, 32 bytes each in base64url.
    pub elements: Vec<String>,
}

/// What a trustee answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationResponse {
    /// One evaluation with its proof for each element, in their order, in base64url.
    pub evaluations: Vec<String>,
}

/// Why a trustee does not answer.
#[derive(Debug, thiserror::Error)]
pub enum TrusteeError {
    /// The elements are too many, none, or not canonical encodings.
    #[error("elements are not 1 to 4 canonical group elements")]
    Elements,
    /// The attestation does not hold.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
    /// The attestation is for other elements.
    #[error("attestation is for other elements")]
    OtherElements,
    /// The evidence was used before.
    #[error("evidence was evaluated before")]
    AlreadyUsed,
    /// Too many evaluations at present.
    #[error("too many evaluations at present")]
    RateLimited,
    /// We failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One trustee.
pub struct Trustee {
    share: ShareKey,
    group: GroupKey,
    attester: String,
    attester_key: PublicKey,
    limit: RateLimit,
    store: Arc<dyn TrusteeStore>,
}

/// The share is not one of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the share does not belong to the group key")]
pub struct WrongGroup;

impl Trustee {
    /// A trustee that answers the enrolment service named `attester`.
    ///
    /// # Errors
    ///
    /// [`WrongGroup`]
    pub fn new(
        share: ShareKey,
        group: GroupKey,
        attester: (String, PublicKey),
        limit: RateLimit,
        store: Arc<dyn TrusteeStore>,
    ) -> Result<Trustee, WrongGroup> {
        if group.share_public_key(share.index()) != Some(share.public_key()) {
            return Err(WrongGroup);
        }
        let (attester, attester_key) = attester;
        Ok(Trustee {
            share,
            group,
            attester,
            attester_key,
            limit,
            store,
        })
    }

    /// The group key, which is public.
    #[must_use]
    pub fn group(&self) -> &GroupKey {
        &self.group
    }

    /// Evaluates the elements, or repeats the answer given for the same evidence and elements.
    ///
    /// # Errors
    ///
    /// The variants of [`TrusteeError`].
    pub async fn evaluate(
        &self,
        request: &EvaluationRequest,
        now: UnixTime,
    ) -> Result<EvaluationResponse, TrusteeError> {
        let (elements, blinded) = parse_elements(&request.elements)?;
        let attestation = Attestation::verify(
            &request.attestation,
            &self.attester,
            &self.attester_key,
            now,
        )?;
        let hash = elements_hash(&elements);
        if attestation.elements_sha256 != jose::encode(hash) {
            return Err(TrusteeError::OtherElements);
        }
        let evaluation = Evaluation {
            evidence: log_hash(&attestation.evidence_id),
            elements: hash,
            answer: self.evaluate_all(&blinded),
            retry_until: attestation.exp,
            kind: attestation.kind.as_str().to_owned(),
            level: attestation.level.as_str().to_owned(),
        };
        match self.store.record(&evaluation, self.limit, now).await? {
            EvaluationRecord::Recorded => Ok(to_response(&evaluation.answer)),
            EvaluationRecord::Repeated(answer) => Ok(to_response(&answer)),
            EvaluationRecord::AlreadyUsed => Err(TrusteeError::AlreadyUsed),
            EvaluationRecord::RateLimited => Err(TrusteeError::RateLimited),
        }
    }

    /// Forgets the answers whose attestations have expired.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError> {
        self.store.forget_expired(now).await
    }

    fn evaluate_all(&self, blinded: &[BlindedElement]) -> Vec<u8> {
        let mut rng = secret::rng();
        let evaluate = |element| self.share.evaluate(element, &mut rng).to_bytes();
        blinded.iter().flat_map(evaluate).collect()
    }
}

fn parse_elements(texts: &[String]) -> Result<(Vec<[u8; 32]>, Vec<BlindedElement>), TrusteeError> {
    if texts.is_empty() || texts.len() > ELEMENTS_MAX {
        return Err(TrusteeError::Elements);
    }
    let mut encoded = Vec::with_capacity(texts.len());
    let mut parsed = Vec::with_capacity(texts.len());
    for text in texts {
        let bytes = jose::decode(text).map_err(|_| TrusteeError::Elements)?;
        let element = BlindedElement::from_bytes(&bytes).map_err(|_| TrusteeError::Elements)?;
        encoded.push(element.to_bytes());
        parsed.push(element);
    }
    Ok((encoded, parsed))
}

fn log_hash(evidence_id: &str) -> EvidenceHash {
    EvidenceHash(jose::sha256(&[LOG_DOMAIN, evidence_id.as_bytes()].concat()))
}

fn to_response(answer: &[u8]) -> EvaluationResponse {
    let evaluations = answer
        .chunks(oprf::Evaluation::LENGTH)
        .map(jose::encode)
        .collect();
    EvaluationResponse { evaluations }
}

#[cfg(test)]
mod tests;
