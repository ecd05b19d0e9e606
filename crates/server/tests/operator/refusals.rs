//! Refusals that take more than a malformed request: what has expired, is for somebody else, cut
//! short, or about a person of two minds.

use ::wallet::vault::Person;
use ::wallet::{ending, enrol};
use credential::jose::SigningKey;
use credential::origin::Origin;
use mrtd::StateCode;
use mrtd::specimen::SpecimenHolder;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{CommitmentProof, CredentialRequest};
use reqwest::Method;
use serde_json::{Value, json};
use service::officer::Verdict;

use crate::support::wallet::{Reply, assert_refused};
use crate::support::{Terms, World, wait_for};

/// Half of a text.
fn half(text: &Value) -> Value {
    let text = text.as_str().unwrap();
    json!(text[..text.len() / 2])
}

impl World {
    async fn end(&self, request: &Value) -> Reply {
        self.call(Method::POST, "/registration/end", None, Some(request))
            .await
    }

    async fn ask_nonce(&self) -> Reply {
        self.call(Method::POST, "/nonce", None, None).await
    }

    async fn statement_to_end(&self, person: &Person, aud: &Origin, device: &SigningKey) -> Value {
        let nonce = self.server_nonce().await;
        let now = server::clock::now();
        let request = ending::end(person, (aud, nonce.as_str()), device, now);
        serde_json::to_value(request.unwrap()).unwrap()
    }
}

#[tokio::test]
async fn what_has_expired_is_refused_and_no_certificate_comes_of_it() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let (_, offer) = world.commit(&session).await;
    world.expire("code");
    let late = world.redeem(&offer.code, &code).await;
    assert_refused(&late, 400, "invalid-code");

    let (session, person, token) = world.offered(2).await;
    let request = world.certificate_request(&session, &person).await;
    world.expire("nonce");
    let late = world.send_credential_request(&token, &request.body).await;
    assert_refused(&late, 400, "invalid-nonce");
    let request = world.certificate_request(&session, &person).await;
    world.expire("token");
    let late = world.send_credential_request(&token, &request.body).await;
    assert_refused(&late, 401, "invalid-token");
    assert_eq!((world.count("registration"), world.count("tag")), (0, 0));
}

#[tokio::test]
async fn a_token_whose_session_is_gone_buys_nothing() {
    let world = World::new();
    let (session, person, token) = world.offered(1).await;
    let request = world.certificate_request(&session, &person).await;
    let world = world.restart_operator();
    let refused = world.send_credential_request(&token, &request.body).await;
    assert_refused(&refused, 400, "not-offered");
    assert_eq!(world.count("registration"), 0);
}

#[tokio::test]
async fn a_statement_that_ends_a_registration_is_whole_fresh_and_for_this_operator() {
    let world = World::new();
    let (session, person) = world.enrol(&world.utopia.passport(1)).await;
    let (_, other) = world.enrol(&world.utopia.passport(2)).await;
    let device = &session.device;
    let good = world.statement_to_end(&person, &world.origin, device).await;

    let elsewhere = Origin::parse("https://other.localhost").unwrap();
    let elsewhere = world.statement_to_end(&person, &elsewhere, device).await;
    assert_refused(&world.end(&elsewhere).await, 403, "statement-refused");
    let of_another = world.statement_to_end(&other, &world.origin, device).await;
    assert_refused(&world.end(&of_another).await, 403, "statement-refused");
    let mut about_another = good.clone();
    about_another["web_number"] = of_another["web_number"].clone();
    assert_refused(&world.end(&about_another).await, 403, "statement-refused");
    let mut cut = good.clone();
    cut["statement"] = half(&good["statement"]);
    assert_refused(&world.end(&cut).await, 403, "statement-refused");
    let mut cut = good.clone();
    cut["web_number"] = half(&good["web_number"]);
    assert_refused(&world.end(&cut).await, 403, "statement-refused");

    let late = world.statement_to_end(&person, &world.origin, device).await;
    world.expire("nonce");
    assert_refused(&world.end(&late).await, 400, "invalid-nonce");
    assert_refused(&world.end(&good).await, 400, "invalid-nonce");
    let good = world.statement_to_end(&person, &world.origin, device).await;
    assert_eq!(world.end(&good).await.status, 204);
}

#[tokio::test]
async fn proofs_that_are_cut_short_are_refused() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    world.confirm(&session).await;
    for part in ["commitment", "proof"] {
        let nonce = world.nonce(&session).await;
        let request = enrol::register(&world.origin, &nonce, &session.device).request;
        let mut request = serde_json::to_value(request).unwrap();
        let text = request[part].as_str().unwrap();
        // Still base64url without padding.
        request[part] = json!(text[..text.len() / 8 * 4]);
        let refused = world.post(&session, "commitment", &request).await;
        assert_refused(&refused, 403, "commitment-mismatch");
    }

    let (session, _, token) = world.offered(2).await;
    let issuer = HttpsUri::parse(world.origin.as_str()).unwrap();
    for (commitment, proof) in [(47, 416), (48, 0), (0, 416)] {
        let proof = CommitmentProof {
            nonce: world.server_nonce().await,
            iat: server::clock::now(),
            commitment: vec![0xA0; commitment],
            proof: vec![1; proof],
        };
        let proof = proof.sign(&issuer, &session.device);
        let body = CredentialRequest::compose("bauta_certificate", &proof);
        let refused = world.send_credential_request(&token, &body).await;
        assert_refused(&refused, 400, "invalid-proof");
        let body = CredentialRequest::compose("bauta_certificate", &proof[..proof.len() / 2]);
        let refused = world.send_credential_request(&token, &body).await;
        assert_refused(&refused, 400, "malformed-request");
        assert_eq!(refused.body["error"], "invalid_proof");
    }
    assert_eq!((world.count("registration"), world.count("tag")), (0, 0));
}

#[tokio::test]
async fn a_document_that_rests_on_sha_1_is_refused_and_another_one_taken() {
    let world = World::new();
    let session = world.begin().await;
    let refused = world
        .send_document(&session, &world.utopia.weak_passport(1))
        .await;
    assert_refused(&refused, 422, "document-weak");
    let passport = world.utopia.passport(1);
    world.send_document(&session, &passport).await.ok();
}

#[tokio::test]
async fn an_authentic_document_that_cannot_be_certified_is_refused() {
    let world = World::new();
    let session = world.begin().await;
    let holder = SpecimenHolder {
        // Two letters: no state has such a code, and certificates have no form for it.
        nationality: StateCode::from_mrz(*b"UT<").unwrap(),
        ..world.utopia.holder(1)
    };
    let refused = world
        .send_document(&session, &world.utopia.issue(&holder))
        .await;
    assert_refused(&refused, 422, "document-unusable");
    world
        .send_document(&session, &world.utopia.passport(1))
        .await
        .ok();
}

#[tokio::test]
async fn a_document_with_the_numbers_of_two_people_registers_nobody() {
    let world = World::new();
    world.enrol(&world.utopia.passport(1)).await;
    world.enrol(&world.utopia.passport(2)).await;
    let mixed = SpecimenHolder {
        personal_number: world.utopia.holder(2).personal_number,
        ..world.utopia.holder(1)
    };
    let session = world.present(&world.utopia.issue(&mixed)).await;
    let answer = world.decide(&session, Verdict::Confirm).await.ok();
    assert!(answer.get("transaction_code").is_none());
    let status = world.status(&session).await;
    assert_eq!(
        (&status["state"], &status["refusal"]),
        (&json!("refused"), &json!("conflicting-numbers"))
    );
    assert_eq!((world.count("registration"), world.count("tag")), (2, 4));
}

#[tokio::test]
async fn more_enrolments_than_there_is_room_for_are_refused() {
    let world = World::with(Terms {
        sessions_max: 1,
        ..Terms::default()
    });
    let session = world.begin().await;
    let body = serde_json::to_value(enrol::begin(&session.device)).unwrap();
    let refused = world
        .call(Method::POST, "/enrolment", None, Some(&body))
        .await;
    assert_refused(&refused, 503, "too-many-enrolments");
    assert_eq!(world.status(&session).await["state"], "awaiting_evidence");
}

#[tokio::test]
async fn more_nonces_than_there_is_room_for_are_refused_until_the_first_have_ended() {
    let world = World::with(Terms {
        nonces_max: 2,
        ..Terms::default()
    });
    for _ in 0..2 {
        world.ask_nonce().await.ok();
    }
    for _ in 0..2 {
        assert_refused(&world.ask_nonce().await, 503, "too-many-nonces");
    }
    assert_eq!(world.count_sessions("nonce"), 2);
    world.expire("nonce");
    // The sweep of a start looks into the file whatever is due.
    let world = world.restart_operator();
    wait_for("room for another nonce", async || {
        (world.ask_nonce().await.refusal().0 == 200).then_some(())
    })
    .await;
}
