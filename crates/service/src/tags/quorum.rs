//! Asking the trustees: enough of them must answer, and each answer carries its proof.

use std::sync::Arc;

use async_trait::async_trait;
use credential::jose::{self, SigningKey};
use credential::time::UnixTime;
use oprf::{Blind, Evaluation, GroupKey, ShareIndex, Tag};
use store::{NewTag, TagKind};
use tokio::task::JoinSet;

use super::canonical::EvidenceNumber;
use super::sealing::TagKey;
use crate::attestation::{Attestation, EvidenceKind, EvidenceLevel, elements_hash};
use crate::secret;
use crate::trustee::{EvaluationRequest, EvaluationResponse};

/// A way to one trustee.
#[async_trait]
pub trait TrusteeClient: Send + Sync {
    /// Which share the trustee holds.
    fn index(&self) -> ShareIndex;

    /// Asks it for an evaluation.
    async fn evaluate(
        &self,
        request: &EvaluationRequest,
    ) -> Result<EvaluationResponse, TrusteeFailure>;
}

/// Why a trustee's answer does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrusteeFailure {
    /// It did not answer in time.
    #[error("trustee does not answer")]
    Unreachable,
    /// It refused, with this identifier.
    #[error("trustee refuses: {0}")]
    Refused(String),
    /// What it answered is not what it should be.
    #[error("trustee's answer does not hold")]
    WrongAnswer,
}

/// A number, blinded once: every trustee is always asked for the same element.
pub(crate) struct BlindedNumber {
    kind: TagKind,
    blind: Blind,
}

impl BlindedNumber {
    /// Blinds a number; the number itself is not kept.
    pub(crate) fn new(number: &EvidenceNumber) -> Result<BlindedNumber, oprf::BlindError> {
        let (blind, _) = oprf::blind(number.expose(), &mut secret::rng())?;
        Ok(BlindedNumber {
            kind: number.kind(),
            blind,
        })
    }
}

/// All trustees of the group, and the key under which the enrolment service speaks to them.
pub struct Quorum {
    group: GroupKey,
    trustees: Vec<Arc<dyn TrusteeClient>>,
    attester: String,
    attester_key: Arc<SigningKey>,
    tag_key: TagKey,
}

/// The trustees are not those of the group key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trustees are not those of the group key")]
pub struct WrongTrustees;

/// Why there are no tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// Fewer than enough trustees answered.
    #[error("{answered} trustees answered where {needed} are needed")]
    TooFew {
        /// How many gave an answer that counts.
        answered: usize,
        /// How many are needed.
        needed: usize,
    },
    /// The answers do not fit together although each holds.
    #[error("trustees' answers do not combine")]
    Combination,
}

/// What the trustees are asked about.
pub(crate) struct EvidenceReference {
    /// Random identifier of the evidence.
    pub(crate) id: [u8; 16],
    /// What it is.
    pub(crate) kind: EvidenceKind,
    /// How good it is.
    pub(crate) level: EvidenceLevel,
    /// When the session ends: no retry comes later.
    pub(crate) expires: UnixTime,
}

impl Quorum {
    /// The trustees of `group`, one for each of its shares.
    ///
    /// # Errors
    ///
    /// [`WrongTrustees`] when a share has no trustee, or two.
    pub fn new(
        group: GroupKey,
        trustees: Vec<Arc<dyn TrusteeClient>>,
        attester: (String, Arc<SigningKey>),
        tag_key: TagKey,
    ) -> Result<Quorum, WrongTrustees> {
        let mut indices: Vec<_> = trustees.iter().map(|trustee| trustee.index()).collect();
        indices.sort_unstable();
        if !indices.into_iter().eq(group.shares()) {
            return Err(WrongTrustees);
        }
        let (attester, attester_key) = attester;
        Ok(Quorum {
            group,
            trustees,
            attester,
            attester_key,
            tag_key,
        })
    }

    /// The tags of these numbers, ready to be stored. May be called again after a failure: the
    /// trustees are then asked for the same elements.
    pub(crate) async fn tags(
        &self,
        evidence: &EvidenceReference,
        numbers: &[BlindedNumber],
        now: UnixTime,
    ) -> Result<Vec<NewTag>, QuorumError> {
        let answers = self
            .ask_all(&self.request(evidence, numbers, now), numbers)
            .await;
        let needed = usize::from(self.group.threshold());
        if answers.len() < needed {
            return Err(QuorumError::TooFew {
                answered: answers.len(),
                needed,
            });
        }
        let seal = |(at, number): (usize, &BlindedNumber)| {
            let evaluations: Vec<Evaluation> = answers
                .iter()
                .filter_map(|answer| answer.get(at).copied())
                .collect();
            let tag = self.combine(number, &evaluations)?;
            Ok(self.tag_key.seal(number.kind, &tag))
        };
        numbers.iter().enumerate().map(seal).collect()
    }

    fn request(
        &self,
        evidence: &EvidenceReference,
        numbers: &[BlindedNumber],
        now: UnixTime,
    ) -> EvaluationRequest {
        let elements: Vec<[u8; 32]> = numbers
            .iter()
            .map(|number| number.blind.blinded().to_bytes())
            .collect();
        let attestation = Attestation {
            iss: self.attester.clone(),
            evidence_id: jose::encode(evidence.id),
            kind: evidence.kind,
            level: evidence.level,
            elements_sha256: jose::encode(elements_hash(&elements)),
            iat: now,
            exp: evidence.expires,
        };
        EvaluationRequest {
            attestation: attestation.sign(&self.attester_key),
            elements: elements.iter().map(jose::encode).collect(),
        }
    }

    /// The answers that hold, until there are enough; the order is that of arrival.
    async fn ask_all(
        &self,
        request: &EvaluationRequest,
        numbers: &[BlindedNumber],
    ) -> Vec<Vec<Evaluation>> {
        let mut calls = JoinSet::new();
        for trustee in &self.trustees {
            let (trustee, request) = (Arc::clone(trustee), request.clone());
            calls.spawn(async move { (trustee.index(), trustee.evaluate(&request).await) });
        }
        let mut answers = Vec::new();
        while answers.len() < usize::from(self.group.threshold()) {
            let Some(call) = calls.join_next().await else {
                break;
            };
            let Ok((index, answer)) = call else { continue };
            let checked = answer.and_then(|answer| self.check(index, &answer, numbers));
            match checked {
                Ok(evaluations) => answers.push(evaluations),
                Err(failure) => {
                    tracing::warn!(trustee.index = u8::from(index), %failure, "no evaluation");
                }
            }
        }
        answers
    }

    fn check(
        &self,
        index: ShareIndex,
        answer: &EvaluationResponse,
        numbers: &[BlindedNumber],
    ) -> Result<Vec<Evaluation>, TrusteeFailure> {
        if answer.evaluations.len() != numbers.len() {
            return Err(TrusteeFailure::WrongAnswer);
        }
        let check = |(text, number): (&String, &BlindedNumber)| {
            let bytes = jose::decode(text).ok()?;
            let evaluation = Evaluation::from_bytes(&bytes).ok()?;
            let of_this_trustee = evaluation.index() == index;
            let holds = self
                .group
                .verify(&number.blind.blinded(), &evaluation)
                .is_ok();
            (of_this_trustee && holds).then_some(evaluation)
        };
        let pairs = answer.evaluations.iter().zip(numbers);
        pairs
            .map(check)
            .collect::<Option<_>>()
            .ok_or(TrusteeFailure::WrongAnswer)
    }

    fn combine(
        &self,
        number: &BlindedNumber,
        evaluations: &[Evaluation],
    ) -> Result<Tag, QuorumError> {
        let evaluated = self
            .group
            .combine(&number.blind.blinded(), evaluations)
            .map_err(|_| QuorumError::Combination)?;
        // Unblinding uses a blind up; ours must survive a failure further on.
        Blind::from_bytes(number.blind.expose())
            .ok()
            .and_then(|blind| blind.unblind(&evaluated).ok())
            .ok_or(QuorumError::Combination)
    }
}

#[cfg(test)]
mod tests;
