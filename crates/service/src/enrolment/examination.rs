//! The machine's part of the face check: what it looks at, and how many people at a time.

use std::num::NonZeroUsize;
use std::sync::Arc;

use face::{BadFrame, CaptureError, Challenge, FailureToAcquire, Frames, Image, Recognizer};
use mrtd::{EncodedImage, ImageFormat, Pixels};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::EnrolmentError;
use super::face::FaceError;
use crate::{memory, secret};

/// Compares faces for enrolments, a few at a time.
pub struct FaceCheck {
    examiner: Box<dyn Examine>,
    /// For who is compared and who waits for it.
    places: Semaphore,
    /// For who is compared.
    turns: Semaphore,
    /// For frames that are sent and kept: megabytes of each person.
    uploads: Arc<Semaphore>,
}

/// What looks at frames.
pub(super) trait Examine: Send + Sync {
    /// Whether they show a living person, who is the one of the portrait.
    fn examine(
        &self,
        portrait: &[u8],
        challenge: &Challenge,
        captured: Captured,
    ) -> Result<(), FaceError>;
}

/// Frames as they came, and when the device says that it took them.
pub(super) struct Captured {
    pub(super) times_ms: Vec<u32>,
    pub(super) frames: Vec<Zeroizing<Vec<u8>>>,
}

struct Networks {
    recognizer: Recognizer,
    threshold: f32,
}

impl FaceCheck {
    /// Compares with `recognizer`, and calls alike what has this score or more. `at_once` people are
    /// compared at a time: each takes a processor for seconds, and other requests need some, too.
    #[must_use]
    pub fn new(recognizer: Recognizer, threshold: f32, at_once: NonZeroUsize) -> FaceCheck {
        let networks = Networks {
            recognizer,
            threshold,
        };
        FaceCheck::with(Box::new(networks), at_once)
    }

    pub(super) fn with(examiner: Box<dyn Examine>, at_once: NonZeroUsize) -> FaceCheck {
        let places = at_once.get().saturating_mul(1 + WAITING_MAX);
        FaceCheck {
            examiner,
            places: Semaphore::new(places.min(Semaphore::MAX_PERMITS)),
            turns: Semaphore::new(at_once.get().min(Semaphore::MAX_PERMITS)),
            uploads: Arc::new(Semaphore::new(
                at_once
                    .get()
                    .saturating_mul(UPLOADS_MAX)
                    .min(Semaphore::MAX_PERMITS),
            )),
        }
    }

    /// Leave to send frames; `None` where as many people send theirs as memory is meant for.
    pub(super) fn begin_upload(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.uploads).try_acquire_owned().ok()
    }

    /// What the frames show. An error is our failure, of which the person knows nothing.
    pub(super) async fn compare(
        self: &Arc<FaceCheck>,
        portrait: Zeroizing<Vec<u8>>,
        challenge: Challenge,
        captured: Captured,
    ) -> Result<Result<(), FaceError>, EnrolmentError> {
        let place = self.places.try_acquire();
        let _place = place.map_err(|_| EnrolmentError::FaceCheckBusy)?;
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|error| EnrolmentError::Internal(Box::new(error)))?;
        let check = Arc::clone(self);
        let work = move || check.examiner.examine(&portrait, &challenge, captured);
        match memory::run_wiped(work).await {
            Ok(Err(FaceError::Capture(CaptureError::Engine(error)))) => {
                Err(EnrolmentError::Internal(Box::new(error)))
            }
            Ok(looked) => Ok(looked),
            Err(error) => Err(EnrolmentError::Internal(Box::new(error))),
        }
    }
}

impl Examine for Networks {
    fn examine(
        &self,
        portrait: &[u8],
        challenge: &Challenge,
        captured: Captured,
    ) -> Result<(), FaceError> {
        let unseen = |_| FaceError::Capture(CaptureError::Portrait(FailureToAcquire::NoFace));
        let portrait = of_portrait(portrait).map_err(unseen)?;
        let mut captured = captured;
        let shown = (challenge, &mut captured as &mut dyn Frames);
        let compared = face::examine(&self.recognizer, &portrait, shown, &mut secret::rng());
        if compared.map_err(FaceError::Capture)?.score >= self.threshold {
            Ok(())
        } else {
            Err(FaceError::NotMatched)
        }
    }
}

impl Frames for Captured {
    fn times_ms(&self) -> &[u32] {
        &self.times_ms
    }

    fn image(&mut self, number: usize) -> Result<Image, BadFrame> {
        of_frame(self.frames.get(number).ok_or(BadFrame)?)
    }
}

/// A portrait was signed by a state: it may be as large as documents have them, in either encoding.
fn of_portrait(octets: &[u8]) -> Result<Image, BadFrame> {
    let encoded = EncodedImage::new(octets).ok_or(BadFrame)?;
    image(&encoded.decode().map_err(|_| BadFrame)?)
}

/// A frame comes from anybody: only the encoding that cameras use, which is the cheaper one, and no
/// more pixels than the check needs.
fn of_frame(octets: &[u8]) -> Result<Image, BadFrame> {
    let encoded = EncodedImage::new(octets).ok_or(BadFrame)?;
    match encoded.format() {
        ImageFormat::Jpeg => {}
        ImageFormat::Jpeg2000 => return Err(BadFrame),
    }
    let pixels = encoded.decode_within(FRAME_PIXELS_MAX);
    image(&pixels.map_err(|_| BadFrame)?)
}

fn image(pixels: &Pixels) -> Result<Image, BadFrame> {
    Ok(Image::new(
        pixels.width(),
        pixels.height(),
        pixels.rgb().to_vec(),
    )?)
}

/// How many may wait for each that is compared: a comparison takes seconds, and a request, with its
/// upload, 60 at most.
const WAITING_MAX: usize = 2;
/// How many may send frames for each that is compared. They hold 13 MB and less each, and as much
/// again while they are decoded.
const UPLOADS_MAX: usize = 8;
/// The largest frame; wallets send 640 × 640 at most.
const FRAME_PIXELS_MAX: usize = 1_048_576;

#[cfg(test)]
mod tests {
    use mrtd::specimen::{SpecimenHolder, SpecimenPortrait};

    use super::*;
    use crate::testing::{World, holder};

    async fn portrait(portrait: SpecimenPortrait) -> EncodedImage {
        let world = World::new().await;
        let passport = world.passport(&SpecimenHolder {
            portrait,
            ..holder(1)
        });
        let begins = |mark: &[u8]| passport.dg2.windows(mark.len()).position(|at| at == mark);
        let at = begins(&[0xFF, 0xD8, 0xFF]).or_else(|| begins(&[0, 0, 0, 12, 0x6A, 0x50]));
        EncodedImage::new(&passport.dg2[at.unwrap()..]).unwrap()
    }

    #[tokio::test]
    async fn a_frame_is_a_jpeg_and_a_portrait_may_be_either() {
        let jpeg = portrait(SpecimenPortrait::Drawn(1)).await;
        let other = portrait(SpecimenPortrait::Jpeg2000).await;
        assert_eq!(other.format(), ImageFormat::Jpeg2000);
        assert!(of_portrait(jpeg.octets()).is_ok() && of_portrait(other.octets()).is_ok());
        assert!(of_frame(jpeg.octets()).is_ok());
        assert_eq!(of_frame(other.octets()), Err(BadFrame));
    }

    #[tokio::test]
    async fn a_frame_has_no_more_pixels_than_are_needed() {
        let jpeg = portrait(SpecimenPortrait::Drawn(1)).await;
        let sized = |height: u16, width: u16| {
            let mut octets = jpeg.octets().to_vec();
            let frame = octets.windows(2).position(|mark| mark == [0xFF, 0xC0]);
            let at = frame.unwrap() + 5;
            octets[at..at + 2].copy_from_slice(&height.to_be_bytes());
            octets[at + 2..at + 4].copy_from_slice(&width.to_be_bytes());
            octets
        };
        assert_eq!(of_frame(&sized(1024, 1025)), Err(BadFrame));
    }
}
