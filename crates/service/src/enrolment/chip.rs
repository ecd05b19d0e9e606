//! The chip: whether it is the original one, which its signed data does not show, because anybody
//! who has read a document can copy that.
//!
//! The question is drawn here for each session; the wallet only passes it on to the chip.

use credential::jose;
use credential::time::UnixTime;
use mrtd::{ActiveKey, Challenge, ChipAuthentication, ChipQuestion, SecurityInfos};
use rand_core::Rng;
use store::SessionId;

use super::document::DocumentError;
use super::session::{Evidence, Step};
use super::{EnrolmentError, Enrolments, StateName};
use crate::{memory, secret};

/// Whether the chip has shown that it is the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipProof {
    /// It has not: the data may be a copy.
    NotShown,
    /// It has, with a private key that it does not give away.
    Shown,
}

/// What a chip is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChipChallenge {
    /// To agree on keys.
    ChipAuthentication(ChipQuestion),
    /// To sign these octets.
    ActiveAuthentication(Challenge),
}

/// A document whose chip has been asked.
pub(super) struct AwaitedChip {
    pub(super) evidence: Box<Evidence>,
    pub(super) question: Question,
}

/// What was asked, with what checks the answer.
pub(super) enum Question {
    Agreement(ChipAuthentication, ChipQuestion),
    Signature(ActiveKey, Challenge),
}

impl ChipProof {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ChipProof::NotShown => "not_shown",
            ChipProof::Shown => "shown",
        }
    }

    /// What evidence is worth with it: data that may be copied is never more than `low`.
    pub(super) fn assurance_level(self) -> &'static str {
        match self {
            ChipProof::NotShown => "low",
            ChipProof::Shown => "substantial",
        }
    }
}

impl Question {
    /// The question that fits a chip with these data groups; `None` where it has no key that can
    /// be asked about. A key agreement comes first: it proves nothing to anybody else.
    pub(super) fn draw(dg14: Option<&[u8]>, dg15: Option<&[u8]>) -> Option<Question> {
        let infos = dg14.and_then(|file| SecurityInfos::parse_dg14(file).ok());
        let infos = infos.unwrap_or_default();
        let mut rng = secret::rng();
        if let Ok((asker, question)) = ChipAuthentication::begin(&infos, &mut rng) {
            return Some(Question::Agreement(asker, question));
        }
        let key = ActiveKey::parse(dg15?, &infos).ok()?;
        let mut challenge = Challenge::default();
        rng.fill_bytes(&mut challenge);
        Some(Question::Signature(key, challenge))
    }

    pub(super) fn challenge(&self) -> ChipChallenge {
        match self {
            Question::Agreement(_, question) => ChipChallenge::ChipAuthentication(question.clone()),
            Question::Signature(_, challenge) => ChipChallenge::ActiveAuthentication(*challenge),
        }
    }

    fn holds(self, answer: &[u8]) -> bool {
        match self {
            Question::Agreement(asker, _) => asker.verify(answer).is_ok(),
            Question::Signature(key, challenge) => key.verify(&challenge, answer).is_ok(),
        }
    }
}

impl Enrolments {
    /// Takes the chip's answer. The same answer again leaves things as they are.
    ///
    /// # Errors
    ///
    /// [`DocumentError::Chip`] as [`EnrolmentError::Document`] when the chip has not the key of
    /// the document: the session then takes another document. [`EnrolmentError::WrongStep`],
    /// [`EnrolmentError::UnknownSession`].
    pub async fn answer_for_chip(
        &self,
        (id, token): (SessionId, &str),
        answer: Vec<u8>,
        now: UnixTime,
    ) -> Result<StateName, EnrolmentError> {
        let mut session = self.of_wallet(id, token, now).await?;
        let hash = jose::sha256(&answer);
        if let Step::AwaitingOfficer(evidence) = &session.step
            && evidence.chip_answer == Some(hash)
        {
            return Ok(StateName::AwaitingOfficer);
        }
        // Each question is good for one answer.
        if !matches!(session.step, Step::AwaitingChip(_)) {
            return Err(EnrolmentError::WrongStep);
        }
        let Step::AwaitingChip(awaited) = std::mem::replace(&mut session.step, Step::Open) else {
            return Err(EnrolmentError::WrongStep);
        };
        let AwaitedChip {
            mut evidence,
            question,
        } = *awaited;
        let holds = memory::run_wiped(move || question.holds(&answer)).await;
        if !holds.map_err(|error| EnrolmentError::Internal(Box::new(error)))? {
            return Err(EnrolmentError::Document(DocumentError::Chip));
        }
        evidence.chip_answer = Some(hash);
        ChipProof::Shown
            .assurance_level()
            .clone_into(&mut evidence.attributes.assurance_level);
        session.step = Step::AwaitingOfficer(evidence);
        Ok(StateName::AwaitingOfficer)
    }
}
