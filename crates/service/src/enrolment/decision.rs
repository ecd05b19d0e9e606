//! The officer's part: seeing the evidence, deciding, handing over the transaction code.

use credential::attributes::Attributes;
use credential::jose;
use credential::time::UnixTime;
use mrtd::ImageFormat;
use store::{NewTag, RegisterRow, ReviewId, ReviewTag, RowStatus, SessionId, TagKind, TagMatch};
use zeroize::Zeroizing;

use super::chip::ChipProof;
use super::face::FaceFinding;
use super::review::ReviewReason;
use super::session::{Confirmed, Decided, Evidence, Session, Source, Step};
use super::{EnrolmentError, Enrolments, Hold, Refusal, Status, session_text};
use crate::attestation::EvidenceLevel;
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
    /// Whether a machine has found the person to be the one of the portrait.
    pub face: FaceFinding,
    /// Why no machine decides.
    pub reasons: Vec<ReviewReason>,
    /// The review that a namesake of the same birth date and sex has led to.
    pub review: Option<ReviewId>,
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
    /// The sessions that wait for an officer and why, in no particular order.
    #[must_use]
    pub fn awaiting_officer(&self, now: UnixTime) -> Vec<(SessionId, Vec<ReviewReason>)> {
        let reasons = |session: &Session| {
            let Step::AwaitingOfficer(evidence) = session.step() else {
                return None;
            };
            (now < session.expires).then(|| evidence.reasons())
        };
        let sessions = self.lock();
        let waiting = sessions.iter().filter_map(|(id, session)| {
            let session = session.try_lock().ok()?;
            Some((*id, reasons(&session)?))
        });
        waiting.collect()
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
        let Step::AwaitingOfficer(evidence) = session.step() else {
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
            face: evidence.face,
            reasons: evidence.reasons(),
            review: evidence.review,
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
    /// [`EnrolmentError::OtherEvidence`], [`EnrolmentError::AlreadyDecided`];
    /// [`EnrolmentError::LookAgain`] when another reason for a review came up, which a new decision
    /// has to cover;
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
        let evidence = match session.step() {
            Step::AwaitingOfficer(evidence) => evidence,
            Step::Refused(_) => return Err(EnrolmentError::AlreadyDecided),
            Step::AwaitingConsent
            | Step::AwaitingEvidence(_)
            | Step::AwaitingChip(_)
            | Step::AwaitingFace(_)
            | Step::Checked(_)
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
        let Step::AwaitingOfficer(evidence) = session.step() else {
            return Err(EnrolmentError::WrongStep);
        };
        if let Source::Resident(claim) = &evidence.source
            && let Some(refusal) = self.ask_register(claim, now).await?
        {
            session.refuse(refusal);
            return Ok(OfficerCode::None);
        }
        let level = evidence.level();
        let person = match self
            .identify(evidence, (level, session.expires), now)
            .await?
        {
            Found::Person(person) => person,
            Found::Refusal(refusal) => {
                session.refuse(refusal);
                return Ok(OfficerCode::None);
            }
            Found::Namesake(review) => {
                if let Step::AwaitingOfficer(evidence) = session.step_mut() {
                    evidence.review = Some(review);
                }
                return Err(EnrolmentError::LookAgain);
            }
        };
        let code = secret::transaction_code();
        let decided = Decided {
            officer: officer.clone(),
            statement,
            transaction_code: code.clone(),
        };
        let attributes = evidence.attributes.clone();
        // The document with the portrait is wiped here.
        session.advance(person.confirmed(attributes, Some(decided)));
        Ok(OfficerCode::Transaction(code))
    }

    /// Decides on evidence about which no machine has a doubt. With a reason for a review an officer
    /// has to decide.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::TrusteesUnavailable`] leaves the session as it was;
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn decide_by_machine(
        &self,
        hold: Hold<'_>,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        let Step::Checked(evidence) = session.step() else {
            return Err(EnrolmentError::WrongStep);
        };
        let found = match evidence.level_of_machine() {
            Some(level) => {
                let found = self.identify(evidence, (level, session.expires), now);
                Some(found.await?)
            }
            None => None,
        };
        let Step::Checked(mut evidence) = session.advance(Step::AwaitingConsent) else {
            return Err(EnrolmentError::WrongStep);
        };
        match found {
            Some(Found::Person(person)) => {
                session.advance(person.confirmed(evidence.attributes, None));
            }
            Some(Found::Refusal(refusal)) => session.refuse(refusal),
            Some(Found::Namesake(review)) => {
                evidence.turn_to_review(review);
                session.advance(Step::AwaitingOfficer(evidence));
            }
            None => {
                session.advance(Step::AwaitingOfficer(evidence));
            }
        }
        Ok(session.status())
    }

    /// Whom the evidence leads to.
    async fn identify(
        &self,
        evidence: &Evidence,
        (level, expires): (EvidenceLevel, UnixTime),
        now: UnixTime,
    ) -> Result<Found, EnrolmentError> {
        let reference = EvidenceReference {
            id: evidence.id,
            kind: evidence.kind(),
            level,
            expires,
        };
        let tags = self.quorum.tags(&reference, &evidence.numbers, now).await;
        let mut tags = tags.map_err(|error| {
            tracing::warn!(%error, "no tags");
            EnrolmentError::TrusteesUnavailable
        })?;
        let namesake = tags.pop_if(|tag| tag.kind == TagKind::Namesake);
        let namesake = namesake.ok_or(EnrolmentError::TrusteesUnavailable)?;
        let indices: Vec<_> = tags.iter().map(|tag| tag.index).collect();
        let row = match self.register.find_by_tags(&indices).await? {
            TagMatch::None => None,
            TagMatch::One(row) if row.status == RowStatus::Ended => {
                return Ok(Found::Refusal(Refusal::RegistrationEnded));
            }
            TagMatch::One(row) => Some(row),
            TagMatch::Several => return Ok(Found::Refusal(Refusal::ConflictingNumbers)),
        };
        let known = self.register.find_review(namesake.index).await?;
        if let Some(review) = known
            && row.is_none()
            && evidence.review != known
        {
            return Ok(Found::Namesake(review));
        }
        let review_tag = ReviewTag {
            index: namesake.index,
            sealed: namesake.sealed,
            review: known.unwrap_or_else(|| ReviewId(secret::random())),
        };
        Ok(Found::Person(Box::new(Identified {
            tags,
            review_tag,
            row,
        })))
    }
}

/// Whom evidence leads to.
enum Found {
    Person(Box<Identified>),
    Refusal(Refusal),
    /// Somebody else of the same name, birth date and sex is registered.
    Namesake(ReviewId),
}

/// A person, known to the register or not.
struct Identified {
    tags: Vec<NewTag>,
    review_tag: ReviewTag,
    row: Option<RegisterRow>,
}

impl Identified {
    /// The step of the person, with the officer's decision or without.
    fn confirmed(self, attributes: Attributes, decided: Option<Decided>) -> Step {
        Step::Confirmed(Box::new(Confirmed {
            attributes,
            tags: self.tags,
            review_tag: self.review_tag,
            row: self.row,
            decided,
        }))
    }
}

impl Session {
    /// The decision, once there is one that led further.
    fn decided(&self) -> Option<&Decided> {
        match self.step() {
            Step::Confirmed(step) => step.decided.as_ref(),
            Step::Offered(step) => step.confirmed.decided.as_ref(),
            Step::Issued(step) => step.decided.as_ref(),
            Step::AwaitingConsent
            | Step::AwaitingEvidence(_)
            | Step::AwaitingChip(_)
            | Step::AwaitingFace(_)
            | Step::Checked(_)
            | Step::AwaitingOfficer(_)
            | Step::Refused(_) => None,
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
