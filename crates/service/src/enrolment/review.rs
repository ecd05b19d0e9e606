//! Why an officer has to decide.

use super::chip::ChipProof;
use super::face::FaceFinding;
use super::session::{Evidence, Source};

/// A reason why no machine decides alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewReason {
    /// The chip has not shown that it is the original one.
    ChipNotProved,
    /// A number and a name; there is no portrait.
    ResidentNumber,
    /// No machine has compared the face.
    FaceNotChecked,
    /// Somebody tried, and the frames do not show one living person.
    FaceNotLive,
    /// A machine has compared it and does not call it the same.
    FaceNotMatched,
    /// Somebody of the same name, birth date and sex is registered under other numbers.
    PossibleDuplicate,
}

impl ReviewReason {
    /// The stable identifier.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReviewReason::ChipNotProved => "chip-not-proved",
            ReviewReason::ResidentNumber => "resident-number",
            ReviewReason::FaceNotChecked => "face-not-checked",
            ReviewReason::FaceNotLive => "face-not-live",
            ReviewReason::FaceNotMatched => "face-not-matched",
            ReviewReason::PossibleDuplicate => "possible-duplicate",
        }
    }
}

impl Evidence {
    /// Why an officer has to decide on it; empty where a machine may.
    pub(super) fn reasons(&self) -> Vec<ReviewReason> {
        let mut reasons = Vec::new();
        match self.source {
            Source::Resident(_) => reasons.push(ReviewReason::ResidentNumber),
            Source::Document(_) if self.chip() != ChipProof::Shown => {
                reasons.push(ReviewReason::ChipNotProved);
            }
            Source::Document(_) => {}
        }
        match self.face {
            FaceFinding::Matched => {}
            FaceFinding::NotLive => reasons.push(ReviewReason::FaceNotLive),
            FaceFinding::NotMatched => reasons.push(ReviewReason::FaceNotMatched),
            FaceFinding::NotChecked => reasons.push(ReviewReason::FaceNotChecked),
        }
        if self.review.is_some() {
            reasons.push(ReviewReason::PossibleDuplicate);
        }
        reasons
    }

    /// The same as the wallet is told: not that a namesake is registered, which nobody is to find out
    /// with a document made out to that name.
    pub(super) fn reasons_for_wallet(&self) -> Vec<ReviewReason> {
        let mut reasons = self.reasons();
        reasons.retain(|reason| *reason != ReviewReason::PossibleDuplicate);
        reasons
    }
}
