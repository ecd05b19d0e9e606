//! Notice, consent, versions of a session, and what officers are told.

use credential::consent::{ChosenEvidence, ConsentReceipt, FaceConsent};
use credential::jose;
use reqwest::Method;
use serde_json::{Value, json};
use service::officer::Verdict;

use crate::support::wallet::{Session, assert_refused, document};
use crate::support::{World, read_json};

#[tokio::test]
async fn a_consent_names_the_notice_and_is_receipted() {
    let world = World::new();
    let notice = world.call(Method::GET, "/.well-known/bauta/notice", None, None);
    let notice = notice.await;
    assert_eq!(notice.body["version"], 3);
    let ids = notice.body["processing"].as_array().unwrap().iter();
    let ids: Vec<_> = ids.map(|one| one["id"].as_str().unwrap()).collect();
    // This operator asks no register and compares no faces.
    assert_eq!(ids, ["document", "registration"]);

    let session = world.begin_unread().await;
    let digest = jose::encode(jose::sha256(&notice.raw.body));
    let agree =
        |digest: &str| json!({ "notice_sha256": digest, "evidence": "document", "face": "given" });
    let other = agree(&jose::encode([0; 32]));
    assert_refused(
        &world.put(&session, "consent", &other).await,
        409,
        "notice-changed",
    );
    let mut lacking = agree(&digest);
    lacking.as_object_mut().unwrap().remove("face");
    assert_refused(
        &world.put(&session, "consent", &lacking).await,
        400,
        "malformed-request",
    );

    let agreed = world.put(&session, "consent", &agree(&digest)).await.ok();
    assert_eq!(agreed["state"], "awaiting_evidence");
    let trust = read_json(&world.path("keys/operator.json"));
    let key = serde_json::from_value(trust["operator_key"].clone()).unwrap();
    let receipt = ConsentReceipt::verify(agreed["receipt"].as_str().unwrap(), &key).unwrap();
    assert_eq!(receipt.session, session.id);
    assert_eq!(receipt.notice_sha256, digest);
    assert_eq!(
        (receipt.evidence, receipt.face),
        (ChosenEvidence::Document, FaceConsent::Given)
    );
    assert_refused(
        &world.put(&session, "consent", &agree(&digest)).await,
        409,
        "wrong-step",
    );
    let number = json!({ "kind": "resident", "number": "11010519491231002X", "name": "X" });
    let refused = world.put(&session, "resident", &number).await;
    assert_refused(&refused, 404, "register-missing");
}

#[tokio::test]
async fn a_step_needs_the_version_that_the_session_has() {
    let world = World::new();
    let session = world.begin().await;
    let path = format!("/enrolment/{}/document", session.id);
    let body = document(&world.utopia.passport(1));
    let sent = (Some(session.token.as_str()), Some(&body));
    let send = |version| world.call_at(version, Method::PUT, &path, sent);
    assert_refused(&send(None).await, 428, "version-missing");
    for stale in [0, 1, 3] {
        assert_refused(&send(Some(stale)).await, 412, "session-moved");
    }
    let taken = send(Some(2)).await;
    assert_eq!(taken.raw.headers["etag"], "\"3\"");
    assert_eq!(taken.ok()["state"], "awaiting_officer");
    assert_refused(&send(Some(2)).await, 412, "session-moved");
}

#[tokio::test]
async fn a_document_that_is_not_awaited_is_refused_whatever_it_is() {
    let world = World::new();
    let session = world.begin_unread().await;
    let path = format!("/enrolment/{}/document", session.id);
    let nothing = json!({});
    let send = |version, token| {
        let sent = (Some(token), Some(&nothing));
        world.call_at(Some(version), Method::PUT, &path, sent)
    };
    assert_refused(&send(1, &session.token).await, 409, "wrong-step");
    assert_refused(&send(1, "another").await, 404, "unknown-session");
    assert_refused(&send(2, &session.token).await, 412, "session-moved");
    world.agree(&session, ChosenEvidence::Document).await.ok();
    assert_refused(&send(2, &session.token).await, 400, "malformed-request");
    // The refusal reaches a client that is still sending.
    let large = json!({ "dg1": "A".repeat(1_500_000) });
    let sent = (Some("another"), Some(&large));
    let refused = world.call_at(Some(2), Method::PUT, &path, sent).await;
    assert_refused(&refused, 404, "unknown-session");
}

#[tokio::test]
async fn a_person_can_withdraw_until_the_certificate_is_issued() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    for _ in 0..2 {
        assert_eq!(withdraw(&world, &session).await, 204);
    }
    let status = world.status(&session).await;
    assert_eq!(
        (&status["state"], &status["refusal"]),
        (&json!("refused"), &json!("consent-withdrawn"))
    );
    assert!(world.waiting().await.is_empty());

    let (session, _) = world.enrol(&world.utopia.passport(2)).await;
    assert_eq!(withdraw(&world, &session).await, 409);
}

pub(crate) async fn withdraw(world: &World, session: &Session) -> u16 {
    let path = format!("/enrolment/{}", session.id);
    let token = Some(session.token.as_str());
    world.call(Method::DELETE, &path, token, None).await.status
}

#[tokio::test]
async fn officers_are_told_why_they_decide_and_look_again_at_a_namesake() {
    let world = World::new();
    world.enrol(&world.utopia.passport(1)).await;
    let mut holder = world.utopia.holder(1);
    holder.document_number = "NEW4711".to_owned();
    holder.personal_number = None;
    let session = world.present(&world.utopia.issue(&holder)).await;
    let waiting = world.waiting().await;
    assert_eq!(waiting[0]["session"], session.id.as_str());
    assert_eq!(
        waiting[0]["reasons"],
        json!(["chip-not-proved", "face-not-checked"])
    );
    let status = world.status(&session).await;
    assert_eq!(status["review"], waiting[0]["reasons"]);

    let first = world.decide(&session, Verdict::Confirm).await;
    assert_refused(&first, 409, "look-again");
    let reasons = json!(["chip-not-proved", "face-not-checked", "possible-duplicate"]);
    assert_eq!(world.waiting().await[0]["reasons"], reasons);
    // Officers alone hear of the namesake.
    let told = world.status(&session).await;
    assert_eq!(told["review"], waiting[0]["reasons"]);
    let second = world.decide(&session, Verdict::Confirm).await.ok();
    assert!(second["transaction_code"].is_string());
    assert_eq!(
        world.status(&session).await["registered"],
        Value::Bool(false)
    );
    assert_eq!(
        (world.count("registration"), world.count("review_tag")),
        (1, 1)
    );
}
