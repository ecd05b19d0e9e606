//! The officer's part: seeing the evidence, deciding, handing over the transaction code.

use credential::attributes::Attributes;
use credential::jose;
use credential::time::UnixTime;
use mrtd::ImageFormat;
use store::{RowStatus, SessionId, TagMatch};
use zeroize::Zeroizing;

use super::chip::ChipProof;
use super::session::{Confirmed, Decided, Evidence, Session, Source, Step};
use super::{EnrolmentError, Enrolments, Refusal, session_text};
use crate::officer::{Decision, OfficerId, Officers, Verdict};
use crate::secret;
use crate::tags::EvidenceReference;

/// What an officer compares with the person and the paper document.
pub struct EvidenceView {
    /// What will be certified.
    pub attributes: Attributes,
    /// The portrait of the chip, encoded, where there is one.
    pub portrait: Option<(Zeroizing<Vec<u8>>, ImageFormat)>,
    /// Whether the chip has proved that it is the original one.
    pub chip: ChipProof,
    /// What the decision names.
    pub digest: [u8; 32],
}

/// What the officer gets for a decision.
pub enum OfficerCode {
    /// The code to hand over to the person: six digits.
    Transaction(Zeroizing<String>),
    /// Nothing to hand over: the person was refused.
    None,
}

impl Enrolments {
    /// The sessions that wait for an officer, in no particular order.
    #[must_use]
    pub fn awaiting_officer(&self, now: UnixTime) -> Vec<SessionId> {
        let waits = |session: &Session| {
            now < session.expires && matches!(session.step, Step::AwaitingOfficer(_))
        };
        let sessions = self.lock();
        let waiting = sessions
            .iter()
            .filter(|(_, session)| session.try_lock().is_ok_and(|session| waits(&session)));
        waiting.map(|(id, _)| *id).collect()
    }

    /// The evidence of a session that waits for an officer.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::UnknownSession`], [`EnrolmentError::WrongStep`]
    pub async fn evidence(
        &self,
        id: SessionId,
        now: UnixTime,
    ) -> Result<EvidenceView, EnrolmentError> {
        let session = self.locked(id, now).await?;
        let Step::AwaitingOfficer(evidence) = &session.step else {
            return Err(EnrolmentError::WrongStep);
        };
        let portrait = match &evidence.source {
            Source::Document(document) => document.portrait(),
            Source::Resident(_) => None,
        };
        let portrait = portrait.map(|portrait| {
            let image = Zeroizing::new(portrait.image().to_vec());
            (image, portrait.format())
        });
        Ok(EvidenceView {
            attributes: evidence.attributes.clone(),
            portrait,
            chip: evidence.chip(),
            digest: evidence.digest(),
        })
    }

    /// Carries out an officer's signed decision.
    ///
    /// The same statement sent again by the same officer gets the same code again.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::TrusteesUnavailable`] and [`EnrolmentError::AuthorityUnavailable`] leave
    /// the session as it was; the same decision
    /// can be sent again. The others: [`EnrolmentError::Officer`],
    /// [`EnrolmentError::OtherEvidence`], [`EnrolmentError::AlreadyDecided`],
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::UnknownSession`].
    pub async fn decide(
        &self,
        officers: &Officers,
        (id, officer): (SessionId, &OfficerId),
        statement: &str,
        now: UnixTime,
    ) -> Result<OfficerCode, EnrolmentError> {
        let mut session = self.locked(id, now).await?;
        let hash = jose::sha256(statement.as_bytes());
        if let Some(decided) = session.decided() {
            return repeat(decided, officer, hash);
        }
        let decision = officers.decision(statement, officer, now)?;
        let evidence = match &session.step {
            Step::AwaitingOfficer(evidence) => evidence,
            Step::Refused(_) => return Err(EnrolmentError::AlreadyDecided),
            Step::Open
            | Step::AwaitingChip(_)
            | Step::Confirmed(_)
            | Step::Offered(_)
            | Step::Issued(_) => {
                return Err(EnrolmentError::WrongStep);
            }
        };
        check_subject(&decision, id, evidence)?;
        match decision.decision {
            Verdict::Refuse => {
                session.refuse(Refusal::Officer);
                Ok(OfficerCode::None)
            }
            Verdict::Confirm => self.confirm(&mut session, (officer, hash), now).await,
        }
    }

    async fn confirm(
        &self,
        session: &mut Session,
        (officer, statement): (&OfficerId, [u8; 32]),
        now: UnixTime,
    ) -> Result<OfficerCode, EnrolmentError> {
        let Step::AwaitingOfficer(evidence) = &session.step else {
            return Err(EnrolmentError::WrongStep);
        };
        if let Source::Resident(claim) = &evidence.source
            && let Some(refusal) = self.ask_register(claim, now).await?
        {
            session.refuse(refusal);
            return Ok(OfficerCode::None);
        }
        let reference = EvidenceReference {
            id: evidence.id,
            kind: evidence.kind(),
            level: evidence.level(),
            expires: session.expires,
        };
        let tags = self.quorum.tags(&reference, &evidence.numbers, now).await;
        let tags = tags.map_err(|error| {
            tracing::warn!(%error, "no tags");
            EnrolmentError::TrusteesUnavailable
        })?;
        let indices: Vec<_> = tags.iter().map(|tag| tag.index).collect();
        let row = match self.register.find_by_tags(&indices).await? {
            TagMatch::None => None,
            TagMatch::One(row) => Some(row),
            TagMatch::Several => {
                session.refuse(Refusal::ConflictingNumbers);
                return Ok(OfficerCode::None);
            }
        };
        if row
            .as_ref()
            .is_some_and(|row| row.status == RowStatus::Ended)
        {
            session.refuse(Refusal::RegistrationEnded);
            return Ok(OfficerCode::None);
        }
        let code = secret::transaction_code();
        let officer = officer.clone();
        let decided = Decided {
            officer,
            statement,
            transaction_code: code.clone(),
        };
        let attributes = evidence.attributes.clone();
        // The document with the portrait is wiped here.
        session.step = Step::Confirmed(Box::new(Confirmed {
            attributes,
            tags,
            row,
            decided,
        }));
        Ok(OfficerCode::Transaction(code))
    }
}

impl Session {
    /// The decision, once there is one that led further.
    fn decided(&self) -> Option<&Decided> {
        match &self.step {
            Step::Confirmed(step) => Some(&step.decided),
            Step::Offered(step) => Some(&step.confirmed.decided),
            Step::Issued(step) => Some(&step.decided),
            Step::Open | Step::AwaitingChip(_) | Step::AwaitingOfficer(_) | Step::Refused(_) => {
                None
            }
        }
    }
}

fn repeat(
    decided: &Decided,
    officer: &OfficerId,
    statement: [u8; 32],
) -> Result<OfficerCode, EnrolmentError> {
    if decided.officer != *officer || decided.statement != statement {
        return Err(EnrolmentError::AlreadyDecided);
    }
    Ok(OfficerCode::Transaction(decided.transaction_code.clone()))
}

fn check_subject(
    decision: &Decision,
    id: SessionId,
    evidence: &Evidence,
) -> Result<(), EnrolmentError> {
    let subject = decision.session == session_text(id)
        && decision.evidence_digest == jose::encode(evidence.digest());
    if subject {
        Ok(())
    } else {
        Err(EnrolmentError::OtherEvidence)
    }
}
