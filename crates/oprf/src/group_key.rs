//! The public side of a shared key: checking evaluations and combining them.

use std::collections::BTreeMap;

use curve25519_dalek::Scalar;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::blinding::{BlindedElement, EvaluatedElement};
use crate::dleq::Statement;
use crate::element::Element;
use crate::interpolation::interpolate;
use crate::share::{Evaluation, MAX_SHARES, ShareIndex};

/// The joint public key, how many shares are needed, and every share's public key.
///
/// In JSON: `{"threshold": 2, "public_key": "…", "shares": [{"index": 1, "public_key": "…"}, …]}`,
/// keys in hexadecimal, the indices 1, 2, … in order. A key that was read has been checked: every
/// `threshold` of the shares lead to the joint key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "GroupKeyDocument", try_from = "GroupKeyDocument")]
pub struct GroupKey {
    threshold: u8,
    public_key: Element,
    shares: BTreeMap<ShareIndex, Element>,
}

/// A group key that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GroupKeyError {
    /// `1 <= threshold <= shares <= MAX_SHARES` does not hold.
    #[error("threshold {threshold} of {shares} shares is out of range")]
    Threshold {
        /// The shares that are needed.
        threshold: u8,
        /// The shares that there are.
        shares: usize,
    },
    /// The indices are not 1, 2, … in order.
    #[error("share indices are not 1, 2, … in order")]
    Indices,
    /// The first shares do not lead to the joint public key.
    #[error("shares do not lead to the joint public key")]
    PublicKey,
    /// This share does not lie on the polynomial through the first shares.
    #[error("share {0} does not belong to the others")]
    Share(ShareIndex),
}

/// Why one evaluation does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefusedEvaluation {
    /// The group has no such share.
    #[error("share {0} does not exist")]
    UnknownShare(ShareIndex),
    /// The proof does not hold for this share's public key and this blinded element.
    #[error("proof of share {0} is wrong")]
    WrongProof(ShareIndex),
    /// An evaluation with this share has been counted already.
    #[error("share {0} has been counted already")]
    Duplicate(ShareIndex),
}

/// Fewer evaluations count than are needed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{valid} evaluations count where {needed} are needed, {} were refused", refused.len())]
pub struct CombineError {
    /// The threshold.
    pub needed: u8,
    /// How many counted.
    pub valid: usize,
    /// The others, in the order given.
    pub refused: Vec<RefusedEvaluation>,
}

impl GroupKey {
    pub(crate) fn of_dealt(
        threshold: u8,
        public_key: Element,
        shares: BTreeMap<ShareIndex, Element>,
    ) -> Self {
        Self {
            threshold,
            public_key,
            shares,
        }
    }

    /// How many evaluations are needed.
    #[must_use]
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// The joint public key's encoding.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        *self.public_key.bytes()
    }

    /// The shares' indices in rising order.
    pub fn shares(&self) -> impl Iterator<Item = ShareIndex> {
        self.shares.keys().copied()
    }

    /// The encoding of one share's public key; `None` if there is no such share.
    #[must_use]
    pub fn share_public_key(&self, index: ShareIndex) -> Option<[u8; 32]> {
        self.shares.get(&index).map(|element| *element.bytes())
    }

    /// Checks one evaluation of `blinded`, as soon as a trustee has answered.
    ///
    /// Source: RFC 9497 §2.2.2, VerifyProof.
    ///
    /// # Errors
    ///
    /// [`RefusedEvaluation::UnknownShare`], [`RefusedEvaluation::WrongProof`].
    pub fn verify(
        &self,
        blinded: &BlindedElement,
        evaluation: &Evaluation,
    ) -> Result<(), RefusedEvaluation> {
        let index = evaluation.index;
        let public_key = self
            .shares
            .get(&index)
            .ok_or(RefusedEvaluation::UnknownShare(index))?;
        let statement = Statement {
            public_key,
            blinded: &blinded.0,
            evaluated: &evaluation.element,
        };
        if !evaluation.proof.holds(&statement) {
            return Err(RefusedEvaluation::WrongProof(index));
        }
        Ok(())
    }

    /// `blinded` to the power of the joint key, from the first `threshold` evaluations that count;
    /// it is the same whichever these are.
    ///
    /// # Errors
    ///
    /// [`CombineError`] if fewer than `threshold` evaluations count.
    pub fn combine(
        &self,
        blinded: &BlindedElement,
        evaluations: &[Evaluation],
    ) -> Result<EvaluatedElement, CombineError> {
        let needed = usize::from(self.threshold);
        let mut points: Vec<(ShareIndex, Element)> = Vec::with_capacity(needed);
        let mut refused = Vec::new();
        for evaluation in evaluations {
            let index = evaluation.index;
            if points.len() == needed {
                break;
            }
            if points.iter().any(|(counted, _)| *counted == index) {
                refused.push(RefusedEvaluation::Duplicate(index));
                continue;
            }
            match self.verify(blinded, evaluation) {
                Ok(()) => points.push((index, evaluation.element)),
                Err(refusal) => refused.push(refusal),
            }
        }
        if points.len() < needed {
            return Err(CombineError {
                needed: self.threshold,
                valid: points.len(),
                refused,
            });
        }
        let evaluated = Element::of_nonzero(interpolate(&points, Scalar::ZERO));
        Ok(EvaluatedElement {
            blinded: blinded.0,
            evaluated,
        })
    }

    /// Without this check a wrong share key would make some subsets of the trustees give another
    /// tag than the others, and one person could register more than once.
    fn check_consistency(&self) -> Result<(), GroupKeyError> {
        let shares: Vec<(ShareIndex, Element)> = self
            .shares
            .iter()
            .map(|(index, element)| (*index, *element))
            .collect();
        let (first, others) = shares.split_at_checked(usize::from(self.threshold)).ok_or(
            GroupKeyError::Threshold {
                threshold: self.threshold,
                shares: shares.len(),
            },
        )?;
        if interpolate(first, Scalar::ZERO) != *self.public_key.point() {
            return Err(GroupKeyError::PublicKey);
        }
        for (index, element) in others {
            if interpolate(first, index.to_scalar()) != *element.point() {
                return Err(GroupKeyError::Share(*index));
            }
        }
        Ok(())
    }
}

/// [`GroupKey`] in JSON, unchecked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupKeyDocument {
    threshold: u8,
    public_key: Element,
    shares: Vec<ShareDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShareDocument {
    index: ShareIndex,
    public_key: Element,
}

impl From<GroupKey> for GroupKeyDocument {
    fn from(key: GroupKey) -> Self {
        let shares = key
            .shares
            .into_iter()
            .map(|(index, public_key)| ShareDocument { index, public_key })
            .collect();
        Self {
            threshold: key.threshold,
            public_key: key.public_key,
            shares,
        }
    }
}

impl TryFrom<GroupKeyDocument> for GroupKey {
    type Error = GroupKeyError;

    fn try_from(document: GroupKeyDocument) -> Result<Self, GroupKeyError> {
        let GroupKeyDocument {
            threshold,
            public_key,
            shares,
        } = document;
        let count = shares.len();
        if threshold == 0 || usize::from(threshold) > count || count > usize::from(MAX_SHARES) {
            return Err(GroupKeyError::Threshold {
                threshold,
                shares: count,
            });
        }
        let in_order = shares
            .iter()
            .zip(1..)
            .all(|(share, expected)| u8::from(share.index) == expected);
        if !in_order {
            return Err(GroupKeyError::Indices);
        }
        let shares = shares
            .into_iter()
            .map(|share| (share.index, share.public_key))
            .collect();
        let key = Self {
            threshold,
            public_key,
            shares,
        };
        key.check_consistency()?;
        Ok(key)
    }
}
