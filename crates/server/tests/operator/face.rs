//! The face check over the wire, with the real networks and frames of an actor.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use face::engine::Rten;
use face::specimen::{Act, Actor, Medium};
use face::{Challenge, Image, Models, Recognizer};
use jpeg_encoder::{ColorType, Encoder};
use mrtd::specimen::{SpecimenHolder, SpecimenPortrait};
use rand_core::UnwrapErr;
use reqwest::Method;
use serde_json::{Value, json};
use server::demo::Faces;
use wallet::enrol::{self, FaceRequest, Frame};

use crate::support::wallet::{Reply, Session, assert_refused};
use crate::support::{Terms, World, faces, wait_for};

const SIZE: (u16, u16) = (240, 320);
const GAP_MS: usize = 250;

/// An operator that compares faces, and somebody before the camera.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) faces: Faces,
    recognizer: Recognizer,
}

impl Stage {
    fn new() -> Option<Stage> {
        Stage::with(Terms::default())
    }

    pub(crate) fn with(terms: Terms) -> Option<Stage> {
        let faces = faces::given()?;
        let models = Models::load(&faces.networks).unwrap();
        Some(Stage {
            world: World::comparing_faces(&faces.networks, terms),
            recognizer: Recognizer::new(&Rten::new(NonZeroUsize::MIN), &models).unwrap(),
            faces,
        })
    }

    /// A photograph in the size of a document's.
    pub(crate) fn portrait(&self, name: &str) -> Vec<u8> {
        let mut rng = UnwrapErr(getrandom::SysRng);
        encode(&self.actor(name).frame(Act::STRAIGHT, (480, 640), &mut rng))
    }

    pub(crate) fn actor(&self, name: &str) -> Actor {
        let photograph = self.faces.photographs.join(format!("{name}.jpg"));
        let picture = faces::decode(&std::fs::read(photograph).unwrap());
        Actor::new(&self.recognizer, picture, Medium::Head).unwrap()
    }

    /// A session whose document has this portrait and whose chip has proved itself.
    async fn present(&self, number: u16, portrait: &str) -> Session {
        self.present_with(number, &self.portrait(portrait)).await
    }

    pub(crate) async fn present_with(&self, number: u16, portrait: &[u8]) -> Session {
        let world = &self.world;
        let holder = SpecimenHolder {
            portrait: SpecimenPortrait::Image(portrait.to_vec()),
            ..world.utopia.holder(number)
        };
        let (passport, mut chip) = world.utopia.issue_with_chip(&holder);
        let session = world.begin_unread().await;
        world.agree_with_face(&session).await.ok();
        let taken = world.send_document(&session, &passport).await.ok();
        let proved = world.prove(&session, (&passport, &mut chip), &taken["chip"]);
        assert_eq!(proved.await.ok()["state"], "awaiting_face");
        session
    }

    /// Asks for a challenge and films an actor who follows it.
    pub(crate) async fn film(&self, session: &Session, actor: &Actor) -> Capture {
        let nothing = json!({});
        let asked = self.world.post(session, "face/challenge", &nothing).await;
        let (challenge, nonce) = challenge(&asked.ok());
        let begun = Instant::now();
        let mut rng = UnwrapErr(getrandom::SysRng);
        let times = (0..=challenge.end_ms()).step_by(GAP_MS);
        let frames = times.map(|time_ms| {
            let frame = actor.frame(Act::following(&challenge, time_ms), SIZE, &mut rng);
            Frame {
                time_ms,
                jpeg: encode(&frame).into(),
            }
        });
        Capture {
            frames: frames.collect(),
            nonce,
            due: begun + Duration::from_millis(challenge.end_ms().into()),
        }
    }

    pub(crate) async fn send(&self, session: &Session, capture: &Capture) -> Reply {
        wait_for("the challenge to be over", async || {
            capture.is_due().then_some(())
        })
        .await;
        let body = capture.body(&self.world, session);
        self.world.put(session, "face", &body).await
    }
}

/// What is asked of the person, and its nonce.
fn challenge(asked: &Value) -> (Challenge, String) {
    let request: FaceRequest = serde_json::from_value(asked["face"].clone()).unwrap();
    request.challenge().unwrap()
}

fn encode(image: &Image) -> Vec<u8> {
    let mut encoded = Vec::new();
    let (width, height) = (image.width(), image.height());
    let encoder = Encoder::new(&mut encoded, 90);
    let written = encoder.encode(image.rgb(), width, height, ColorType::Rgb);
    written.unwrap();
    encoded
}

pub(crate) struct Capture {
    pub(crate) frames: Vec<Frame>,
    nonce: String,
    due: Instant,
}

impl Capture {
    /// Whether the operator may take it.
    pub(crate) fn is_due(&self) -> bool {
        Instant::now() >= self.due
    }

    /// The same frames for another challenge, at once.
    pub(crate) fn for_challenge(self, asked: &Value) -> Capture {
        Capture {
            nonce: challenge(asked).1,
            due: Instant::now(),
            ..self
        }
    }

    pub(crate) fn body(&self, world: &World, session: &Session) -> Value {
        let asked = (&world.origin, session.id.as_str(), self.nonce.clone());
        let upload = enrol::show_face(&self.frames, asked, &session.device);
        serde_json::to_value(upload).unwrap()
    }
}

#[tokio::test]
async fn a_machine_decides_where_chip_and_face_are_the_persons_and_nobody_else() {
    let Some(stage) = Stage::new() else {
        return;
    };
    let world = &stage.world;
    let session = stage.present(1, "obama2").await;
    let nothing = json!({});
    let unasked = world.put(&session, "face", &nothing).await;
    assert_refused(&unasked, 409, "wrong-step");
    // No camera is faster than its pictures.
    let asked = world.post(&session, "face/challenge", &json!({})).await;
    let prepared = Capture {
        frames: vec![Frame {
            time_ms: 0,
            jpeg: b"prepared".to_vec().into(),
        }],
        nonce: challenge(&asked.ok()).1,
        due: Instant::now(),
    };
    let unread = world.put(&session, "face", &nothing).await;
    assert_refused(&unread, 400, "malformed-request");
    let early = prepared.body(world, &session);
    let early = world.put(&session, "face", &early).await;
    assert_refused(&early, 422, "capture-late");
    assert_eq!(
        world.status(&session).await["face"],
        json!({ "tries_left": 2 })
    );
    let capture = stage.film(&session, &stage.actor("obama")).await;
    assert_eq!(
        stage.send(&session, &capture).await.ok()["state"],
        "checked"
    );
    assert!(world.waiting().await.is_empty());
    let decided = world.post(&session, "decision", &json!({})).await.ok();
    assert_eq!(decided["state"], "confirmed");
    assert_eq!(decided["attributes"]["assurance_level"], "substantial");
    let (person, offer) = world.commit(&session).await;
    world.receive(&session, &person, (&offer, "")).await;
    assert_eq!(world.count("registration"), 1);
}

#[tokio::test]
async fn somebody_else_and_frames_of_another_challenge_end_before_an_officer() {
    let Some(stage) = Stage::new() else {
        return;
    };
    let world = &stage.world;
    let session = stage.present(1, "biden").await;
    let another = stage.actor("obama");
    let first = stage.film(&session, &another).await;
    let refused = stage.send(&session, &first).await;
    assert_refused(&refused, 422, "face-not-matched");
    let second = stage.film(&session, &another).await;
    // The frames of the first challenge, signed for the second.
    let replayed = Capture {
        nonce: second.nonce,
        due: second.due,
        ..first
    };
    let refused = stage.send(&session, &replayed).await;
    assert!(
        matches!(
            refused.refusal(),
            (422, "face-not-live" | "capture-invalid")
        ),
        "{}",
        refused.body
    );
    let third = stage.film(&session, &another).await;
    let last = stage.send(&session, &third).await.ok();
    assert_eq!(last["state"], "awaiting_officer");
    assert_eq!(last["review"], json!(["face-not-matched"]));
    assert_refused(
        &world.post(&session, "face/challenge", &json!({})).await,
        409,
        "wrong-step",
    );
    assert_refused(
        &world.post(&session, "decision", &json!({})).await,
        409,
        "wrong-step",
    );
    world.confirm(&session).await;
}

#[tokio::test]
async fn who_has_no_camera_goes_on_to_an_officer() {
    let Some(stage) = Stage::new() else {
        return;
    };
    let session = stage.present(1, "obama").await;
    let left = stage
        .world
        .step(Method::DELETE, &session, "face", &json!({}))
        .await
        .ok();
    assert_eq!(left["review"], json!(["face-not-checked"]));
}
