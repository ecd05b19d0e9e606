//! Ages: asked once an account, proved exactly as asked, told to clients that want to know.

use crate::person::{Person, Request};
use crate::site::{Browser, Fixture, NOW, Setting, fixture, fixture_with};
use credential::age::{AgeAsked, Years};
use credential::jose::SigningKey;
use credential::presentation::Wanted;
use credential::time::Day;
use gateway::authentication::Transport;
use gateway::begin::Begun;
use gateway::devices::Devices;
use gateway::page::LoginPage;
use gateway::wallet_response::RespondError;
use serde_json::Value;

fn asking(years: u8) -> Setting {
    Setting {
        age_over: Some(years),
        ..Setting::default()
    }
}

fn proving(person: &Person, device: &SigningKey, request: &Request) -> String {
    person.prove_age(device, request, request.age().expect("an age is asked for"))
}

/// What the gateway says to an answer to a new log-in.
async fn respond(at: &Fixture, answer: impl Fn(&Request) -> String) -> Option<RespondError> {
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let body = answer(&request);
    let said = at.gateway.respond(id, Transport::Qr, &body, NOW);
    said.await.err()
}

/// The claims of ID token and userinfo about an age; both say the same.
async fn told(at: &Fixture, mut browser: Browser, answer: impl Fn(&Request) -> String) -> Value {
    let code = at.code(&mut browser, answer).await;
    let tokens = at.redeem(&browser, &code).await;
    let token = tokens.id_token.as_ref().unwrap();
    let token = at.gateway.jwks().verify(token).unwrap();
    let bearer = tokens.access_token.expose();
    let userinfo = at.gateway.userinfo(bearer, NOW).await.unwrap();
    let ages = |claims: Value| {
        let mut claims = claims.as_object().unwrap().clone();
        claims.retain(|name, _| name.starts_with("age"));
        Value::Object(claims)
    };
    let userinfo = ages(Value::Object(userinfo));
    assert_eq!(ages(serde_json::to_value(&token.others).unwrap()), userinfo);
    userinfo
}

#[tokio::test]
async fn an_age_is_proved_at_the_sign_up_and_told_at_every_log_in() {
    let at = fixture_with(asking(18)).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let over_18 = serde_json::json!({"age_over_18": true});
    let first = told(&at, Browser::for_age(), |r| proving(&person, &device, r)).await;
    assert_eq!(first, over_18);
    // Never again: the account's own signature does.
    let second = told(&at, Browser::for_age(), |r| person.sign_in(&device, r)).await;
    assert_eq!(second, over_18);
    let unasked = told(&at, Browser::new(), |r| person.sign_in(&device, r)).await;
    assert_eq!(unasked, serde_json::json!({}));

    let metadata = serde_json::to_value(at.gateway.metadata()).unwrap();
    let holds =
        |list: &str, value: &str| metadata[list].as_array().unwrap().contains(&value.into());
    assert!(holds("claims_supported", "age_over_18") && holds("scopes_supported", "age"));
    let plain = serde_json::to_string(fixture().await.gateway.metadata()).unwrap();
    assert!(!plain.contains("age_over") && !plain.contains("\"age\""));
}

#[tokio::test]
async fn a_request_names_the_entrys_age_and_todays_day() {
    let at = fixture_with(asking(16)).await;
    let id = at.begin(&mut Browser::new()).await;
    for transport in [Transport::Link, Transport::Qr] {
        let request = at.request(id, transport).await;
        let (years, on) = (Years::try_from(16).unwrap(), NOW.day());
        assert_eq!(request.age(), Some(AgeAsked { years, on }));
        let ids: Vec<_> = request.payload["dcql_query"]["credentials"]
            .as_array()
            .unwrap()
            .iter()
            .map(|query| query["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, ["account", "certificate", "certificate_with_age"]);
    }
    let at = fixture().await;
    let id = at.begin(&mut Browser::new()).await;
    assert_eq!(at.request(id, Transport::Qr).await.age(), None);
}

#[tokio::test]
async fn a_sign_up_without_the_age_that_was_asked_for_is_refused() {
    let at = fixture_with(asking(18)).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let without = respond(&at, |r| person.sign_up(&device, r)).await;
    assert!(matches!(without, Some(RespondError::AgeRequired)));
    // Under the name of the query that asks for the proof, without it.
    let missing = respond(&at, |r| {
        let items = &r.items();
        let shown = person.showing(&device, r, &Wanted { items, age: None });
        r.form("certificate_with_age", &shown)
    });
    assert!(matches!(missing.await, Some(RespondError::OtherAge)));
    // And the proof under the name of the query that does not.
    let unasked = respond(&at, |r| {
        let (items, age) = (&r.items(), r.age());
        r.form(
            "certificate",
            &person.showing(&device, r, &Wanted { items, age }),
        )
    });
    assert!(matches!(unasked.await, Some(RespondError::OtherAge)));
    let account = respond(&at, |r| person.sign_in(&device, r)).await;
    assert!(
        matches!(account, Some(RespondError::UnknownAccount)),
        "no account was made"
    );
}

#[tokio::test]
async fn a_site_that_asks_for_no_age_takes_none() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let age = Some(AgeAsked {
        years: Years::try_from(18).unwrap(),
        on: NOW.day(),
    });
    let shown = |r: &Request| {
        let items = &r.items();
        person.showing(&device, r, &Wanted { items, age })
    };
    let unasked = respond(&at, |r| r.form("certificate", &shown(r))).await;
    assert!(matches!(unasked, Some(RespondError::OtherAge)));
    let unknown = respond(&at, |r| r.form("certificate_with_age", &shown(r))).await;
    assert!(matches!(unknown, Some(RespondError::Malformed)));
}

#[tokio::test]
async fn a_proof_of_another_age_day_or_request_is_refused() {
    let at = fixture_with(asking(18)).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let changes: [fn(AgeAsked) -> AgeAsked; 5] = [
        |age| AgeAsked {
            years: Years::try_from(16).unwrap(),
            ..age
        },
        |age| AgeAsked {
            years: Years::try_from(21).unwrap(),
            ..age
        },
        |age| AgeAsked {
            on: Day(age.on.0 - 1),
            ..age
        },
        |age| AgeAsked {
            on: Day(age.on.0 + 1),
            ..age
        },
        |age| AgeAsked {
            on: Day(age.on.0 + 366),
            ..age
        },
    ];
    for change in changes {
        let wrong = respond(&at, |r| {
            person.prove_age(&device, r, change(r.age().unwrap()))
        });
        assert!(matches!(wrong.await, Some(RespondError::Invalid)));
    }
    // The age proof of another request in place of the own one.
    let other = at.begin(&mut Browser::new()).await;
    let other = at.request(other, Transport::Qr).await;
    let (items, age) = (&other.items(), other.age());
    let theirs = person.showing(&device, &other, &Wanted { items, age });
    let swapped = respond(&at, |r| {
        let (items, age) = (&r.items(), r.age());
        let own = person.showing(&device, r, &Wanted { items, age });
        let part = |text: &str| text.rsplit('~').nth(1).unwrap().to_owned();
        r.form(
            "certificate_with_age",
            &own.replace(&part(&own), &part(&theirs)),
        )
    });
    assert!(matches!(swapped.await, Some(RespondError::Invalid)));
    let whole = respond(&at, |r| r.form("certificate_with_age", &theirs));
    assert!(matches!(whole.await, Some(RespondError::OtherRequest)));
    // Nothing of this has used the person up.
    assert!(
        respond(&at, |r| proving(&person, &device, r))
            .await
            .is_none()
    );
}

#[tokio::test]
async fn an_older_account_proves_an_age_once_when_the_site_begins_to_ask() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::for_age();
    at.code(&mut browser, |r| person.sign_up(&device, r)).await;

    let at = at.restarted(asking(18)).await;
    // The browser's session does not stand in for the proof.
    let query = browser.query("forum");
    let begun = at.gateway.authorize(&query, browser.cookies(), NOW).await;
    assert!(matches!(begun.unwrap(), Begun::Login { .. }));
    for _ in 0..2 {
        let early = respond(&at, |r| person.sign_in(&device, r)).await;
        assert!(matches!(early, Some(RespondError::AgeRequired)));
    }
    let over_18 = serde_json::json!({"age_over_18": true});
    let proved = told(&at, Browser::for_age(), |r| proving(&person, &device, r)).await;
    assert_eq!(proved, over_18);
    let later = told(&at, Browser::for_age(), |r| person.sign_in(&device, r)).await;
    assert_eq!(later, over_18);

    // A higher number is asked once more, a lower one is known, and no number says nothing.
    let at = at.restarted(asking(21)).await;
    let higher = respond(&at, |r| person.sign_in(&device, r)).await;
    assert!(matches!(higher, Some(RespondError::AgeRequired)));
    let over_21 = told(&at, Browser::for_age(), |r| proving(&person, &device, r)).await;
    assert_eq!(over_21, serde_json::json!({"age_over_21": true}));
    let at = at.restarted(asking(16)).await;
    let lower = told(&at, Browser::for_age(), |r| person.sign_in(&device, r)).await;
    assert_eq!(lower, serde_json::json!({"age_over_16": true}));
    let at = at.restarted(Setting::default()).await;
    let none = told(&at, Browser::for_age(), |r| person.sign_in(&device, r)).await;
    assert_eq!(none, serde_json::json!({}));
}

#[tokio::test]
async fn a_new_device_and_a_law_that_demands_the_certificate_ask_for_no_second_proof() {
    let by_law = || Setting {
        requires_certificate: true,
        ..asking(18)
    };
    let at = fixture_with(asking(18)).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let over_18 = told(&at, Browser::for_age(), |r| proving(&person, &device, r)).await;
    let new = SigningKey::generate();
    let brought = told(&at, Browser::for_age(), |r| person.sign_up(&new, r)).await;
    assert_eq!(brought, over_18);
    let at = at.restarted(by_law()).await;
    let again = told(&at, Browser::for_age(), |r| person.sign_up(&device, r)).await;
    assert_eq!(again, over_18);
    // Somebody else has to prove it there too.
    let other = at.operator.enrol(NOW);
    let without = respond(&at, |r| other.sign_up(&device, r)).await;
    assert!(matches!(without, Some(RespondError::AgeRequired)));
}

#[tokio::test]
async fn the_devices_of_an_account_are_shown_without_an_age() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    at.code(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let at = at.restarted(asking(120)).await;
    let begun = at.gateway.devices(Browser::new().cookies(), NOW).await;
    let Devices::Login(Begun::Login { id, .. }) = begun.unwrap() else {
        panic!("no log-in")
    };
    let request = at.request(id, Transport::Qr).await;
    assert_eq!(request.age(), None);
    let body = person.sign_in(&device, &request);
    at.gateway
        .respond(id, Transport::Qr, &body, NOW)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_store_keeps_the_number_and_no_day_and_no_proof() {
    let at = fixture_with(asking(18)).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let proof = std::cell::RefCell::new(String::new());
    at.code(&mut Browser::for_age(), |r| {
        let (items, age) = (&r.items(), r.age());
        let shown = person.showing(&device, r, &Wanted { items, age });
        shown
            .rsplit('~')
            .nth(1)
            .unwrap()
            .clone_into(&mut proof.borrow_mut());
        r.form("certificate_with_age", &shown)
    })
    .await;
    let files = at.files();
    let found = |needle: &[u8]| files.windows(needle.len()).any(|window| window == needle);
    let octets = credential::jose::decode(&proof.borrow()).unwrap();
    assert!(found(&device.public().sec1()), "the control is found");
    assert!(!found(proof.borrow().as_bytes()) && !found(&octets));
}

#[tokio::test]
async fn a_log_in_that_began_before_another_age_was_registered_opens_no_account_without_it() {
    let at = fixture_with(asking(16)).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let new_age = [Some(18), Some(16), Some(12), None];
    for (age_over, opens) in new_age.into_iter().zip([false, true, true, true]) {
        let before = at_age(16).await;
        let (other, key) = (before.operator.enrol(NOW), SigningKey::generate());
        let id = before.begin(&mut Browser::new()).await;
        let request = before.request(id, Transport::Qr).await;
        let now = Setting {
            age_over,
            ..Setting::default()
        };
        let after = before.restarted(now).await;
        let body = proving(&other, &key, &request);
        let said = after.gateway.respond(id, Transport::Qr, &body, NOW).await;
        match said {
            Ok(_) => assert!(opens, "{age_over:?}"),
            Err(error) => assert!(!opens && matches!(error, RespondError::AgeRequired)),
        }
        // Nor was an account made.
        if !opens {
            let unknown = respond(&after, |r| other.sign_in(&key, r)).await;
            assert!(matches!(unknown, Some(RespondError::UnknownAccount)));
        }
    }

    // A log-in by the account itself, and by one that had not to prove anything.
    at.code(&mut Browser::new(), |r| proving(&person, &device, r))
        .await;
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let at = at.restarted(asking(18)).await;
    let body = person.sign_in(&device, &request);
    let said = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
    assert!(matches!(said, Err(RespondError::AgeRequired)));
}

async fn at_age(years: u8) -> Fixture {
    fixture_with(asking(years)).await
}

#[tokio::test]
async fn an_answer_that_was_taken_before_another_age_was_registered_ends_nowhere() {
    let at = at_age(16).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::for_age();
    let id = at.begin(&mut browser).await;
    let request = at.request(id, Transport::Qr).await;
    let body = proving(&person, &device, &request);
    let taken = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
    taken.unwrap();
    let at = at.restarted(asking(18)).await;
    let page = at.page(id, &browser).await;
    assert!(matches!(page, LoginPage::Expired(_)));
    // The same number again: it goes on.
    let at = at.restarted(asking(16)).await;
    let page = at.page(id, &browser).await;
    assert!(matches!(page, LoginPage::Continue { .. }));
}

#[tokio::test]
async fn the_page_of_devices_makes_no_account_without_the_age() {
    let at = at_age(18).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let devices = async || {
        let begun = at.gateway.devices(Browser::new().cookies(), NOW).await;
        let Devices::Login(Begun::Login { id, .. }) = begun.unwrap() else {
            panic!("no log-in")
        };
        (id, at.request(id, Transport::Qr).await)
    };
    let (id, request) = devices().await;
    let body = person.sign_up(&device, &request);
    let said = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
    assert!(matches!(said, Err(RespondError::AgeRequired)));
    let unknown = respond(&at, |r| person.sign_in(&device, r)).await;
    assert!(matches!(unknown, Some(RespondError::UnknownAccount)));

    // Who has an account brings a new device to it there.
    at.code(&mut Browser::new(), |r| proving(&person, &device, r))
        .await;
    let (id, request) = devices().await;
    let body = person.sign_up(&SigningKey::generate(), &request);
    let said = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
    said.unwrap();
}
