//! The face: a person before the camera who does what nobody knew before, compared with the portrait.
//!
//! Frames and what is made of them live as long as the comparison; what stays until the decision is
//! whether they matched.

use std::sync::Arc;

use credential::capture::{CaptureStatement, frames_digest};
use credential::consent::FaceConsent;
use credential::jose;
use credential::origin::Origin;
use credential::time::UnixTime;
use face::{CaptureError, Challenge};
use mrtd::VerifiedDocument;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::chip::ChipProof;
use super::examination::{Captured, FaceCheck};
use super::session::{Evidence, Session, Step};
use super::{EnrolmentError, Enrolments, Hold, Status, session_text};
use crate::secret;

/// Milliseconds since 1970-01-01T00:00:00Z: what a person has seconds for is not judged by seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    fn secs(self) -> UnixTime {
        UnixTime(self.0 / 1000)
    }

    fn plus(self, millis: u64) -> UnixMillis {
        UnixMillis(self.0.saturating_add(millis))
    }
}

/// What a person is asked to do before the camera.
#[derive(Clone, Debug)]
pub struct FaceChallenge {
    /// For the device's statement.
    pub nonce: String,
    /// The movements and when.
    pub challenge: Challenge,
}

/// How far the face check of a session is.
#[derive(Clone, Debug)]
pub struct FaceStatus {
    /// The challenge that runs.
    pub challenge: Option<FaceChallenge>,
    /// How many more may be asked for.
    pub tries_left: u8,
}

/// The frames of a camera.
pub struct CaptureUpload {
    /// [`CaptureStatement`], signed by the device.
    pub statement: String,
    /// JPEG files.
    pub frames: Vec<Zeroizing<Vec<u8>>>,
}

/// Leave to send frames, for one upload of the session at a time and a few of all: others are refused as
/// long as it is kept.
#[must_use]
pub struct FaceUpload(#[expect(dead_code, reason = "kept, not read")] [OwnedSemaphorePermit; 2]);

/// What the machine has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceFinding {
    /// Nothing: it was not asked, or could not see.
    NotChecked,
    /// Somebody tried, and the frames do not show one living person.
    NotLive,
    /// The living person is the one of the portrait.
    Matched,
    /// The living person may be another one.
    NotMatched,
}

impl FaceFinding {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            FaceFinding::NotChecked => "not_checked",
            FaceFinding::NotLive => "not_live",
            FaceFinding::Matched => "matched",
            FaceFinding::NotMatched => "not_matched",
        }
    }

    /// What an officer hears after one more try: the worst of all, even if a later one fails for
    /// another reason.
    fn after(self, error: &FaceError) -> FaceFinding {
        match error {
            FaceError::NotMatched => FaceFinding::NotMatched,
            FaceError::Statement | FaceError::Time => self,
            FaceError::Capture(error) => match error {
                CaptureError::Still | CaptureError::NotLive(_) | CaptureError::AnotherPerson => {
                    match self {
                        FaceFinding::NotMatched => self,
                        FaceFinding::NotChecked | FaceFinding::NotLive | FaceFinding::Matched => {
                            FaceFinding::NotLive
                        }
                    }
                }
                CaptureError::Times
                | CaptureError::Frame(..)
                | CaptureError::NotAcquired(..)
                | CaptureError::Portrait(_)
                | CaptureError::Engine(_) => self,
            },
        }
    }
}

/// Why frames are refused; no number that tells how near they came.
#[derive(Debug, thiserror::Error)]
pub enum FaceError {
    /// No challenge runs, it is over, or the statement is about other frames.
    #[error("the frames are not those of the challenge")]
    Statement,
    /// They came sooner than a camera can take them, or too late.
    #[error("the frames did not come in time")]
    Time,
    /// They do not show one living person who did what was asked.
    #[error(transparent)]
    Capture(CaptureError),
    /// The person may be another one than that of the portrait.
    #[error("the face does not match the portrait well enough")]
    NotMatched,
}

/// A document whose holder has agreed to the face check.
pub(super) struct AwaitedFace {
    pub(super) evidence: Box<Evidence>,
    pub(super) tries_left: u8,
    running: Option<Running>,
}

/// A challenge that was asked for.
struct Running {
    asked: FaceChallenge,
    begun: UnixMillis,
    /// Of one place: frames are megabytes, and the same may be sent a thousand times at once.
    uploads: Arc<Semaphore>,
}

impl AwaitedFace {
    pub(super) fn status(&self) -> FaceStatus {
        FaceStatus {
            challenge: self.running.as_ref().map(|running| running.asked.clone()),
            tries_left: self.tries_left,
        }
    }

    fn of(evidence: Box<Evidence>, tries_left: u8) -> Step {
        Step::AwaitingFace(Box::new(AwaitedFace {
            evidence,
            tries_left,
            running: None,
        }))
    }
}

impl Running {
    fn awaits_frames_at(&self, now: UnixMillis) -> bool {
        let earliest = self.begun.plus(self.asked.challenge.end_ms().into());
        (earliest..=earliest.plus(UPLOAD_MS)).contains(&now)
    }

    /// When each frame was taken, where the device has signed that it took these for this challenge.
    fn times_of(
        &self,
        upload: &CaptureUpload,
        (session, origin): (&Session, &Origin),
    ) -> Option<Vec<u32>> {
        let frames = upload.frames.iter().map(|frame| frame.as_slice());
        let statement = CaptureStatement::verify(&upload.statement, &session.device_key)?;
        let fits = statement.aud == *origin
            && statement.session == session_text(session.id)
            && statement.nonce == self.asked.nonce
            && statement.times_ms.len() == upload.frames.len()
            && statement.frames_sha256 == jose::encode(frames_digest(frames));
        fits.then_some(statement.times_ms)
    }
}

impl Enrolments {
    /// Where evidence goes whose document is in order: to the camera, where a machine may decide, else
    /// to an officer.
    pub(super) fn after_document(&self, mut evidence: Box<Evidence>, now: UnixTime) -> Step {
        let agreed = match evidence.face_consent {
            FaceConsent::Given => self.face.is_some(),
            FaceConsent::Withheld => false,
        };
        // Without the chip's proof an officer has to look anyway: nobody is filmed for nothing.
        if !agreed || evidence.chip() != ChipProof::Shown {
            return Step::AwaitingOfficer(evidence);
        }
        if self.mismatches_are_too_many(&evidence, now) {
            evidence.face = FaceFinding::NotMatched;
            return Step::AwaitingOfficer(evidence);
        }
        AwaitedFace::of(evidence, TRIES)
    }

    fn mismatches_are_too_many(&self, evidence: &Evidence, now: UnixTime) -> bool {
        let document = evidence.document();
        document.is_some_and(|document| {
            let name = self.mismatches.name(document);
            self.mismatches.are_too_many(name, now)
        })
    }

    /// Draws what the person is asked to do. The time runs from then on; drawing again is a new try.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::WrongStep`], also without a try left; [`EnrolmentError::Moved`],
    /// [`EnrolmentError::UnknownSession`].
    pub async fn challenge_face(
        &self,
        hold: Hold<'_>,
        now: UnixMillis,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now.secs()).await?;
        let Step::AwaitingFace(awaited) = session.step_mut() else {
            return Err(EnrolmentError::WrongStep);
        };
        awaited.tries_left = awaited
            .tries_left
            .checked_sub(1)
            .ok_or(EnrolmentError::WrongStep)?;
        let asked = FaceChallenge {
            nonce: secret::random_nonce(),
            challenge: Challenge::draw(&mut secret::rng()),
        };
        awaited.running = Some(Running {
            asked,
            begun: now,
            uploads: Arc::new(Semaphore::new(1)),
        });
        session.count_up();
        Ok(session.status())
    }

    /// Whether frames are awaited, to be asked before they are read.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::FaceCheckBusy`] while others of the session are sent, or of many sessions;
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn expects_face(
        &self,
        hold: Hold<'_>,
        now: UnixTime,
    ) -> Result<FaceUpload, EnrolmentError> {
        let session = self.of_wallet_at(hold, now).await?;
        let (_, running) = running(&session)?;
        let check = self.face.as_ref().ok_or(EnrolmentError::WrongStep)?;
        let own = Arc::clone(&running.uploads).try_acquire_owned().ok();
        let both = own.and_then(|own| Some([own, check.begin_upload()?]));
        both.map(FaceUpload).ok_or(EnrolmentError::FaceCheckBusy)
    }

    /// Takes the frames; `now` is when all of them had come. Those that match lead to the decision;
    /// others can be followed by another try while one is left; then, or where the portrait has no face
    /// that could be compared, an officer has to compare.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::Face`] while a try is left; [`EnrolmentError::FaceCheckBusy`] and
    /// [`EnrolmentError::Internal`] leave the session as it was, and the same frames can be sent again
    /// as long as the challenge may be answered; [`EnrolmentError::WrongStep`],
    /// [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn present_face(
        &self,
        hold: Hold<'_>,
        upload: CaptureUpload,
        now: UnixMillis,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now.secs()).await?;
        let looked = self.look(&session, upload, now).await?;
        let Step::AwaitingFace(awaited) = session.advance(Step::AwaitingConsent) else {
            return Err(EnrolmentError::WrongStep);
        };
        let AwaitedFace {
            mut evidence,
            tries_left,
            ..
        } = *awaited;
        let Err(error) = looked else {
            evidence.face = FaceFinding::Matched;
            session.advance(Step::Checked(evidence));
            return Ok(session.status());
        };
        evidence.face = evidence.face.after(&error);
        // Nobody is filmed again for a portrait in which no face is found.
        let can_match = !matches!(error, FaceError::Capture(CaptureError::Portrait(_)));
        if can_match && tries_left > 0 && !self.mismatches_are_too_many(&evidence, now.secs()) {
            session.advance(AwaitedFace::of(evidence, tries_left));
            return Err(EnrolmentError::Face(error));
        }
        session.advance(Step::AwaitingOfficer(evidence));
        Ok(session.status())
    }

    /// What the machine finds, where the frames are those of the challenge. Changes nothing: should we
    /// fail, the challenge can be answered again.
    async fn look(
        &self,
        session: &Session,
        upload: CaptureUpload,
        now: UnixMillis,
    ) -> Result<Result<(), FaceError>, EnrolmentError> {
        let (evidence, running) = running(session)?;
        let (Some(check), Some(document)) = (&self.face, evidence.document()) else {
            return Err(EnrolmentError::WrongStep);
        };
        let Some(times_ms) = running.times_of(&upload, (session, &self.origin)) else {
            return Ok(Err(FaceError::Statement));
        };
        if !running.awaits_frames_at(now) {
            return Ok(Err(FaceError::Time));
        }
        let captured = Captured {
            times_ms,
            frames: upload.frames,
        };
        let challenge = running.asked.challenge.clone();
        self.compare((check, document), challenge, captured, now.secs())
            .await
    }

    /// Compares, where the document has not been compared in vain too often.
    async fn compare(
        &self,
        (check, document): (&Arc<FaceCheck>, &VerifiedDocument),
        challenge: Challenge,
        captured: Captured,
        now: UnixTime,
    ) -> Result<Result<(), FaceError>, EnrolmentError> {
        let portrait = document.portrait().ok_or(EnrolmentError::WrongStep)?;
        let portrait = Zeroizing::new(portrait.image().to_vec());
        let name = self.mismatches.name(document);
        if !self.mismatches.count(name, now) {
            return Ok(Err(FaceError::NotMatched));
        }
        let looked = check.compare(portrait, challenge, captured).await;
        if !matches!(looked, Ok(Err(FaceError::NotMatched))) {
            self.mismatches.take_back(name);
        }
        looked
    }

    /// Goes on without the face check: the consent to it is withdrawn, or there is no camera.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::WrongStep`], [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn leave_face_out(
        &self,
        hold: Hold<'_>,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        if !matches!(session.step(), Step::AwaitingFace(_)) {
            return Err(EnrolmentError::WrongStep);
        }
        let Step::AwaitingFace(awaited) = session.advance(Step::AwaitingConsent) else {
            return Err(EnrolmentError::WrongStep);
        };
        session.advance(Step::AwaitingOfficer(awaited.evidence));
        Ok(session.status())
    }
}

/// The evidence and the challenge of a session that awaits frames.
fn running(session: &Session) -> Result<(&Evidence, &Running), EnrolmentError> {
    let Step::AwaitingFace(awaited) = session.step() else {
        return Err(EnrolmentError::WrongStep);
    };
    let running = awaited.running.as_ref();
    Ok((&awaited.evidence, running.ok_or(EnrolmentError::WrongStep)?))
}

/// How often a person may try.
pub(super) const TRIES: u8 = 3;
/// How long sending the frames may take, in milliseconds.
const UPLOAD_MS: u64 = 60_000;
