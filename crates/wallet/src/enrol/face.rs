//! The person before the camera: challenges, and frames for them.

use credential::capture::{CaptureStatement, frames_digest};
use credential::jose::{self, SigningKey};
use credential::origin::Origin;
use face::{Challenge, Prompt};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::EnrolError;

/// What a person is asked to do before the camera.
#[derive(Deserialize)]
pub struct FaceRequest {
    /// How many more challenges can be asked for.
    pub tries_left: u8,
    nonce: Option<String>,
    #[serde(default)]
    prompts: Vec<Prompt>,
    end_ms: Option<u32>,
}

impl FaceRequest {
    /// The challenge that runs, and its nonce.
    ///
    /// # Errors
    ///
    /// [`EnrolError::Answer`] where none does, or its prompts overlap.
    pub fn challenge(self) -> Result<(Challenge, String), EnrolError> {
        let end_ms = self.end_ms.ok_or(EnrolError::Answer)?;
        let challenge = Challenge::of(self.prompts, end_ms).ok_or(EnrolError::Answer)?;
        Ok((challenge, self.nonce.ok_or(EnrolError::Answer)?))
    }
}

/// A frame of a camera. Wiped when dropped.
pub struct Frame {
    /// Milliseconds from the beginning of the challenge.
    pub time_ms: u32,
    /// JPEG file.
    pub jpeg: Zeroizing<Vec<u8>>,
}

/// Body of `PUT /enrolment/{id}/face`.
#[derive(Serialize)]
pub struct FaceUpload {
    statement: String,
    frames: Vec<Zeroizing<String>>,
}

/// Binds frames to the challenge with this nonce: the device says when each was taken.
#[must_use]
pub fn show_face(
    frames: &[Frame],
    (operator, session, nonce): (&Origin, &str, String),
    device: &SigningKey,
) -> FaceUpload {
    let octets = || frames.iter().map(|frame| frame.jpeg.as_slice());
    let statement = CaptureStatement {
        aud: operator.clone(),
        session: session.to_owned(),
        nonce,
        times_ms: frames.iter().map(|frame| frame.time_ms).collect(),
        frames_sha256: jose::encode(frames_digest(octets())),
    };
    FaceUpload {
        statement: statement.sign(device),
        frames: octets().map(jose::encode).map(Zeroizing::new).collect(),
    }
}
