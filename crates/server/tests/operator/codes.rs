//! Codes, tokens, nonces and credential requests.

use credential::jose::SigningKey;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{
    AuthorizationServerMetadata, CommitmentProof, CredentialRequest, IssuerMetadata,
};
use reqwest::Method;
use serde_json::json;

use crate::support::wallet::{Reply, assert_refused};
use crate::support::{Terms, World, wait_for};

/// Another code than this one.
fn wrong(code: &str) -> &'static str {
    if code == "000000" { "000001" } else { "000000" }
}

#[tokio::test]
async fn three_wrong_transaction_codes_end_the_code() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let (_, offer) = world.commit(&session).await;
    for id in [
        "wrong-transaction-code",
        "wrong-transaction-code",
        "code-ended",
    ] {
        let refused = world.redeem(&offer.code, wrong(&code)).await;
        assert_refused(&refused, 400, id);
        assert_eq!(refused.body["error"], "invalid_grant");
    }
    assert_refused(&world.redeem(&offer.code, &code).await, 400, "invalid-code");
}

#[tokio::test]
async fn of_two_racing_redemptions_one_gets_a_token() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let (person, offer) = world.commit(&session).await;
    let attempts = tokio::join!(
        world.redeem(&offer.code, &code),
        world.redeem(&offer.code, &code),
        world.redeem(&offer.code, &code),
    );
    let (won, lost): (Vec<Reply>, Vec<Reply>) = [attempts.0, attempts.1, attempts.2]
        .into_iter()
        .partition(|reply| reply.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 2));
    for reply in &lost {
        assert_refused(reply, 400, "invalid-code");
    }
    let token = won[0].body["access_token"].as_str().unwrap();
    let request = world.certificate_request(&session, &person).await;
    // Whichever is the first, the other gets its answer.
    let (one, two) = tokio::join!(
        world.send_credential_request(token, &request.body),
        world.send_credential_request(token, &request.body),
    );
    assert_eq!(one.ok(), two.ok());
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
}

#[tokio::test]
async fn a_code_and_a_session_end_together() {
    let world = World::with(Terms {
        session_secs: 12,
        ..Terms::default()
    });
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let (_, offer) = world.commit(&session).await;
    let path = format!("/enrolment/{}", session.id);
    let expired = wait_for("the session to expire", async || {
        let reply = world
            .call(Method::GET, &path, Some(&session.token), None)
            .await;
        (reply.status != 200).then_some(reply)
    });
    assert_refused(&expired.await, 404, "unknown-session");
    assert_refused(&world.redeem(&offer.code, &code).await, 400, "invalid-code");
    let list = world
        .call_as(&world.officer(), (Method::GET, "/officer/enrolments"), None)
        .await;
    assert_eq!(list.ok(), json!({ "sessions": [] }));
}

#[tokio::test]
async fn token_requests_of_another_form_are_refused_with_their_code() {
    let world = World::new();
    let grant = "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code";
    let cases = [
        ("", "invalid_request"),
        (grant, "invalid_request"),
        (
            "grant_type=authorization_code&code=x",
            "unsupported_grant_type",
        ),
        (&format!("{grant}&pre-authorized_code=x"), "invalid_grant"),
        (
            &format!(
                "{grant}&pre-authorized_code=x&tx_code={}",
                "1".repeat(70_000)
            ),
            "invalid_request",
        ),
    ];
    for (body, code) in cases {
        let request = world
            .client
            .requests()
            .post(world.url("/token"))
            .body(body.to_owned());
        let reply = Reply::of(world.client.send(request).await.unwrap());
        assert_eq!(
            (reply.status, &reply.body["error"]),
            (400, &json!(code)),
            "{}",
            reply.body
        );
    }
}

#[tokio::test]
async fn a_credential_request_needs_its_token_nonce_device_audience_and_content() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let (person, offer) = world.commit(&session).await;
    let token = world.redeem(&offer.code, &code).await.ok();
    let token = token["access_token"].as_str().unwrap();
    let issuer = HttpsUri::parse(world.origin.as_str()).unwrap();

    let request = world.certificate_request(&session, &person).await;
    for wrong in ["", "x", session.token.as_str(), offer.code.as_str()] {
        let refused = world.send_credential_request(wrong, &request.body).await;
        assert_refused(&refused, 401, "invalid-token");
        assert_eq!(refused.raw.headers["www-authenticate"], "Bearer");
    }
    let proof = CommitmentProof {
        nonce: world.server_nonce().await,
        iat: server::clock::now(),
        commitment: vec![0; 48],
        proof: vec![0; 416],
    };
    let other_issuer = HttpsUri::parse("https://other.localhost").unwrap();
    let compose = |proof: &str| CredentialRequest::compose("bauta_certificate", proof);
    let other_audience = compose(&proof.sign(&other_issuer, &session.device));
    let refused = world.send_credential_request(token, &other_audience).await;
    assert_refused(&refused, 400, "invalid-proof");
    let other_device = compose(&proof.sign(&issuer, &SigningKey::generate()));
    let refused = world.send_credential_request(token, &other_device).await;
    assert_refused(&refused, 400, "invalid-proof");
    // That used the nonce up.
    let refused = world.send_credential_request(token, &other_device).await;
    assert_refused(&refused, 400, "invalid-nonce");
    let proof = CommitmentProof {
        nonce: world.server_nonce().await,
        ..proof
    };
    let empty = compose(&proof.sign(&issuer, &session.device));
    let refused = world.send_credential_request(token, &empty).await;
    assert_refused(&refused, 400, "invalid-proof");
    let session_nonce = CommitmentProof {
        nonce: world.nonce(&session).await,
        ..proof
    };
    let session_nonce = compose(&session_nonce.sign(&issuer, &session.device));
    let refused = world.send_credential_request(token, &session_nonce).await;
    assert_refused(&refused, 400, "invalid-nonce");
    for body in ["", "{}", "[]", &"x".repeat(70_000)] {
        let refused = world.send_credential_request(token, body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body["error"].is_string());
    }
    assert_eq!((world.count("registration"), world.count("tag")), (0, 0));

    // Nothing of it hurt: the right request is served, and a second person's token is not.
    world
        .send_credential_request(token, &request.body)
        .await
        .ok();
    assert_eq!((world.count("registration"), world.count("tag")), (1, 2));
}

#[tokio::test]
async fn attributes_other_than_those_of_the_document_are_not_certified() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    let code = world.confirm(&session).await;
    let (person, offer) = world.commit(&session).await;
    let token = world.redeem(&offer.code, &code).await.ok();
    let token = token["access_token"].as_str().unwrap();
    let status = world.status(&session).await;
    let issuer = HttpsUri::parse(world.origin.as_str()).unwrap();
    for (name, value) in [
        ("family_name", "OTHER"),
        ("birthdate", "1950-01-01"),
        ("sex", "X"),
    ] {
        let mut attributes = status["attributes"].clone();
        assert_ne!(attributes[name], value);
        attributes[name] = json!(value);
        let attributes = serde_json::from_value(attributes).unwrap();
        let nonce = world.server_nonce().await;
        let server = (&world.origin, &issuer, nonce.as_str());
        let now = server::clock::now();
        let identity = (&attributes, "1");
        let device = (&session.device, None);
        let request = wallet::enrol::request_certificate(&person, identity, server, device, now);
        let body = request.ok().unwrap().body;
        let refused = world.send_credential_request(token, &body).await;
        assert_refused(&refused, 400, "invalid-proof");
    }
    assert_eq!(world.count("registration"), 0);
}

#[tokio::test]
async fn the_metadata_names_the_issuer_and_its_endpoints() {
    let world = World::new();
    let issuer = HttpsUri::parse(world.origin.as_str()).unwrap();
    let path = "/.well-known/openid-credential-issuer";
    let reply = world.call(Method::GET, path, None, None).await;
    let metadata = IssuerMetadata::parse(&reply.raw.body, &issuer).unwrap();
    assert_eq!(
        metadata.credential_endpoint.as_str(),
        world.url("/credential")
    );
    assert_eq!(
        metadata.nonce_endpoint.unwrap().as_str(),
        world.url("/nonce")
    );
    let path = "/.well-known/oauth-authorization-server";
    let reply = world.call(Method::GET, path, None, None).await;
    let metadata = AuthorizationServerMetadata::parse(&reply.raw.body, &issuer).unwrap();
    assert_eq!(metadata.token_endpoint.as_str(), world.url("/token"));
    let now = server::clock::now().epoch();
    assert!(world.manifest().await.keys().covers(now));
}
