//! Nothing of a face is left in memory, logs or stores: neither frames nor portrait, nor what the
//! networks were given and made of them.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use face::engine::{Engine, EngineError, Network, Rten, Tensor};
use face::{Matcher, Models, Recognizer};
use memchr::memmem;
use serde_json::json;
use service::officer::Verdict;

use crate::consent::withdraw;
use crate::face::{Capture, Stage};
use crate::memory::{Markers, dump};
use crate::support::faces::decode;
use crate::support::wallet::{Session, assert_refused};
use crate::support::{Terms, wait_for};

/// What a network was given and what it gave.
type Runs = Arc<Mutex<Vec<[Vec<f32>; 2]>>>;

/// An engine that remembers.
struct Remembering(Rten, Runs);

struct RememberingNetwork(Box<dyn Network>, Runs);

impl Engine for Remembering {
    fn load(&self, onnx: &[u8]) -> Result<Box<dyn Network>, EngineError> {
        let network = self.0.load(onnx)?;
        Ok(Box::new(RememberingNetwork(network, Arc::clone(&self.1))))
    }
}

impl Network for RememberingNetwork {
    fn run(&self, input: &Tensor) -> Result<Vec<Tensor>, EngineError> {
        let outputs = self.0.run(input)?;
        let given = input.values().to_vec();
        let made = outputs.first().map(|output| output.values().to_vec());
        let run = [given, made.unwrap_or_default()];
        self.1.lock().unwrap().push(run);
        Ok(outputs)
    }
}

/// Numbers from the middle, as they lie in memory.
fn piece(numbers: &[f32]) -> Vec<u8> {
    let middle = numbers.len() / 2;
    let some = &numbers[middle..middle + 6];
    some.iter()
        .flat_map(|number| number.to_le_bytes())
        .collect()
}

fn middle(octets: &[u8]) -> Vec<u8> {
    octets[octets.len() / 2..][..24].to_vec()
}

/// A portrait and what the operator makes of it: pixels, landmarks; then for each matcher what its
/// network was given, what it gave, and the template.
fn made_of(portrait: &[u8], models: &Models) -> Vec<Vec<u8>> {
    let runs = Runs::default();
    let engine = Remembering(Rten::new(NonZeroUsize::MIN), Arc::clone(&runs));
    let recognizer = Recognizer::new(&engine, models).unwrap();
    let image = decode(portrait);
    let landmarks = recognizer.locate(&image).unwrap();
    let mut pieces = vec![middle(portrait), middle(image.rgb())];
    let points = landmarks.points().iter();
    pieces.push(piece(
        &points
            .flat_map(|point| [point.x, point.y])
            .collect::<Vec<_>>(),
    ));
    for matcher in 0..2 {
        runs.lock().unwrap().clear();
        let made = match matcher {
            0 => recognizer.matcher_a().template(&image, &landmarks),
            _ => recognizer.matcher_b().template(&image, &landmarks),
        };
        made.unwrap();
        let [given, numbers] = runs.lock().unwrap().pop().unwrap();
        let length = numbers
            .iter()
            .map(|number| number * number)
            .sum::<f32>()
            .sqrt();
        let template: Vec<_> = numbers.iter().map(|number| number / length).collect();
        pieces.extend([piece(&given), piece(&numbers), piece(&template)]);
    }
    pieces
}

/// Of the pieces of [`made_of`], and of [`of_frames`] after them, those that live as long as the
/// comparison: the portrait, its pixels and both its templates, and the frames as they came.
const FOUND_MEANWHILE: [usize; 6] = [0, 1, 5, 8, 9, 11];

/// Of two frames each as it came, and its pixels.
fn of_frames(capture: &Capture) -> Vec<Vec<u8>> {
    let both = |number: usize| {
        let jpeg = &capture.frames[number].jpeg;
        [middle(jpeg), middle(decode(jpeg).rgb())]
    };
    let numbers = [0, capture.frames.len() / 2].into_iter();
    numbers.flat_map(both).collect()
}

/// Between two looks.
const POLL: Duration = Duration::from_millis(20);

/// Sends frames; while the operator compares them, everything that lives as long is found.
async fn send_watched(stage: &Stage, session: &Session, capture: &Capture, pieces: &[Vec<u8>]) {
    let dumps = tempfile::tempdir().unwrap();
    let operator = stage.world.operator.id();
    let sent = stage.send(session, capture);
    tokio::pin!(sent);
    let mut missing = FOUND_MEANWHILE.to_vec();
    let reply = loop {
        tokio::select! {
            biased;
            reply = &mut sent => break reply,
            () = tokio::time::sleep(POLL) => {}
        }
        if capture.is_due() && !missing.is_empty() {
            // In their one form: a search for all takes longer than the comparison.
            let core = dump(operator, dumps.path());
            missing.retain(|number| memmem::find(&core, &pieces[*number]).is_none());
        }
    };
    assert!(
        missing.is_empty(),
        "not found while faces were compared: {missing:?}"
    );
    assert_eq!(reply.ok()["state"], "checked");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_face_is_left_behind_however_the_check_ends() {
    let terms = Terms {
        session_secs: 58,
        ..Terms::default()
    };
    let Some(mut stage) = Stage::with(terms) else {
        return;
    };
    let portrait = stage.portrait("obama2");
    let models = Models::load(&stage.faces.networks).unwrap();
    let mut pieces = made_of(&portrait, &models);

    // Somebody who never comes back.
    let left = stage.present_with(4, &portrait).await;
    stage
        .world
        .post(&left, "face/challenge", &json!({}))
        .await
        .ok();

    // Matched, up to the certificate.
    let matched = stage.present_with(1, &portrait).await;
    let capture = stage.film(&matched, &stage.actor("obama")).await;
    pieces.extend(of_frames(&capture));
    send_watched(&stage, &matched, &capture, &pieces).await;
    let world = &stage.world;
    world.post(&matched, "decision", &json!({})).await.ok();
    let (person, offer) = world.commit(&matched).await;
    world.receive(&matched, &person, (&offer, "")).await;

    // Frames that came too soon, then somebody else, then an officer who refuses.
    let of_another = stage.portrait("biden");
    pieces.extend(made_of(&of_another, &models));
    let refused = stage.present_with(2, &of_another).await;
    let asked = world.post(&refused, "face/challenge", &json!({})).await;
    let early = capture.for_challenge(&asked.ok());
    let reply = world
        .put(&refused, "face", &early.body(world, &refused))
        .await;
    assert_refused(&reply, 422, "capture-late");
    let another = stage.film(&refused, &stage.actor("obama")).await;
    let reply = stage.send(&refused, &another).await;
    assert_refused(&reply, 422, "face-not-matched");
    pieces.extend(of_frames(&another));
    let markers = Markers::of(&[], &pieces);
    let nothing = json!({});
    let step = world.step(reqwest::Method::DELETE, &refused, "face", &nothing);
    step.await.ok();
    world.decide(&refused, Verdict::Refuse).await.ok();

    // Consent taken back.
    let withdrawn = stage.present_with(3, &portrait).await;
    world
        .post(&withdrawn, "face/challenge", &json!({}))
        .await
        .ok();
    assert_eq!(withdraw(world, &withdrawn).await, 204);
    stage.world.close_connections();
    stage.world.settle().await;
    wait_for("the session that was left to be over", async || {
        let path = format!("/enrolment/{}", left.id);
        let token = Some(left.token.as_str());
        let answer = stage.world.call(reqwest::Method::GET, &path, token, None);
        (answer.await.status == 404).then_some(())
    })
    .await;
    // What is over is wiped by a timer.
    wait_for("every trace of a face to be wiped", async || {
        let found = markers.found(&stage.world);
        found.iter().for_each(|hit| eprintln!("still there: {hit}"));
        found.is_empty().then_some(())
    })
    .await;

    // An operator that is killed before the face was compared.
    stage.present_with(5, &portrait).await;
    let world = stage.world.restart_operator(); // kill -9
    world.settle().await;
    let found = markers.found(&world);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
