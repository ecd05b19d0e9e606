//! Officers' statements and decisions.

use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::time::UnixTime;
use reqwest::Method;
use serde_json::json;
use service::officer::{Decision, OfficerId, Verdict};

use crate::support::World;
use crate::support::officer::Officer;
use crate::support::wallet::assert_refused;

const LIST: &str = "/officer/enrolments";

#[tokio::test]
async fn an_officer_sees_who_waits_and_what_to_compare() {
    let world = World::new();
    let holder = world.utopia.holder(7);
    let session = world.present(&world.utopia.issue(&holder)).await;
    world.begin().await;
    let list = world
        .call_as(&world.officer(), (Method::GET, LIST), None)
        .await
        .ok();
    assert_eq!(
        list,
        json!({ "sessions": [{
        "session": session.id,
        "reasons": ["chip-not-proved", "face-not-checked"],
    }] })
    );
    let evidence = world.evidence(&session).await;
    assert_eq!(
        evidence["attributes"]["document_number"],
        holder.document_number
    );
    assert_eq!(evidence["portrait_type"], "image/jpeg");
    let portrait = credential::jose::decode(evidence["portrait"].as_str().unwrap()).unwrap();
    assert!(portrait.starts_with(&[0xFF, 0xD8, 0xFF]));
    world.confirm(&session).await;
    let path = format!("{LIST}/{}", session.id);
    let gone = world
        .call_as(&world.officer(), (Method::GET, &path), None)
        .await;
    assert_refused(&gone, 409, "wrong-step");
    let list = world
        .call_as(&world.officer(), (Method::GET, LIST), None)
        .await
        .ok();
    assert_eq!(list, json!({ "sessions": [] }));
}

#[tokio::test]
async fn a_statement_is_good_for_one_request_of_one_officer_at_one_time() {
    let world = World::new();
    let officer = world.officer();
    let good = || world.statement(&officer, &Method::GET, LIST);
    let now = server::clock::now();
    let mut cases = vec![
        ("another audience", good()),
        ("another method", good()),
        ("another path", good()),
        ("another host", good()),
        ("expired", good()),
        ("too long", good()),
        ("from the future", good()),
        ("a short identifier", good()),
        ("an unknown officer", good()),
    ];
    cases[0].1.aud = Origin::parse("https://other.localhost").unwrap();
    cases[1].1.htm = "POST".to_owned();
    cases[2].1.htu = world.url("/officer/enrolments/x");
    cases[3].1.htu = format!("https://other.localhost{LIST}");
    (cases[4].1.iat, cases[4].1.exp) = (UnixTime(now.0 - 60), now);
    cases[5].1.exp = now.plus_secs(61);
    (cases[6].1.iat, cases[6].1.exp) = (now.plus_secs(100), now.plus_secs(160));
    cases[7].1.jti = "1".to_owned();
    cases[8].1.iss = OfficerId("desk-2".to_owned());
    for (what, statement) in cases {
        let signed = statement.sign(&officer.key);
        let reply = world.call_signed((Method::GET, LIST), &signed, None).await;
        assert_eq!(
            reply.refusal(),
            (401, "officer-statement-refused"),
            "{what}"
        );
    }
    let forged = good().sign(&SigningKey::generate());
    for statement in [forged.as_str(), "", "a.b.c"] {
        let reply = world
            .call_signed((Method::GET, LIST), statement, None)
            .await;
        assert_refused(&reply, 401, "officer-statement-refused");
    }
    let once = good().sign(&officer.key);
    world
        .call_signed((Method::GET, LIST), &once, None)
        .await
        .ok();
    let replayed = world.call_signed((Method::GET, LIST), &once, None).await;
    assert_refused(&replayed, 401, "officer-statement-replayed");
}

#[tokio::test]
async fn a_decision_is_about_one_session_and_its_evidence() {
    let world = World::new();
    let officer = world.officer();
    let passport = world.utopia.passport(1);
    let (session, other) = (
        world.present(&passport).await,
        world.present(&passport).await,
    );
    let decision = world.decision(&session, Verdict::Confirm).await;
    let of_other = world.decision(&other, Verdict::Confirm).await;
    // One document, two sessions: the digests differ.
    assert_ne!(decision.evidence_digest, of_other.evidence_digest);
    let path = format!("{LIST}/{}/decision", session.id);
    let send = async |decision: &Decision, key: &SigningKey| {
        let body = json!({ "decision": decision.sign(key) });
        world
            .call_as(&officer, (Method::POST, &path), Some(&body))
            .await
    };
    let crossed = Decision {
        session: other.id.clone(),
        ..decision.clone()
    };
    assert_refused(&send(&crossed, &officer.key).await, 409, "other-evidence");
    assert_refused(&send(&of_other, &officer.key).await, 409, "other-evidence");
    let old = Decision {
        iat: UnixTime(decision.iat.0 - 301),
        ..decision.clone()
    };
    assert_refused(
        &send(&old, &officer.key).await,
        401,
        "officer-statement-refused",
    );
    let stranger = SigningKey::generate();
    assert_refused(
        &send(&decision, &stranger).await,
        401,
        "officer-statement-refused",
    );
    assert_eq!(world.status(&session).await["state"], "awaiting_officer");

    // A bearer token of a wallet is no officer, and a field of a request is none either.
    let body = json!({ "decision": "confirm" });
    let reply = world
        .call(Method::POST, &path, Some(&session.token), Some(&body))
        .await;
    assert_refused(&reply, 401, "officer-statement-refused");
    let reply = world
        .call_as(&officer, (Method::POST, &path), Some(&body))
        .await;
    assert_refused(&reply, 401, "officer-statement-refused");

    let stranger = Officer {
        id: "desk-1".to_owned(),
        key: stranger,
    };
    let body = json!({ "decision": decision.sign(&officer.key) });
    let reply = world
        .call_as(&stranger, (Method::POST, &path), Some(&body))
        .await;
    assert_refused(&reply, 401, "officer-statement-refused");
    send(&decision, &officer.key).await.ok();
}

#[tokio::test]
async fn a_refused_person_gets_no_further() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let answer = world.decide(&session, Verdict::Refuse).await.ok();
    assert_eq!(answer, json!({}));
    let status = world.status(&session).await;
    assert_eq!(status["state"], "refused");
    assert_eq!(status["refusal"], "officer-refused");
    let path = format!("{LIST}/{}", session.id);
    let gone = world
        .call_as(&world.officer(), (Method::GET, &path), None)
        .await;
    assert_refused(&gone, 409, "wrong-step");
    let nonce = world.nonce(&session).await;
    let request = wallet::enrol::register(&world.origin, &nonce, &session.device).request;
    let request = serde_json::to_value(request).unwrap();
    assert_refused(
        &world.post(&session, "commitment", &request).await,
        409,
        "wrong-step",
    );
    assert_eq!((world.count("registration"), world.count("tag")), (0, 0));
}
