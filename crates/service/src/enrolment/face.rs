//! The face: a person before the camera who does what nobody knew before, compared with the portrait.
//!
//! Frames and what is made of them live as long as the comparison; what stays until the decision is
//! whether they matched.

use std::sync::Arc;

use credential::capture::{CaptureStatement, frames_digest};
use credential::consent::FaceConsent;
use credential::jose;
use credential::time::UnixTime;
use face::{BadFrame, CaptureError, Challenge, FailureToAcquire, Frames, Image, Recognizer};
use mrtd::EncodedImage;
use zeroize::Zeroizing;

use super::session::{Evidence, Session, Source, Step};
use super::{EnrolmentError, Enrolments, Hold, Status, session_text};
use crate::{memory, secret};

/// Compares faces for enrolments.
pub struct FaceCheck {
    recognizer: Recognizer,
    threshold: f32,
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

/// What the machine has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceFinding {
    /// Nothing: it was not asked, or could not see.
    NotChecked,
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
            FaceFinding::Matched => "matched",
            FaceFinding::NotMatched => "not_matched",
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
    running: Option<(FaceChallenge, UnixTime)>,
}

impl AwaitedFace {
    pub(super) fn status(&self) -> FaceStatus {
        FaceStatus {
            challenge: self
                .running
                .as_ref()
                .map(|(challenge, _)| challenge.clone()),
            tries_left: self.tries_left,
        }
    }
}

impl FaceCheck {
    /// Compares with `recognizer`, and calls alike what has this score or more.
    #[must_use]
    pub fn new(recognizer: Recognizer, threshold: f32) -> FaceCheck {
        FaceCheck {
            recognizer,
            threshold,
        }
    }

    fn examine(
        &self,
        portrait: &[u8],
        challenge: &Challenge,
        (times_ms, frames): (Vec<u32>, Vec<Zeroizing<Vec<u8>>>),
    ) -> Result<(), FaceError> {
        let unseen = |_| FaceError::Capture(CaptureError::Portrait(FailureToAcquire::NoFace));
        let portrait = decode(portrait).map_err(unseen)?;
        let mut frames = Encoded { times_ms, frames };
        let shown = (challenge, &mut frames as &mut dyn Frames);
        let compared = face::examine(&self.recognizer, &portrait, shown, &mut secret::rng());
        if compared.map_err(FaceError::Capture)?.score >= self.threshold {
            Ok(())
        } else {
            Err(FaceError::NotMatched)
        }
    }
}

struct Encoded {
    times_ms: Vec<u32>,
    frames: Vec<Zeroizing<Vec<u8>>>,
}

impl Frames for Encoded {
    fn times_ms(&self) -> &[u32] {
        &self.times_ms
    }

    fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
        let octets = self.frames.get(number).ok_or(BadFrame)?;
        decode(octets)
    }
}

fn decode(octets: &[u8]) -> Result<Image, BadFrame> {
    let encoded = EncodedImage::new(octets).ok_or(BadFrame)?;
    let pixels = encoded.decode().map_err(|_| BadFrame)?;
    let (width, height) = (pixels.width().into(), pixels.height().into());
    Ok(Image::new(width, height, pixels.rgb().to_vec())?)
}

impl Enrolments {
    /// Where evidence goes whose document is in order: to the camera, where the person agreed and there
    /// is a face check, else to an officer.
    pub(super) fn after_document(&self, evidence: Box<Evidence>) -> Step {
        match (evidence.face_consent, &self.face) {
            (FaceConsent::Given, Some(_)) => Step::AwaitingFace(Box::new(AwaitedFace {
                evidence,
                tries_left: TRIES,
                running: None,
            })),
            (FaceConsent::Given, None) | (FaceConsent::Withheld, _) => {
                Step::AwaitingOfficer(evidence)
            }
        }
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
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        let Step::AwaitingFace(awaited) = session.step_mut() else {
            return Err(EnrolmentError::WrongStep);
        };
        awaited.tries_left = awaited
            .tries_left
            .checked_sub(1)
            .ok_or(EnrolmentError::WrongStep)?;
        let challenge = FaceChallenge {
            nonce: secret::random_nonce(),
            challenge: Challenge::draw(&mut secret::rng()),
        };
        awaited.running = Some((challenge, now));
        session.count_up();
        Ok(session.status())
    }

    /// Takes the frames. Those that match lead to the decision; others can be followed by another try
    /// while one is left, then an officer has to compare.
    ///
    /// # Errors
    ///
    /// [`EnrolmentError::Face`] while a try is left; [`EnrolmentError::WrongStep`],
    /// [`EnrolmentError::Moved`], [`EnrolmentError::UnknownSession`].
    pub async fn present_face(
        &self,
        hold: Hold<'_>,
        upload: CaptureUpload,
        now: UnixTime,
    ) -> Result<Status, EnrolmentError> {
        let mut session = self.of_wallet_at(hold, now).await?;
        let looked = self.look(&mut session, upload, now).await?;
        let Step::AwaitingFace(awaited) = session.advance(Step::AwaitingConsent) else {
            return Err(EnrolmentError::WrongStep);
        };
        let AwaitedFace {
            mut evidence,
            tries_left,
            ..
        } = *awaited;
        // An officer hears of it even if a later try fails for another reason.
        if matches!(looked, Err(FaceError::NotMatched)) {
            evidence.face = FaceFinding::NotMatched;
        }
        match looked {
            Ok(()) => {
                evidence.face = FaceFinding::Matched;
                session.advance(Step::Checked(evidence));
            }
            Err(error) if tries_left > 0 => {
                session.advance(Step::AwaitingFace(Box::new(AwaitedFace {
                    evidence,
                    tries_left,
                    running: None,
                })));
                return Err(EnrolmentError::Face(error));
            }
            Err(_) => {
                session.advance(Step::AwaitingOfficer(evidence));
            }
        }
        Ok(session.status())
    }

    async fn look(
        &self,
        session: &mut Session,
        upload: CaptureUpload,
        now: UnixTime,
    ) -> Result<Result<(), FaceError>, EnrolmentError> {
        let (id, device) = (session_text(session.id), session.device_key);
        let (Some(check), Step::AwaitingFace(awaited)) = (&self.face, session.step_mut()) else {
            return Err(EnrolmentError::WrongStep);
        };
        let Some((asked, begun)) = awaited.running.take() else {
            return Err(EnrolmentError::WrongStep);
        };
        let frames = upload.frames.iter().map(|frame| frame.as_slice());
        let statement = CaptureStatement::verify(&upload.statement, &device);
        let statement = statement.filter(|statement| {
            statement.aud == self.origin
                && statement.session == id
                && statement.nonce == asked.nonce
                && statement.times_ms.len() == upload.frames.len()
                && statement.frames_sha256 == jose::encode(frames_digest(frames))
        });
        let Some(statement) = statement else {
            return Ok(Err(FaceError::Statement));
        };
        let earliest = begun.plus_secs(u64::from(asked.challenge.end_ms() / 1000));
        if now < earliest || now > earliest.plus_secs(UPLOAD_SECS) {
            return Ok(Err(FaceError::Time));
        }
        let Source::Document(document) = &awaited.evidence.source else {
            return Err(EnrolmentError::WrongStep);
        };
        let Some(portrait) = document.portrait() else {
            return Err(EnrolmentError::WrongStep);
        };
        let portrait = Zeroizing::new(portrait.image().to_vec());
        let check = Arc::clone(check);
        let captured = (statement.times_ms, upload.frames);
        let work = move || check.examine(&portrait, &asked.challenge, captured);
        let looked = memory::run_wiped(work).await;
        looked.map_err(|error| EnrolmentError::Internal(Box::new(error)))
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

/// How often a person may try.
const TRIES: u8 = 3;
/// How long sending the frames may take, in seconds.
const UPLOAD_SECS: u64 = 60;
