//! Whole log-ins, and the refusals, with their identifiers, on the wire.

use crate::person::Request;
use crate::process::{
    BACK, Browser, ISSUER, Process, Setting, VERIFIER, location, page_text, parameter, query,
    refusal, refused, request, state, token_form, waiting, wallet_link,
};
use credential::jose::SigningKey;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// Makes a request another one.
type Change = fn(&mut Request);

#[tokio::test]
async fn a_person_logs_in_by_qr_code_and_again_after_a_crash() {
    let mut at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let mut subjects = Vec::new();
    for first in [true, false] {
        let code = Browser::default()
            .log_in(&at, |request| match first {
                true => person.sign_up(&device, request),
                false => person.sign_in(&device, request),
            })
            .await;
        let tokens: Value = at.redeem(&code).await.json().unwrap();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let get = at
            .client
            .requests()
            .get(at.url("/userinfo"))
            .header("authorization", bearer);
        let userinfo: Value = at.send(get).await.json().unwrap();
        subjects.push(userinfo["sub"].clone());
        at.restart();
    }
    assert_eq!(subjects[0], subjects[1]);
}

#[tokio::test]
async fn the_page_is_strict_plain_and_shows_link_code_and_command() {
    let at = Process::start().await;
    let mut browser = Browser::default();
    let page = browser.begin(&at).await;
    let answer = browser.get(&at, &page).await;
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self';"));
    assert_eq!(answer.headers["cache-control"], "no-store");
    let html = page_text(&answer);
    assert!(html.contains(r#"<meta http-equiv="refresh" content="2">"#));
    assert!(html.contains(r#"<html lang="en">"#) && !html.contains("<script"));
    assert!(html.contains("<svg ") && html.contains("bauta wallet sign-in"));
    assert_ne!(
        wallet_link(&html, "wallet-link"),
        wallet_link(&html, "wallet-command")
    );
    let style = at.get("/style.css").await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn a_link_leads_back_into_the_browser_that_began_and_into_no_other() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (mut browser, page, _) = waiting(&at).await;
    let html = page_text(&browser.get(&at, &page).await);
    let request = request(&at, &html, "wallet-link").await;
    let taken = at
        .post(&request.response_uri, &person.sign_up(&device, &request))
        .await;
    let taken: Value = taken.json().unwrap();
    let back = taken["redirect_uri"].as_str().unwrap();
    assert_eq!(state(&browser.get(&at, &page).await), "approved");
    let stranger = Browser::default().get(&at, back).await;
    assert_eq!(
        (stranger.status.as_u16(), state(&stranger).as_str()),
        (403, "other-browser")
    );
    let wrong = browser
        .get(&at, &format!("{page}/return?response_code=x"))
        .await;
    assert_eq!(
        (wrong.status.as_u16(), state(&wrong).as_str()),
        (403, "response-code-wrong")
    );
    let done = location(&browser.get(&at, back).await);
    assert!(done.starts_with(&format!("{BACK}?code=")));
    assert_eq!(parameter(&done, "state"), "the state");
    assert_eq!(parameter(&done, "iss"), ISSUER);
    assert_eq!(state(&browser.get(&at, back).await), "finished");
}

#[tokio::test]
async fn a_refusal_is_shown_and_told_to_the_client() {
    let at = Process::start().await;
    let (mut browser, page, request) = waiting(&at).await;
    let taken = at.post(&request.response_uri, &request.refusal()).await;
    assert_eq!(taken.body, b"{}");
    let answer = browser.get(&at, &page).await;
    assert_eq!(state(&answer), "refused");
    assert!(page_text(&answer).contains("error=access_denied"));
}

#[tokio::test]
async fn a_replayed_answer_is_refused() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (_, _, request) = waiting(&at).await;
    let body = person.sign_up(&device, &request);
    assert_eq!(
        at.post(&request.response_uri, &body).await.status,
        StatusCode::OK
    );
    let again = at.post(&request.response_uri, &body).await;
    assert_eq!(refusal(&again), refused(400, "response-replayed"));
}

#[tokio::test]
async fn an_answer_to_another_request_or_key_is_refused() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (_, _, request) = waiting(&at).await;
    let (_, _, other) = waiting(&at).await;
    let changes: [(Change, &str); 4] = [
        (|request| request.nonce.push('x'), "wrong-request"),
        (|request| request.client_id.push('x'), "wrong-request"),
        (|request| request.response_uri.push('x'), "wrong-request"),
        (|request| request.state.push('x'), "wrong-state"),
    ];
    for (change, id) in changes {
        let mut wrong = request.clone();
        change(&mut wrong);
        let answer = at
            .post(&request.response_uri, &person.sign_up(&device, &wrong))
            .await;
        assert_eq!(refusal(&answer), refused(400, id));
    }
    let answer = at
        .post(&request.response_uri, &person.sign_up(&device, &other))
        .await;
    assert_eq!(refusal(&answer), refused(400, "response-undecryptable"));
    let answer = at
        .post(&request.response_uri, &person.sign_in(&device, &request))
        .await;
    assert_eq!(refusal(&answer), refused(400, "account-unknown"));
    let answer = at
        .post(&request.response_uri, &person.sign_up(&device, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_device_is_refused_until_its_certificate_brings_it() {
    let at = Process::start().await;
    let (person, old, new) = (
        at.operator.enrol(at.now),
        SigningKey::generate(),
        SigningKey::generate(),
    );
    Browser::default()
        .log_in(&at, |request| person.sign_up(&old, request))
        .await;
    let (_, _, request) = waiting(&at).await;
    let answer = at
        .post(&request.response_uri, &person.sign_in(&new, &request))
        .await;
    assert_eq!(refusal(&answer), refused(400, "device-unknown"));
    let answer = at
        .post(&request.response_uri, &person.sign_up(&new, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn truncated_oversized_and_foreign_bodies_are_refused() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (_, _, request) = waiting(&at).await;
    let good = person.sign_up(&device, &request);
    let oversized = format!("{good}{}", "A".repeat(70_000));
    let to = request.response_uri.as_str();
    assert_eq!(
        refusal(&at.post(to, &good[..good.len() / 2]).await),
        refused(400, "response-malformed")
    );
    assert_eq!(
        refusal(&at.post(to, "").await),
        refused(400, "response-malformed")
    );
    assert_eq!(
        refusal(&at.post(to, &oversized).await),
        refused(413, "body-too-large")
    );
    let json = at
        .client
        .requests()
        .post(at.url(to))
        .json(&json!({ "response": "x" }));
    assert_eq!(
        refusal(&at.send(json).await),
        refused(415, "unsupported-media-type")
    );
    for address in [
        "/wallet/x/qr/request",
        "/wallet/AAAAAAAAAAAAAAAAAAAAAA/qr/request",
    ] {
        assert_eq!(
            refusal(&at.get(address).await),
            refused(400, "request-unknown")
        );
    }
    assert_eq!(at.post(to, &good).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_expired_request_is_refused_everywhere() {
    let at = Process::start_with(Setting {
        gateway: "login_ttl_secs = 0",
        ..Setting::default()
    })
    .await;
    let mut browser = Browser::default();
    let page = browser.begin(&at).await;
    assert_eq!(state(&browser.get(&at, &page).await), "expired");
    let wallet = page.replace("/login/", "/wallet/");
    let fetched = at.get(&format!("{wallet}/qr/request")).await;
    assert_eq!(refusal(&fetched), refused(400, "request-expired"));
    let posted = at
        .post(&format!("{wallet}/qr/response"), "response=x")
        .await;
    assert_eq!(refusal(&posted), refused(400, "request-expired"));
}

#[tokio::test]
async fn of_racing_redemptions_of_one_code_one_succeeds() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let code = Browser::default()
        .log_in(&at, |request| person.sign_up(&device, request))
        .await;
    let tries = [0, 1, 2, 3].map(|_| {
        let (client, post) = (
            at.client.clone(),
            at.form("/token", &token_form(&code, VERIFIER)),
        );
        tokio::spawn(async move { client.send(post).await.unwrap() })
    });
    let mut answers = Vec::new();
    for one in tries {
        let answer = one.await.unwrap();
        if answer.status != StatusCode::OK {
            assert_eq!(refusal(&answer), refused(400, "invalid-grant"));
        }
        answers.push(answer.status);
    }
    assert_eq!(
        answers
            .iter()
            .filter(|status| **status == StatusCode::OK)
            .count(),
        1
    );
}

#[tokio::test]
async fn a_code_with_wrong_parameters_is_refused() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let code = Browser::default()
        .log_in(&at, |request| person.sign_up(&device, request))
        .await;
    let good = token_form(&code, VERIFIER);
    let other_verifier = token_form(&code, &"x".repeat(43));
    for (form, status, id) in [
        (other_verifier, 400, "invalid-grant"),
        (
            good.replace("forum.localhost%2Fback", "forum.localhost%2Fother"),
            400,
            "invalid-grant",
        ),
        (
            good.replace("forum+secret", "another"),
            401,
            "invalid-client",
        ),
        (
            good.replace("authorization_code", "password"),
            400,
            "unsupported-grant-type",
        ),
        (format!("{good}&code=x"), 400, "malformed-request"),
    ] {
        assert_eq!(
            refusal(&at.post("/token", &form).await),
            refused(status, id),
            "{form}"
        );
    }
    assert_eq!(at.post("/token", &good).await.status, StatusCode::OK);
    let bad = at
        .client
        .requests()
        .get(at.url("/userinfo"))
        .header("authorization", "Bearer x");
    assert_eq!(refusal(&at.send(bad).await), refused(401, "token-invalid"));
    assert_eq!(
        refusal(&at.get("/userinfo").await),
        refused(401, "token-missing")
    );
}

#[tokio::test]
async fn a_request_with_a_foreign_return_address_stays_here() {
    let at = Process::start().await;
    let mut browser = Browser::default();
    for (query, id) in [
        (
            query().replace("forum.localhost%2Fback", "evil.localhost"),
            "redirect-uri-unknown",
        ),
        (
            query().replace("client_id=forum", "client_id=x"),
            "client-unknown",
        ),
        (format!("{}&state=twice", query()), "malformed-request"),
    ] {
        let answer = browser.get(&at, &format!("/authorize?{query}")).await;
        assert_eq!((answer.status.as_u16(), state(&answer).as_str()), (400, id));
    }
    let told = browser
        .get(&at, &format!("/authorize?{}&prompt=none", query()))
        .await;
    assert_eq!(parameter(&location(&told), "error"), "login_required");
}

#[tokio::test]
async fn a_person_sees_and_removes_a_device_and_logs_out() {
    let at = Process::start().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let mut browser = Browser::default();
    browser
        .log_in(&at, |request| person.sign_up(&device, request))
        .await;
    let html = page_text(&browser.get(&at, "/devices").await);
    let (_, rest) = html.split_once("name=\"device\" value=\"").unwrap();
    let form = format!("device={}", rest.split('"').next().unwrap());
    let foreign = at.post("/devices/remove", &form).await;
    assert_eq!(
        (foreign.status.as_u16(), state(&foreign).as_str()),
        (403, "foreign-form")
    );
    assert_eq!(
        location(&browser.post(&at, "/devices/remove", &form).await),
        "/devices"
    );
    let html = page_text(&browser.get(&at, "/devices").await);
    assert!(html.contains("no-devices"));
    let (_, _, request) = waiting(&at).await;
    let answer = at
        .post(&request.response_uri, &person.sign_in(&device, &request))
        .await;
    assert_eq!(refusal(&answer), refused(400, "device-unknown"));
    assert_eq!(state(&browser.get(&at, "/logout").await), "ask-log-out");
    assert_eq!(
        state(&browser.post(&at, "/logout/confirm", "query=").await),
        "logged-out"
    );
    assert!(location(&browser.get(&at, "/devices").await).starts_with("/login/"));
}

#[tokio::test]
async fn the_metadata_and_the_keys_are_published() {
    let at = Process::start().await;
    let metadata: Value = at
        .get("/.well-known/openid-configuration")
        .await
        .json()
        .unwrap();
    assert_eq!(metadata["issuer"], ISSUER);
    let jwks: Value = at
        .get(metadata["jwks_uri"].as_str().unwrap())
        .await
        .json()
        .unwrap();
    let kinds: Vec<&str> = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kty"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["EC", "RSA"]);
    let nothing = at.get("/nothing").await;
    assert_eq!(
        (nothing.status.as_u16(), state(&nothing).as_str()),
        (404, "not-found")
    );
}
