//! Documents and sessions that are refused.

use mrtd::specimen::SpecimenPassport;
use reqwest::Method;
use serde_json::json;

use crate::support::World;
use crate::support::specimen::Utopia;
use crate::support::wallet::{assert_refused, document};

/// The version of a session whose holder has agreed.
const AGREED: Option<u32> = Some(2);

#[tokio::test]
async fn documents_that_are_not_authentic_are_refused_and_another_can_be_sent() {
    let world = World::new();
    let session = world.begin().await;
    let (good, other) = (world.utopia.passport(1), world.utopia.passport(2));
    let changed = |change: &dyn Fn(&mut SpecimenPassport)| {
        let mut passport = good.clone();
        change(&mut passport);
        passport
    };
    let cases = [
        ("another state's signature", Utopia::pretend().passport(1)),
        (
            "a byte of the machine-readable zone",
            changed(&|p| p.dg1[20] ^= 1),
        ),
        (
            "somebody else's zone",
            changed(&|p| p.dg1 = other.dg1.clone()),
        ),
        (
            "somebody else's portrait",
            changed(&|p| p.dg2 = other.dg2.clone()),
        ),
        (
            "a byte of the signature",
            changed(&|p| *p.sod.last_mut().unwrap() ^= 1),
        ),
        (
            "a truncated security object",
            changed(&|p| p.sod.truncate(100)),
        ),
        ("an empty security object", changed(&|p| p.sod.clear())),
        ("no portrait", changed(&|p| p.dg2.clear())),
    ];
    for (what, passport) in cases {
        let reply = world.send_document(&session, &passport).await;
        assert_eq!(reply.refusal(), (422, "document-not-authentic"), "{what}");
    }
    let expired = world.utopia.expired_passport(1);
    assert_refused(
        &world.send_document(&session, &expired).await,
        422,
        "document-expired",
    );
    world.send_document(&session, &good).await.ok();
    assert_refused(
        &world.send_document(&session, &good).await,
        409,
        "wrong-step",
    );
}

#[tokio::test]
async fn malformed_oversized_and_unauthorized_requests_are_refused() {
    let world = World::new();
    let (session, other) = (world.begin().await, world.begin().await);
    let path = format!("/enrolment/{}/document", session.id);
    let good = document(&world.utopia.passport(1));

    for token in [other.token.as_str(), "", "x"] {
        let reply = world
            .call_at(AGREED, Method::PUT, &path, (Some(token), Some(&good)))
            .await;
        assert!(
            matches!(reply.refusal(), (404, "unknown-session") | (401, _)),
            "{}",
            reply.body
        );
    }
    let reply = world
        .call_at(AGREED, Method::PUT, &path, (None, Some(&good)))
        .await;
    assert_refused(&reply, 401, "missing-authorization");
    let unknown = "/enrolment/AAAAAAAAAAAAAAAAAAAAAA";
    let reply = world
        .call(Method::GET, unknown, Some(&session.token), None)
        .await;
    assert_refused(&reply, 404, "unknown-session");
    let reply = world
        .call(Method::GET, "/enrolment/x", Some(&session.token), None)
        .await;
    assert_refused(&reply, 404, "not-found");
    assert_refused(
        &world.call(Method::GET, "/", None, None).await,
        404,
        "not-found",
    );
    let reply = world.call(Method::DELETE, "/enrolment", None, None).await;
    assert_refused(&reply, 405, "method-not-allowed");
}

#[tokio::test]
async fn bodies_of_another_form_are_refused() {
    let world = World::new();
    let session = world.begin().await;
    let path = format!("/enrolment/{}/document", session.id);
    let good = document(&world.utopia.passport(1));

    let mut more = good.clone();
    more["officer"] = json!("confirmed");
    let mut padded = good.clone();
    padded["sod"] = json!("AA==");
    let mut fewer = good.clone();
    fewer.as_object_mut().unwrap().remove("dg1");
    for body in [more, padded, fewer, json!([]), json!(null)] {
        let reply = world
            .call_at(
                AGREED,
                Method::PUT,
                &path,
                (Some(&session.token), Some(&body)),
            )
            .await;
        assert_refused(&reply, 400, "malformed-request");
    }
    let huge = json!({ "dg1": "A".repeat(2_000_000), "dg2": "", "sod": "" });
    let reply = world
        .call_at(
            AGREED,
            Method::PUT,
            &path,
            (Some(&session.token), Some(&huge)),
        )
        .await;
    assert_refused(&reply, 413, "body-too-large");
    let huge = json!({ "device_key": "A".repeat(100_000) });
    let reply = world
        .call(Method::POST, "/enrolment", None, Some(&huge))
        .await;
    assert_refused(&reply, 413, "body-too-large");
    for key in [
        json!({}),
        json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
    ] {
        let body = json!({ "device_key": key });
        let reply = world
            .call(Method::POST, "/enrolment", None, Some(&body))
            .await;
        assert_refused(&reply, 400, "malformed-request");
    }
    let text = world
        .client
        .requests()
        .put(world.url(&path))
        .header("if-match", "\"2\"")
        .bearer_auth(&session.token);
    let answer = world
        .client
        .send(text.body(good.to_string()))
        .await
        .unwrap();
    assert_eq!(answer.status.as_u16(), 415);
}

#[tokio::test]
async fn steps_out_of_order_are_refused_and_change_nothing() {
    let world = World::new();
    let session = world.begin().await;
    let nonce = world.nonce(&session).await;
    let request = wallet::enrol::register(&world.origin, &nonce, &session.device).request;
    let request = serde_json::to_value(request).unwrap();
    for step in ["commitment", "restore"] {
        assert_refused(
            &world.post(&session, step, &request).await,
            409,
            "wrong-step",
        );
    }
    world
        .send_document(&session, &world.utopia.passport(1))
        .await
        .ok();
    for step in ["commitment", "restore"] {
        assert_refused(
            &world.post(&session, step, &request).await,
            409,
            "wrong-step",
        );
    }
    assert_eq!(world.status(&session).await["state"], "awaiting_officer");
    world.confirm(&session).await;
    assert_refused(
        &world.post(&session, "restore", &request).await,
        409,
        "not-registered",
    );
    assert_eq!(world.status(&session).await["state"], "confirmed");
}

#[tokio::test]
async fn commitments_are_bound_to_nonce_device_purpose_and_issuer() {
    let world = World::new();
    let session = world.present(&world.utopia.passport(1)).await;
    world.confirm(&session).await;
    let other_origin = credential::origin::Origin::parse("https://other.localhost").unwrap();
    let other_device = credential::jose::SigningKey::generate();
    let old_nonce = world.nonce(&session).await;
    for case in 0..4 {
        let nonce = world.nonce(&session).await;
        let draft = match case {
            0 => wallet::enrol::register(&other_origin, &nonce, &session.device),
            1 => wallet::enrol::register(&world.origin, &nonce, &other_device),
            // The nonce of the first case was used up by it.
            2 => wallet::enrol::register(&world.origin, &old_nonce, &session.device),
            _ => wallet::enrol::register(&world.origin, &nonce, &session.device),
        };
        let mut request = serde_json::to_value(draft.request).unwrap();
        if case == 3 {
            let proof = request["proof"].as_str().unwrap();
            let other = if proof.starts_with('B') { "A" } else { "B" };
            request["proof"] = json!(format!("{other}{}", &proof[1..]));
        }
        let reply = world.post(&session, "commitment", &request).await;
        assert_eq!(reply.refusal(), (403, "commitment-mismatch"), "case {case}");
    }
    world.commit(&session).await;
}
