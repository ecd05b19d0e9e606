//! Where an enrolment session is, as the operator says it.

use credential::attributes::Attributes;
use credential::jose::{PublicKey, SigningKey};
use serde::{Deserialize, Serialize};

use super::face::FaceRequest;

/// Body of `POST /enrolment`.
#[derive(Serialize)]
pub struct BeginRequest {
    device_key: PublicKey,
}

/// Begins an enrolment of this device.
#[must_use]
pub fn begin(device: &SigningKey) -> BeginRequest {
    BeginRequest {
        device_key: *device.public(),
    }
}

/// Answer to `POST /enrolment`.
#[derive(Deserialize)]
pub struct Begun {
    /// Name of the session; what an officer confirms.
    pub session: String,
    /// Bearer token of the session.
    pub token: String,
}

/// How far an enrolment session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Waits for the person's consent.
    AwaitingConsent,
    /// Waits for a document, or what else was chosen.
    AwaitingEvidence,
    /// Waits for the chip's answer.
    AwaitingChip,
    /// Waits for the person before the camera.
    AwaitingFace,
    /// Nothing speaks against a decision without an officer.
    Checked,
    /// Waits for an officer.
    AwaitingOfficer,
    /// The person was confirmed.
    Confirmed,
    /// A certificate can be fetched.
    Offered,
    /// The certificate was issued.
    Issued,
    /// It ended without one.
    Refused,
}

/// What a chip is asked; octets in base64url.
#[derive(Deserialize)]
#[serde(tag = "protocol", rename_all = "snake_case")]
pub enum ChipChallenge {
    /// To agree on keys: the operator's public key, and a command under the new keys.
    ChipAuthentication {
        /// The cipher, by its number within the protocol's identifier.
        cipher: u8,
        /// Which of the chip's keys.
        key_id: Option<String>,
        /// The public key.
        public_key: String,
        /// The command.
        command: String,
    },
    /// To sign what follows from operator, session and nonce.
    ActiveAuthentication {
        /// Sixteen octets.
        nonce: String,
    },
}

/// Answer to `GET /enrolment/{id}`; members that the state does not have are absent.
#[derive(Deserialize)]
pub struct Session {
    /// The state.
    pub state: SessionState,
    /// What the chip is asked, while its answer is awaited.
    pub chip: Option<ChipChallenge>,
    /// The face check, while it is awaited.
    pub face: Option<FaceRequest>,
    /// Why an officer has to decide, while that is awaited.
    pub review: Option<Vec<String>>,
    /// Whether the register knows the person already.
    pub registered: Option<bool>,
    /// Fresh nonce for the next proof.
    pub nonce: Option<String>,
    /// What will be certified.
    pub attributes: Option<Attributes>,
    /// The capped generation, `1` or `2`.
    pub generation: Option<String>,
    /// Why it was refused.
    pub refusal: Option<String>,
}
