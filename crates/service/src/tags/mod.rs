//! Tags: what the register knows a person by, computed with the trustees.

mod canonical;
mod quorum;
mod sealing;

pub use canonical::{EvidenceNumber, NotANumber};
pub use quorum::{Quorum, QuorumError, TrusteeClient, TrusteeFailure, WrongTrustees};
pub use sealing::{BadTagKey, TagKey};

pub(crate) use quorum::{BlindedNumber, EvidenceReference};
