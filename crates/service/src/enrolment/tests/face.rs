//! The face check, with what looks at frames scripted.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use ::face::{CaptureError, Challenge, EngineError, NotLive};
use credential::capture::{CaptureStatement, frames_digest};

use super::*;
use crate::enrolment::examination::{Captured, Examine};
use crate::enrolment::session::Step;

const ONE: NonZeroUsize = NonZeroUsize::MIN;
const NOW_MS: UnixMillis = UnixMillis(NOW.0 * 1000);

/// How one look ends.
enum Look {
    Matched,
    NotMatched,
    NotLive,
    EngineFails,
    Panics,
    /// Says that it has begun, and ends as the next one when it is told to.
    Waits(Sender<()>, Receiver<()>),
}

struct Script(Mutex<VecDeque<Look>>);

impl Script {
    fn check(looks: impl IntoIterator<Item = Look>) -> FaceCheck {
        let script = Script(Mutex::new(looks.into_iter().collect()));
        FaceCheck::with(Box::new(script), ONE)
    }

    fn next(&self) -> Look {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.pop_front().expect("a look that was not expected")
    }
}

impl Examine for Script {
    fn examine(&self, portrait: &[u8], _: &Challenge, _: Captured) -> Result<(), FaceError> {
        assert!(portrait.starts_with(&[0xFF, 0xD8]));
        let capture = |error| Err(FaceError::Capture(error));
        match self.next() {
            Look::Matched => Ok(()),
            Look::NotMatched => Err(FaceError::NotMatched),
            Look::NotLive => capture(CaptureError::NotLive(NotLive::NotStraight)),
            Look::EngineFails => capture(CaptureError::Engine(EngineError::WrongOutput)),
            Look::Panics => panic!("of the test"),
            Look::Waits(begun, on) => {
                begun.send(()).unwrap();
                on.recv().unwrap();
                Ok(())
            }
        }
    }
}

impl World {
    /// A session whose chip has proved itself and whose holder has agreed to the face check.
    async fn before_the_camera(&self, number: u16) -> Wallet {
        self.before_the_camera_as(&holder(number)).await
    }

    async fn before_the_camera_as(&self, person: &SpecimenHolder) -> Wallet {
        let wallet = self.present(person).await;
        let mut session = self.enrolments.locked(wallet.id, NOW).await.unwrap();
        let Step::AwaitingOfficer(mut evidence) = session.advance(Step::AwaitingConsent) else {
            panic!("an officer is awaited")
        };
        evidence.chip_answer = Some([0; 32]);
        evidence.face_consent = FaceConsent::Given;
        let next = self.enrolments.after_document(evidence, NOW);
        session.advance(next);
        wallet
    }

    async fn challenge(&self, wallet: &Wallet) -> FaceChallenge {
        let hold = wallet.hold(self.status(wallet).await.version);
        let asked = self.enrolments.challenge_face(hold, NOW_MS).await;
        asked.ok().unwrap().face.unwrap().challenge.unwrap()
    }

    fn capture(&self, wallet: &Wallet, nonce: &str) -> CaptureUpload {
        let frames = vec![zeroize::Zeroizing::new(vec![1, 2, 3])];
        let statement = CaptureStatement {
            aud: self.origin.clone(),
            session: session_text(wallet.id),
            nonce: nonce.to_owned(),
            times_ms: vec![0],
            frames_sha256: jose::encode(frames_digest(frames.iter().map(|frame| &frame[..]))),
        };
        CaptureUpload {
            statement: statement.sign(&wallet.device),
            frames,
        }
    }

    /// Sends frames for a challenge as soon as it is over.
    async fn film(&self, wallet: &Wallet, asked: &FaceChallenge) -> Result<Status, EnrolmentError> {
        let over = UnixMillis(NOW_MS.0 + u64::from(asked.challenge.end_ms()));
        self.film_at(wallet, asked, over).await
    }

    async fn film_at(
        &self,
        wallet: &Wallet,
        asked: &FaceChallenge,
        now: UnixMillis,
    ) -> Result<Status, EnrolmentError> {
        let hold = wallet.hold(self.status(wallet).await.version);
        let upload = self.capture(wallet, &asked.nonce);
        self.enrolments.present_face(hold, upload, now).await
    }

    async fn reasons(&self, wallet: &Wallet) -> Vec<ReviewReason> {
        let view = self.enrolments.evidence(wallet.id, NOW).await;
        view.ok().unwrap().reasons
    }
}

#[tokio::test]
async fn nobody_is_filmed_whose_chip_has_not_proved_itself() {
    let world = World::comparing_faces(Script::check([])).await;
    let wallet = world.before_the_camera(1).await;
    assert_eq!(world.state(&wallet).await, StateName::AwaitingFace);

    let wallet = world.begin();
    let consent = Consent {
        face: FaceConsent::Given,
        ..world.consent(ChosenEvidence::Document)
    };
    let agreed = world
        .enrolments
        .consent(wallet.hold(Version(1)), consent, NOW);
    agreed.await.ok().unwrap();
    let upload = upload(&world.passport(&holder(2)));
    let sent = world
        .enrolments
        .present_document(wallet.hold(Version(2)), upload, NOW);
    assert_eq!(sent.await.ok().unwrap().state, StateName::AwaitingOfficer);
}

#[tokio::test]
async fn our_failure_costs_no_try_and_the_challenge_can_be_answered_again() {
    let looks = [Look::Panics, Look::EngineFails, Look::Matched];
    let world = World::comparing_faces(Script::check(looks)).await;
    let wallet = world.before_the_camera(1).await;
    let asked = world.challenge(&wallet).await;
    let Version(before) = world.status(&wallet).await.version;
    for _ in 0..2 {
        let failed = world.film(&wallet, &asked).await;
        assert!(matches!(failed, Err(EnrolmentError::Internal(_))));
        let status = world.status(&wallet).await;
        assert_eq!(status.version, Version(before));
        let face = status.face.unwrap();
        assert_eq!((face.tries_left, face.challenge.is_some()), (2, true));
    }
    let matched = world.film(&wallet, &asked).await;
    assert_eq!(matched.ok().unwrap().state, StateName::Checked);
}

#[tokio::test]
async fn frames_come_when_the_challenge_is_over_and_a_minute_later_at_most() {
    for (later, taken) in [(-1, false), (0, true), (60_000, true), (60_001, false)] {
        let looks = taken.then_some(Look::Matched);
        let world = World::comparing_faces(Script::check(looks)).await;
        let wallet = world.before_the_camera(1).await;
        let asked = world.challenge(&wallet).await;
        let over = NOW_MS.0 + u64::from(asked.challenge.end_ms());
        let now = UnixMillis(over.saturating_add_signed(later));
        match world.film_at(&wallet, &asked, now).await {
            Ok(status) => assert!(taken && status.state == StateName::Checked, "{later}"),
            Err(EnrolmentError::Face(FaceError::Time)) => assert!(!taken, "{later}"),
            Err(error) => panic!("{later}: {error}"),
        }
    }
}

#[tokio::test]
async fn an_officer_hears_that_somebody_was_not_alive_or_another_one() {
    let cases = [
        (
            vec![Look::NotLive, Look::NotLive],
            ReviewReason::FaceNotLive,
        ),
        (
            vec![Look::NotMatched, Look::NotLive],
            ReviewReason::FaceNotMatched,
        ),
        (
            vec![Look::NotLive, Look::NotMatched],
            ReviewReason::FaceNotMatched,
        ),
        (vec![], ReviewReason::FaceNotChecked),
    ];
    for (looks, reason) in cases {
        let tries = looks.len();
        let world = World::comparing_faces(Script::check(looks)).await;
        let wallet = world.before_the_camera(1).await;
        for _ in 0..tries {
            let asked = world.challenge(&wallet).await;
            let refused = world.film(&wallet, &asked).await;
            assert!(matches!(refused, Err(EnrolmentError::Face(_))));
        }
        let hold = wallet.hold(world.status(&wallet).await.version);
        let left = world.enrolments.leave_face_out(hold, NOW).await;
        assert_eq!(left.ok().unwrap().state, StateName::AwaitingOfficer);
        assert_eq!(world.reasons(&wallet).await, [reason]);
    }
}

#[tokio::test]
async fn a_document_is_compared_three_times_in_vain_in_whatever_sessions() {
    let looks = [Look::NotMatched, Look::NotMatched, Look::NotMatched];
    let world = World::comparing_faces(Script::check(looks)).await;
    let (one, other) = (
        world.before_the_camera(1).await,
        world.before_the_camera(1).await,
    );
    for _ in 0..2 {
        let asked = world.challenge(&one).await;
        assert!(world.film(&one, &asked).await.is_err());
    }
    let late = world.before_the_camera(1).await;
    let waiting = world.challenge(&late).await;
    // The third of the document and the first of the session.
    let asked = world.challenge(&other).await;
    let last = world.film(&other, &asked).await.ok().unwrap();
    assert_eq!(last.state, StateName::AwaitingOfficer);
    // Not compared any more.
    let last = world.film(&late, &waiting).await.ok().unwrap();
    assert_eq!(last.state, StateName::AwaitingOfficer);
    let fourth = world.before_the_camera(1).await;
    assert_eq!(world.reasons(&fourth).await, [ReviewReason::FaceNotMatched]);
    let stranger = world.before_the_camera(2).await;
    assert_eq!(world.state(&stranger).await, StateName::AwaitingFace);
}

#[tokio::test]
async fn who_finds_every_place_taken_loses_nothing() {
    let (begun, begins) = channel();
    let (go_on, on) = channel();
    let looks = [
        Look::Waits(begun, on),
        Look::Matched,
        Look::Matched,
        Look::Matched,
    ];
    let world = Arc::new(World::comparing_faces(Script::check(looks)).await);
    let mut filmed = Vec::new();
    for number in 1..=3 {
        let wallet = world.before_the_camera(number).await;
        let asked = world.challenge(&wallet).await;
        let upload = world.capture(&wallet, &asked.nonce);
        let Version(version) = world.status(&wallet).await.version;
        let over = UnixMillis(NOW_MS.0 + u64::from(asked.challenge.end_ms()));
        let world = Arc::clone(&world);
        filmed.push(tokio::spawn(async move {
            let hold = wallet.hold(Version(version));
            let status = world.enrolments.present_face(hold, upload, over).await;
            status.map(|status| status.state)
        }));
    }
    let wallet = world.before_the_camera(4).await;
    let asked = world.challenge(&wallet).await;
    // All three have their places: one is compared, two wait.
    tokio::task::spawn_blocking(move || begins.recv().unwrap())
        .await
        .unwrap();
    let refused = world.film(&wallet, &asked).await;
    assert!(matches!(refused, Err(EnrolmentError::FaceCheckBusy)));
    go_on.send(()).unwrap();
    for filmed in filmed {
        assert_eq!(filmed.await.unwrap().ok(), Some(StateName::Checked));
    }
    let taken = world.film(&wallet, &asked).await;
    assert_eq!(taken.ok().unwrap().state, StateName::Checked);
}

#[tokio::test]
async fn frames_are_expected_while_a_challenge_runs_and_once_at_a_time() {
    let world = World::comparing_faces(Script::check([])).await;
    let wallet = world.before_the_camera(1).await;
    let expects = async || {
        let hold = wallet.hold(world.status(&wallet).await.version);
        world.enrolments.expects_face(hold, NOW).await
    };
    assert!(matches!(expects().await, Err(EnrolmentError::WrongStep)));
    world.challenge(&wallet).await;
    let first = expects().await.ok().unwrap();
    assert!(matches!(
        expects().await,
        Err(EnrolmentError::FaceCheckBusy)
    ));
    drop(first);
    assert!(expects().await.is_ok());

    let stale = world.enrolments.expects_face(wallet.hold(Version(1)), NOW);
    assert!(matches!(stale.await, Err(EnrolmentError::Moved)));
    let stranger = Hold {
        token: "",
        ..wallet.hold(world.status(&wallet).await.version)
    };
    let refused = world.enrolments.expects_face(stranger, NOW).await;
    assert!(matches!(refused, Err(EnrolmentError::UnknownSession)));
    let document = world.enrolments.expects_document(stranger, NOW).await;
    assert!(matches!(document, Err(EnrolmentError::UnknownSession)));
    let hold = wallet.hold(world.status(&wallet).await.version);
    let document = world.enrolments.expects_document(hold, NOW).await;
    assert!(matches!(document, Err(EnrolmentError::WrongStep)));
}

#[tokio::test]
async fn a_namesake_leads_from_the_machine_to_an_officer_and_to_trustees_who_are_asked_anew() {
    let world = World::comparing_faces(Script::check([Look::Matched])).await;
    register(&world, &holder(1)).await;
    let namesake = SpecimenHolder {
        document_number: "NEW4711".to_owned(),
        personal_number: None,
        ..holder(1)
    };
    let wallet = world.before_the_camera_as(&namesake).await;
    let asked = world.challenge(&wallet).await;
    world.film(&wallet, &asked).await.ok().unwrap();
    let name = async || {
        let session = world.enrolments.locked(wallet.id, NOW).await.unwrap();
        let (Step::Checked(evidence) | Step::AwaitingOfficer(evidence)) = session.step() else {
            panic!("evidence is there")
        };
        evidence.id
    };
    let of_machine = name().await;
    let hold = wallet.hold(world.status(&wallet).await.version);
    let decided = world.enrolments.decide_by_machine(hold, NOW).await;
    let status = decided.ok().unwrap();
    assert_eq!(status.state, StateName::AwaitingOfficer);
    // Officers alone hear that a namesake is registered.
    assert_eq!(status.review, Some(vec![]));
    assert_eq!(
        world.reasons(&wallet).await,
        [ReviewReason::PossibleDuplicate]
    );
    let of_officer = name().await;
    assert_ne!(of_machine, of_officer);
    world.decide(&wallet, Verdict::Confirm).await.unwrap();
}
