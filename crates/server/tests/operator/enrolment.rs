//! The whole way, and steps that are repeated.

use crate::support::World;
use crate::support::wallet::{Offer, assert_refused};
use mrtd::Format;
use reqwest::Method;
use serde_json::json;
use service::officer::Verdict;

#[tokio::test]
async fn a_person_enrols_once_and_is_restored_the_second_time() {
    let world = World::new();
    let passport = world.utopia.passport(1);

    let session = world.begin().await;
    assert_eq!(world.status(&session).await["state"], "awaiting_evidence");
    world.send_document(&session, &passport).await.ok();
    assert_eq!(world.status(&session).await["state"], "awaiting_officer");
    let code = world.confirm(&session).await;
    let status = world.status(&session).await;
    assert_eq!(status["state"], "confirmed");
    assert_eq!(
        (&status["registered"], &status["generation"]),
        (&json!(false), &json!("1"))
    );
    assert_eq!(status["attributes"]["document_number"], "UT0000001");

    let (person, offer) = world.commit(&session).await;
    assert_eq!(world.status(&session).await["state"], "offered");
    assert_eq!((world.count("registration"), world.count("tag")), (0, 0));
    let received = world.receive(&session, &person, (&offer, &code)).await;
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
    let status = world.status(&session).await;
    assert_eq!(status["state"], "issued");
    assert!(status.get("attributes").is_none());

    // A lost reply: the same request gets the same certificate; another one does not.
    let again = world
        .send_credential_request(&received.token, &received.body)
        .await
        .ok();
    assert_eq!(
        again["credentials"][0]["credential"],
        received.issued.as_str()
    );
    let other = received.body.replacen('{', "{ ", 1);
    let refused = world.send_credential_request(&received.token, &other).await;
    assert_refused(&refused, 400, "already-issued");

    // The same person comes again, with another passport but the same person number.
    let mut holder = world.utopia.holder(1);
    holder.document_number = "UT7777777".to_owned();
    let second = world.present(&world.utopia.issue(&holder)).await;
    let code = world.confirm(&second).await;
    assert_eq!(world.status(&second).await["registered"], json!(true));
    let nonce = world.nonce(&second).await;
    let request = wallet::enrol::register(&world.origin, &nonce, &second.device).request;
    let request = serde_json::to_value(request).unwrap();
    assert_refused(
        &world.post(&second, "commitment", &request).await,
        409,
        "already-registered",
    );
    let (stranger, _) = {
        let other = world.present(&world.utopia.passport(2)).await;
        world.confirm(&other).await;
        world.commit(&other).await
    };
    assert_refused(
        &world.restore(&second, &stranger).await,
        403,
        "commitment-mismatch",
    );
    let restored = world.restore(&second, &person).await.ok();
    assert_eq!(
        restored["web_number"],
        person.web_number().unwrap().to_string()
    );
    assert!(restored.get("entropy").is_none());
    world
        .receive(&second, &person, (&Offer::parse(&restored), &code))
        .await;
    assert_eq!((world.count("registration"), world.count("tag")), (1, 3));
}

#[tokio::test]
async fn a_repeated_step_gets_the_same_answer_and_another_one_is_refused() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let decision = world.decision(&session, Verdict::Confirm).await;
    let signed = decision.sign(&world.officer().key);
    let first = world.send_decision(&session, &signed).await.ok();
    let again = world.send_decision(&session, &signed).await.ok();
    assert_eq!(first, again);
    let other = service::officer::Decision {
        reason: "other".to_owned(),
        ..decision
    };
    let other = other.sign(&world.officer().key);
    assert_refused(
        &world.send_decision(&session, &other).await,
        409,
        "already-decided",
    );

    let nonce = world.nonce(&session).await;
    let request = wallet::enrol::register(&world.origin, &nonce, &session.device).request;
    let request = serde_json::to_value(request).unwrap();
    let first = world.post(&session, "commitment", &request).await.ok();
    let again = world.post(&session, "commitment", &request).await.ok();
    assert_eq!(first, again);
    assert_refused(
        &world.post(&session, "restore", &request).await,
        409,
        "already-committed",
    );
    let nonce = world.nonce(&session).await;
    let other = wallet::enrol::register(&world.origin, &nonce, &session.device).request;
    let other = serde_json::to_value(other).unwrap();
    assert_refused(
        &world.post(&session, "commitment", &other).await,
        409,
        "already-committed",
    );
}

#[tokio::test]
async fn two_sessions_of_one_person_end_in_one_registration() {
    let world = World::new();
    let passport = world.utopia.passport(1);
    let (one, two) = (
        world.present(&passport).await,
        world.present(&passport).await,
    );
    let (code_one, code_two) = (world.confirm(&one).await, world.confirm(&two).await);
    let (person_one, offer_one) = world.commit(&one).await;
    let (person_two, offer_two) = world.commit(&two).await;
    world
        .receive(&one, &person_one, (&offer_one, &code_one))
        .await;
    let redeemed = world.redeem(&offer_two.code, &code_two).await.ok();
    let token = redeemed["access_token"].as_str().unwrap();
    let request = world.certificate_request(&two, &person_two).await;
    let refused = world.send_credential_request(token, &request.body).await;
    assert_refused(&refused, 409, "already-registered");
    let status = world.status(&two).await;
    assert_eq!(
        (&status["state"], &status["refusal"]),
        (&json!("refused"), &json!("already-registered"))
    );
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
}

#[tokio::test]
async fn a_holder_ends_the_registration_alone_and_nobody_else_does() {
    let world = World::new();
    let passport = world.utopia.passport(1);
    let (session, person) = world.enrol(&passport).await;
    let end = |nonce: String, device: &credential::jose::SigningKey| {
        let server = (&world.origin, nonce.as_str());
        let request = wallet::ending::end(&person, server, device, server::clock::now()).unwrap();
        serde_json::to_value(request).unwrap()
    };
    let stranger = credential::jose::SigningKey::generate();
    let by_stranger = end(world.server_nonce().await, &stranger);
    let path = "/registration/end";
    let refused = world
        .call(Method::POST, path, None, Some(&by_stranger))
        .await;
    assert_refused(&refused, 403, "statement-refused");
    let invented = end("AAAAAAAAAAAAAAAAAAAAAA".to_owned(), &session.device);
    let refused = world.call(Method::POST, path, None, Some(&invented)).await;
    assert_refused(&refused, 400, "invalid-nonce");

    let statement = end(world.server_nonce().await, &session.device);
    assert_eq!(
        world
            .call(Method::POST, path, None, Some(&statement))
            .await
            .status,
        204
    );
    let replayed = world.call(Method::POST, path, None, Some(&statement)).await;
    assert_refused(&replayed, 400, "invalid-nonce");

    let second = world.present(&passport).await;
    let answer = world.decide(&second, Verdict::Confirm).await.ok();
    assert!(answer.get("transaction_code").is_none());
    assert_eq!(world.status(&second).await["refusal"], "registration-ended");
}

#[tokio::test]
async fn without_enough_trustees_nothing_is_written_and_the_step_can_be_repeated() {
    let mut world = World::new();
    world.kill_trustee(2);
    // Two of three suffice.
    world.enrol(&world.utopia.passport(1)).await;

    world.kill_trustee(3);
    let session = world.present(&world.utopia.passport(2)).await;
    let decision = world
        .decision(&session, Verdict::Confirm)
        .await
        .sign(&world.officer().key);
    let refused = world.send_decision(&session, &decision).await;
    assert_refused(&refused, 503, "trustees-unavailable");
    assert_eq!(world.status(&session).await["state"], "awaiting_officer");
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));

    // The one that is left dies, too, and all come back: the first gives its answer again.
    world.kill_trustee(1);
    for index in 1..=3 {
        world.revive_trustee(index);
    }
    let answer = world.send_decision(&session, &decision).await.ok();
    let code = answer["transaction_code"].as_str().unwrap();
    let (person, offer) = world.commit(&session).await;
    world.receive(&session, &person, (&offer, code)).await;
    assert_eq!((world.count("registration"), world.count("tag")), (2, 4));

    // Whichever two answer, the tags are the same.
    world.kill_trustee(1);
    let again = world.present(&world.utopia.passport(1)).await;
    world.confirm(&again).await;
    assert_eq!(world.status(&again).await["registered"], json!(true));
}

#[tokio::test]
async fn a_card_registers_and_the_passport_of_the_same_person_finds_it() {
    let world = World::new();
    let mut card = world.utopia.holder(1);
    card.format = Format::Td1;
    card.document_number = "UT1234567890".to_owned(); // longer than its field
    let session = world.present(&world.utopia.issue(&card)).await;
    let code = world.confirm(&session).await;
    let attributes = &world.status(&session).await["attributes"];
    assert_eq!(attributes["document_class"], "I");
    assert_eq!(attributes["document_number"], "UT1234567890");
    let (person, offer) = world.commit(&session).await;
    world.receive(&session, &person, (&offer, &code)).await;
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
    let passport = world.present(&world.utopia.passport(1)).await;
    world.confirm(&passport).await;
    assert_eq!(world.status(&passport).await["registered"], json!(true));
}
