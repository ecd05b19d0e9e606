//! The person before the camera: what is asked, what is filmed, and again where that failed.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use credential::jose::SigningKey;
use credential::origin::Origin;
use face::Movement;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;
use wallet::enrol::{self, Session, SessionState};

use super::desk::Desk;
use super::{enrol_failure, unexpected};
use crate::camera::{Prompter, Source};
use crate::commands::wallet::{Output, warn};
use crate::failure::Failure;

/// Shows the face where that is awaited, as often as the operator allows; without a camera an officer is
/// to look. Where the session is then.
pub(super) async fn show(
    desk: &mut Desk,
    (source, device): (Option<&Source>, &SigningKey),
    output: Output,
) -> Result<Session, Failure> {
    let session = desk.look().await?;
    if session.state != SessionState::AwaitingFace {
        return Ok(session);
    }
    let Some(source) = source else {
        output.progress("Without --face an officer compares you with the portrait.");
        return desk.send(Method::DELETE, "/face", &json!({})).await;
    };
    output.progress(INTRODUCTION);
    let mut tries_left = session.face.ok_or_else(unexpected)?.tries_left;
    // Whatever the operator says.
    for _ in 0..TRIES_MAX {
        if tries_left == 0 {
            break;
        }
        match attempt(desk, (source, device), output).await {
            Ok(session) => return Ok(session),
            Err(failure) if is_about_frames(&failure) || is_unheard(&failure) => {
                let session = desk.look().await?;
                if session.state != SessionState::AwaitingFace {
                    return Ok(session);
                }
                tries_left = session.face.map_or(0, |face| face.tries_left);
                warn(&failure.to_string());
                if tries_left > 0 {
                    output.progress("Once more.");
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    // The operator still waits: nothing came to be compared.
    desk.send(Method::DELETE, "/face", &json!({})).await
}

async fn attempt(
    desk: &mut Desk,
    (source, device): (&Source, &SigningKey),
    output: Output,
) -> Result<Session, Failure> {
    // Before the challenge runs, and anew for each: what a camera saw in between is of no use.
    let mut camera = source.open().await?;
    let asked: Session = desk
        .send(Method::POST, "/face/challenge", &json!({}))
        .await?;
    let face = asked.face.ok_or_else(unexpected)?;
    let (challenge, nonce) = face.challenge().map_err(enrol_failure)?;
    if output == Output::Json {
        output.result("", &json!({ "challenge": challenge }));
    }
    let mut speaker = Speaker {
        movements: challenge.prompts().len(),
        output,
    };
    let frames = camera.film(&challenge, &mut speaker).await?;
    drop(camera);
    let octets: usize = frames.iter().map(|frame| frame.jpeg.len()).sum();
    if octets > OCTETS_MAX {
        let what = format!("the pictures have {octets} octets, more than {OCTETS_MAX}");
        return Err(Failure::of("frames-too-large", what));
    }
    output.progress(&format!(
        "Thank you. Sending {} pictures ({} kB) and waiting for the comparison …",
        frames.len(),
        octets.div_ceil(1000)
    ));
    let operator = Origin::parse(&desk.base).map_err(|_| unexpected())?;
    let body = enrol::show_face(&frames, (&operator, &desk.session, nonce), device);
    for _ in 0..BUSY_MAX {
        match desk.send(Method::PUT, "/face", &body).await {
            // Others are compared; nothing of the try is used up.
            Err(failure) if failure.id == "face-check-busy" => {
                output.progress("Others are being compared; trying again …");
            }
            // The challenge still runs where they did not arrive.
            Err(failure) if is_unheard(&failure) => {
                let face = desk.look().await?.face;
                if face.is_none_or(|face| face.challenge().is_err()) {
                    return Err(failure);
                }
            }
            sent => return sent,
        }
        tokio::time::sleep(BUSY).await;
    }
    Err(Failure::of("face-check-busy", "others are being compared"))
}

/// Whether another try may go better: what the operator says of frames, or that there were none.
fn is_about_frames(failure: &Failure) -> bool {
    matches!(
        failure.id.as_str(),
        "capture-invalid"
            | "capture-late"
            | "face-not-live"
            | "face-not-matched"
            | "face-not-one-person"
            | "face-not-seen"
            | "face-check-busy"
            | "frames-missing"
            | "frames-too-large"
            | "picture-unusable"
    )
}

/// Whether the operator may have done what it was asked: it finishes what it has received, also
/// where its answer is lost.
fn is_unheard(failure: &Failure) -> bool {
    matches!(
        failure.id.as_str(),
        "request-timeout" | "server-unreachable" | "session-moved"
    )
}

/// Says what to do in sentences that can be read aloud.
struct Speaker {
    movements: usize,
    output: Output,
}

impl Speaker {
    /// A line, and a sound for who has the eyes closed or turned away; a script has the name.
    fn say(&self, text: &str, name: impl Serialize) {
        match self.output {
            Output::Text => {
                let bell = if io::stdout().is_terminal() {
                    "\x07"
                } else {
                    ""
                };
                // A closed standard output must not end an enrolment half-way.
                let _written = writeln!(io::stdout(), "{bell}{text}");
            }
            Output::Json => self.output.result("", &json!({ "prompt": name })),
        }
    }
}

impl Prompter for Speaker {
    fn movement(&mut self, number: usize, movement: Movement) {
        let text = match movement {
            Movement::TurnLeft => "Turn your head slowly to your left, and stay there.",
            Movement::TurnRight => "Turn your head slowly to your right, and stay there.",
            Movement::Nearer => "Come nearer to the camera, and stay there.",
            Movement::CloseEyes => "Close your eyes until the next sound.",
        };
        let text = format!("  {number} of {}: {text}", self.movements);
        self.say(&text, movement);
    }

    fn straight(&mut self) {
        self.say("  Look straight into the camera.", "look_straight");
    }

    fn wait(&mut self, what: &str) {
        self.output.progress(what);
    }
}

/// How often, and how long after, frames are sent again that nobody had time for: the operator takes
/// them for a minute.
const BUSY_MAX: u8 = 8;
const BUSY: Duration = Duration::from_secs(6);
/// How often the person is asked to try.
const TRIES_MAX: u8 = 3;
/// The operator takes 13,000,000 octets with what is around them, in base64.
const OCTETS_MAX: usize = 9_500_000;

const INTRODUCTION: &str = "Now your face, for about 20 seconds: hold the camera at the height of your \
    eyes, about an arm's length away, in good light, without glasses that mirror. Do what is said when \
    it is said; in between, look straight into the camera.";
