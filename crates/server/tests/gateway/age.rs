//! The proof of an age on the wire: what is refused, with its identifier, and what clients are told.

use crate::person::{Person, Request};
use crate::process::{
    Browser, Process, Setting, location, page_text, refusal, refused, request, state, waiting,
};
use credential::age::{AgeAsked, Years};
use credential::jose::SigningKey;
use credential::presentation::Wanted;
use credential::time::Day;
use serde_json::{Value, json};

fn proving(person: &Person, device: &SigningKey, request: &Request) -> String {
    person.prove_age(device, request, request.age().expect("an age is asked for"))
}

async fn asking_for_18() -> Process {
    Process::start_with(Setting {
        age_over: Some(18),
        ..Setting::default()
    })
    .await
}

/// Status and identifier of what the gateway says to an answer to a new log-in.
async fn said(at: &Process, answer: impl Fn(&Request) -> String) -> (u16, String) {
    let (_, _, request) = waiting(at).await;
    refusal(&at.post(&request.response_uri, &answer(&request)).await)
}

#[tokio::test]
async fn an_age_that_was_proved_once_is_told_at_every_log_in() {
    let at = asking_for_18().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    for first in [true, false, false] {
        let code = Browser::default()
            .log_in(&at, |request| match first {
                true => proving(&person, &device, request),
                false => person.sign_in(&device, request),
            })
            .await;
        let tokens: Value = at.redeem(&code).await.json().unwrap();
        let token = tokens["id_token"]
            .as_str()
            .unwrap()
            .split('.')
            .nth(1)
            .unwrap();
        let claims = credential::jose::decode(token).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["age_over_18"], json!(true), "{claims}");
        let get = at.client.requests().get(at.url("/userinfo"));
        let bearer = tokens["access_token"].as_str().unwrap();
        let userinfo: Value = at.send(get.bearer_auth(bearer)).await.json().unwrap();
        assert_eq!(userinfo["age_over_18"], json!(true), "{userinfo}");
        assert!(userinfo.get("birthdate").is_none());
    }
    let metadata = at.get("/.well-known/openid-configuration").await;
    let metadata: Value = metadata.json().unwrap();
    let claims = metadata["claims_supported"].as_array().unwrap();
    assert!(claims.contains(&json!("age_over_18")), "{metadata}");
}

#[tokio::test]
async fn other_proofs_than_the_one_asked_for_are_refused() {
    let at = asking_for_18().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let invalid = refused(400, "presentation-invalid");
    let wrong_years = said(&at, |r| {
        let years = Years::try_from(17).unwrap();
        person.prove_age(
            &device,
            r,
            AgeAsked {
                years,
                ..r.age().unwrap()
            },
        )
    });
    assert_eq!(wrong_years.await, invalid);
    let wrong_day = said(&at, |r| {
        let age = r.age().unwrap();
        let on = Day(age.on.0 + 1);
        person.prove_age(&device, r, AgeAsked { on, ..age })
    });
    assert_eq!(wrong_day.await, invalid);
    let showing = |r: &Request, age| {
        let items = &r.items();
        person.showing(&device, r, &Wanted { items, age })
    };
    let missing = said(&at, |r| r.form("certificate_with_age", &showing(r, None)));
    assert_eq!(missing.await, refused(400, "wrong-age"));
    let unasked = said(&at, |r| r.form("certificate", &showing(r, r.age())));
    assert_eq!(unasked.await, refused(400, "wrong-age"));
    let without = said(&at, |r| person.sign_up(&device, r));
    assert_eq!(without.await, refused(400, "age-required"));

    let (_, _, other) = waiting(&at).await;
    let of_other = showing(&other, other.age());
    let replayed = said(&at, |r| r.form("certificate_with_age", &of_other));
    assert_eq!(replayed.await, refused(400, "wrong-request"));
    let tampered = said(&at, |r| {
        let shown = showing(r, r.age());
        let (head, signature) = shown.rsplit_once('~').unwrap();
        let (head, proof) = head.rsplit_once('~').unwrap();
        let middle = proof.len() / 2;
        let other = if &proof[middle..=middle] == "A" {
            "B"
        } else {
            "A"
        };
        let proof = format!("{}{other}{}", &proof[..middle], &proof[middle + 1..]);
        r.form(
            "certificate_with_age",
            &format!("{head}~{proof}~{signature}"),
        )
    });
    assert_eq!(tampered.await, invalid);
}

#[tokio::test]
async fn a_log_in_that_began_under_another_age_opens_nothing_without_the_new_one() {
    let mut at = asking_for_18().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (mut browser, page, answered) = waiting(&at).await;
    let (_, _, open) = waiting(&at).await;
    let body = proving(&person, &device, &answered);
    let taken = at.post(&answered.response_uri, &body).await;
    assert_eq!(taken.status.as_u16(), 200);

    at.register_anew(21);
    // One that a wallet had answered, and one that it had not.
    let shown = browser.get(&at, &page).await;
    assert_eq!(state(&shown), "expired");
    for body in [
        proving(&person, &device, &open),
        person.sign_in(&device, &open),
        person.sign_up(&device, &open),
        proving(&at.operator.enrol(at.now), &SigningKey::generate(), &open),
    ] {
        let said = at.post(&open.response_uri, &body).await;
        assert_eq!(refusal(&said), refused(400, "age-required"));
    }
    let code = Browser::default()
        .log_in(&at, |request| proving(&person, &device, request))
        .await;
    assert_eq!(at.redeem(&code).await.status.as_u16(), 200);
}

#[tokio::test]
async fn the_page_of_devices_makes_no_account_without_the_age() {
    let at = asking_for_18().await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let mut browser = Browser::default();
    let page = location(&browser.get(&at, "/devices").await);
    let html = page_text(&browser.get(&at, &page).await);
    let request = request(&at, &html, "wallet-command").await;
    let body = person.sign_up(&device, &request);
    let said = at.post(&request.response_uri, &body).await;
    assert_eq!(refusal(&said), refused(400, "age-required"));
    let body = person.sign_in(&device, &request);
    let said = at.post(&request.response_uri, &body).await;
    assert_eq!(refusal(&said), refused(400, "account-unknown"));
}
