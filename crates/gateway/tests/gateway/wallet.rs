//! What a wallet can and cannot do at a gateway.

use crate::person;
use crate::site::{self, Browser, NOW, Setting, fixture, fixture_with, location, parameter};
use credential::attributes::{Item, ItemSet};
use credential::jose::SigningKey;
use gateway::authentication::Transport;
use gateway::begin::Begun;
use gateway::devices::{Devices, DevicesError};
use gateway::gateway::Cookies;
use gateway::login::Arrival;
use gateway::page::{LoginPage, PageError};
use gateway::wallet_request::FetchError;
use gateway::wallet_response::RespondError;
use openid4vc::vp::{RequestLink, UnverifiedRequest};
use serde_json::json;
use std::sync::Arc;

#[tokio::test]
async fn a_person_signs_up_and_signs_in_again_to_the_same_account() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let first = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let second = at
        .userinfo(&mut Browser::new(), |r| person.sign_in(&device, r))
        .await;
    assert_eq!(first, second);
    assert_eq!(first.as_object().unwrap().len(), 2);
    assert_eq!(first["generation"], 1);
}

#[tokio::test]
async fn a_request_is_one_that_wallets_accept() {
    let at = fixture().await;
    let mut browser = Browser::new();
    let id = at.begin(&mut browser).await;
    let LoginPage::Waiting { link, qr, .. } = at.page(id, &browser).await else {
        panic!()
    };
    for (address, transport) in [(link, Transport::Link), (qr, Transport::Qr)] {
        let link = RequestLink::parse(&address).unwrap();
        let object = at.gateway.request_object(id, transport, NOW).await.unwrap();
        let verified = UnverifiedRequest::parse(&object)
            .unwrap()
            .verify(link.client_id, NOW);
        let request = verified.unwrap().request().clone();
        let fetched = link.request_uri.as_str().strip_suffix("/request");
        assert_eq!(
            request.response_uri.as_str().strip_suffix("/response"),
            fetched
        );
        assert_eq!(request.exp, Some(NOW.plus_secs(300)));
    }
}

#[tokio::test]
async fn two_people_have_two_accounts() {
    let at = fixture().await;
    let mut subjects = Vec::new();
    for person in [at.operator.enrol(NOW), at.operator.enrol(NOW)] {
        let device = SigningKey::generate();
        let shown = at
            .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
            .await;
        subjects.push(shown["sub"].clone());
    }
    assert_ne!(subjects[0], subjects[1]);
}

#[tokio::test]
async fn a_new_device_comes_by_certificate_alone_and_the_old_one_stays() {
    let at = fixture().await;
    let person = at.operator.enrol(NOW);
    let (old, new) = (SigningKey::generate(), SigningKey::generate());
    let first = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&old, r))
        .await;
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let early = at
        .gateway
        .respond(id, Transport::Qr, &person.sign_in(&new, &request), NOW)
        .await;
    assert!(matches!(early, Err(RespondError::UnknownDevice)));
    let added = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&new, r))
        .await;
    let by_new = at
        .userinfo(&mut Browser::new(), |r| person.sign_in(&new, r))
        .await;
    let by_old = at
        .userinfo(&mut Browser::new(), |r| person.sign_in(&old, r))
        .await;
    assert!(added == first && by_new == first && by_old == first);
}

#[tokio::test]
async fn a_person_without_an_account_cannot_sign_in() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let refused = at
        .gateway
        .respond(id, Transport::Qr, &person.sign_in(&device, &request), NOW)
        .await;
    assert!(matches!(refused, Err(RespondError::UnknownAccount)));
}

#[tokio::test]
async fn after_a_refused_account_the_same_request_takes_a_certificate() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let account = person.sign_in(&device, &request);
    assert!(
        at.gateway
            .respond(id, Transport::Qr, &account, NOW)
            .await
            .is_err()
    );
    let certificate = person.sign_up(&device, &request);
    assert!(
        at.gateway
            .respond(id, Transport::Qr, &certificate, NOW)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_removed_device_opens_the_account_no_more() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::new();
    at.userinfo(&mut browser, |r| person.sign_up(&device, r))
        .await;
    let Devices::Shown(devices) = at.gateway.devices(browser.cookies(), NOW).await.unwrap() else {
        panic!("nobody is logged in")
    };
    assert_eq!(
        devices
            .iter()
            .map(|device| device.added)
            .collect::<Vec<_>>(),
        [NOW.day()]
    );
    let nobody = at
        .gateway
        .remove_device(Cookies::default(), &devices[0].name, NOW)
        .await;
    assert!(matches!(nobody, Err(DevicesError::NotLoggedIn)));
    let other = at
        .gateway
        .remove_device(browser.cookies(), "another", NOW)
        .await;
    assert!(matches!(other, Err(DevicesError::Unknown)));
    at.gateway
        .remove_device(browser.cookies(), &devices[0].name, NOW)
        .await
        .unwrap();
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let body = person.sign_in(&device, &request);
    let refused = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
    assert!(matches!(refused, Err(RespondError::UnknownDevice)));
}

#[tokio::test]
async fn the_devices_are_shown_after_a_login_of_their_own() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    at.userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let mut browser = Browser::new();
    let begun = at.gateway.devices(browser.cookies(), NOW).await.unwrap();
    let Devices::Login(Begun::Login { id, browser: set }) = begun else {
        panic!("no log-in")
    };
    browser.cookie = set.map(|set| set.expose().to_owned());
    let request = at.request(id, Transport::Qr).await;
    let body = person.sign_in(&device, &request);
    at.gateway
        .respond(id, Transport::Qr, &body, NOW)
        .await
        .unwrap();
    let LoginPage::Continue { answer, session } = at.page(id, &browser).await else {
        panic!()
    };
    assert_eq!(location(answer), format!("{}/devices", site::ISSUER));
    browser.session = Some(session.expose().to_owned());
    let shown = at.gateway.devices(browser.cookies(), NOW).await.unwrap();
    assert!(matches!(shown, Devices::Shown(devices) if devices.len() == 1));
}

#[tokio::test]
async fn disclosed_items_reach_the_client_once_and_are_not_remembered() {
    let setting = Setting {
        items: vec![Item::FamilyName, Item::Birthdate],
        ..Setting::default()
    };
    let at = fixture_with(setting).await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let first = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    assert_eq!(first["family_name"], "SPECIMEN");
    assert_eq!(first["birthdate"], "1990-02-28");
    let second = at
        .userinfo(&mut Browser::new(), |r| person.sign_in(&device, r))
        .await;
    assert_eq!(second["sub"], first["sub"]);
    assert_eq!(second.get("family_name"), None);
}

#[tokio::test]
async fn other_items_than_asked_for_are_refused() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let more = person.sign_up_with(&device, &request, &ItemSet::new([Item::Sex]));
    let refused = at.gateway.respond(id, Transport::Qr, &more, NOW).await;
    assert!(matches!(refused, Err(RespondError::OtherItems)));
}

#[tokio::test]
async fn after_a_link_only_the_browser_that_began_gets_in_and_only_with_the_response_code() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::new();
    let id = at.begin(&mut browser).await;
    let request = at.request(id, Transport::Link).await;
    let body = person.sign_up(&device, &request);
    let received = at
        .gateway
        .respond(id, Transport::Link, &body, NOW)
        .await
        .unwrap();
    let back = received.redirect_uri.unwrap();
    assert!(back.starts_with(&format!("{}/login/{id}/return?", site::ISSUER)));
    assert!(matches!(
        at.page(id, &browser).await,
        LoginPage::LeadingBack
    ));
    let code = parameter(&back, "response_code");
    let look = async |cookie, code| {
        at.gateway
            .login_page(id, cookie, Arrival::Return(code), NOW)
            .await
    };
    assert!(matches!(
        look(None, &code).await,
        Err(PageError::OtherBrowser)
    ));
    assert!(matches!(
        look(Some("x"), &code).await,
        Err(PageError::OtherBrowser)
    ));
    let cookie = browser.cookie.as_deref();
    assert!(matches!(
        look(cookie, "x").await,
        Err(PageError::WrongResponseCode)
    ));
    assert!(matches!(
        look(cookie, &code).await,
        Ok(LoginPage::Continue { .. })
    ));
    assert!(matches!(look(cookie, &code).await, Ok(LoginPage::Finished)));
}

#[tokio::test]
async fn a_refusal_leads_the_browser_back_to_the_client() {
    let at = fixture().await;
    let mut browser = Browser::new();
    let id = at.begin(&mut browser).await;
    let request = at.request(id, Transport::Qr).await;
    at.gateway
        .respond(id, Transport::Qr, &request.refusal(), NOW)
        .await
        .unwrap();
    let LoginPage::Refused(way_out) = at.page(id, &browser).await else {
        panic!()
    };
    assert_eq!(
        way_out.again,
        format!("{}/authorize?{}", site::ISSUER, browser.query("forum"))
    );
    let back = location(way_out.back.unwrap());
    assert_eq!(parameter(&back, "error"), "access_denied");
    assert_eq!(parameter(&back, "state"), "the state");
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let id = at.begin(&mut Browser::new()).await;
    let qr = at.request(id, Transport::Qr).await;
    let link = at.request(id, Transport::Link).await;
    let body = person.sign_up(&device, &qr);
    at.gateway
        .respond(id, Transport::Qr, &body, NOW)
        .await
        .unwrap();
    let again = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
    assert!(matches!(again, Err(RespondError::Answered)));
    let other = person.sign_in(&device, &link);
    let other = at.gateway.respond(id, Transport::Link, &other, NOW).await;
    assert!(matches!(other, Err(RespondError::Answered)));
    let fetched = at.gateway.request_object(id, Transport::Qr, NOW).await;
    assert!(matches!(fetched, Err(FetchError::Answered)));
}

#[tokio::test]
async fn of_racing_answers_to_one_login_one_is_taken() {
    let at = fixture().await;
    let person = Arc::new(at.operator.enrol(NOW));
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let answers = [0, 1, 2].map(|_| {
        let (gateway, body) = (
            Arc::clone(&at.gateway),
            person.sign_up(&SigningKey::generate(), &request),
        );
        tokio::spawn(async move { gateway.respond(id, Transport::Qr, &body, NOW).await.is_ok() })
    });
    let mut taken = 0;
    for answer in answers {
        taken += usize::from(answer.await.unwrap());
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_request_ends_at_the_second_it_says() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::new();
    let id = at.begin(&mut browser).await;
    let request = at.request(id, Transport::Qr).await;
    assert_eq!(request.payload["exp"], NOW.0 + 300);
    let late = NOW.plus_secs(300);
    let body = person.sign_up(&device, &request);
    let refused = at.gateway.respond(id, Transport::Qr, &body, late).await;
    assert!(matches!(refused, Err(RespondError::Expired)));
    let fetched = at.gateway.request_object(id, Transport::Qr, late).await;
    assert!(matches!(fetched, Err(FetchError::Expired)));
    let page = at
        .gateway
        .login_page(id, browser.cookie.as_deref(), Arrival::Page, late)
        .await;
    assert!(matches!(page, Ok(LoginPage::Expired(_))));
    at.gateway.forget_expired(NOW.plus_secs(600)).await.unwrap();
    let page = at
        .gateway
        .login_page(id, browser.cookie.as_deref(), Arrival::Page, late)
        .await;
    assert!(matches!(page, Err(PageError::Unknown)));
}

#[tokio::test]
async fn a_presentation_for_another_request_is_refused() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    at.userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let changes: [fn(&mut person::Request); 4] = [
        |request| request.nonce.push('x'),
        |request| request.client_id.push('x'),
        |request| request.response_uri.push('x'),
        |request| request.object.push('x'),
    ];
    for change in changes {
        let mut other = request.clone();
        change(&mut other);
        for body in [
            person.sign_in(&device, &other),
            person.sign_up(&device, &other),
        ] {
            let refused = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
            assert!(matches!(refused, Err(RespondError::OtherRequest)));
        }
    }
    let body = person.sign_in(&device, &request);
    assert!(
        at.gateway
            .respond(id, Transport::Qr, &body, NOW)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_presentation_for_another_site_or_of_another_operator_is_refused() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let mut elsewhere = request.clone();
    elsewhere.entry.site.origin =
        credential::origin::Origin::parse("https://shop.example").unwrap();
    let stranger = person::Operator::new("https://op.example").enrol(NOW);
    for body in [
        person.sign_up(&device, &elsewhere),
        person.sign_in(&device, &elsewhere),
        stranger.sign_up(&device, &request),
    ] {
        let refused = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
        assert!(matches!(refused, Err(RespondError::Invalid)));
    }
}

#[tokio::test]
async fn an_envelope_that_is_not_for_this_request_is_refused() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let id = at.begin(&mut Browser::new()).await;
    let (qr, link) = (
        at.request(id, Transport::Qr).await,
        at.request(id, Transport::Link).await,
    );
    let respond = async |body: &str| {
        at.gateway
            .respond(id, Transport::Qr, body, NOW)
            .await
            .unwrap_err()
    };
    let sealed = person.sign_up(&device, &link);
    assert!(matches!(respond(&sealed).await, RespondError::Decryption));
    let mut state = qr.clone();
    state.state.clone_from(&link.state);
    assert!(matches!(
        respond(&person.sign_up(&device, &state)).await,
        RespondError::WrongState
    ));
    assert!(matches!(
        respond(&state.refusal()).await,
        RespondError::WrongState
    ));
    let good = person.sign_up(&device, &qr);
    let truncated = &good[..good.len() / 2];
    assert!(matches!(respond(truncated).await, RespondError::Malformed));
    let tampered = format!("{}AAAA", &good[..good.len() - 4]);
    assert!(matches!(
        respond(&tampered).await,
        RespondError::Malformed | RespondError::Decryption
    ));
    let oversized = format!("{good}&x={}", "a".repeat(300 * 1024));
    for body in [
        "",
        "response=",
        "response=a.b.c",
        "other=1",
        oversized.as_str(),
    ] {
        assert!(matches!(respond(body).await, RespondError::Malformed));
    }
    assert!(
        at.gateway
            .respond(id, Transport::Qr, &good, NOW)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn what_was_not_asked_for_is_refused() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    at.userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    let account = person.account(&device, &request);
    let state = &request.state;
    for payload in [
        json!({ "state": state }),
        json!({ "state": state, "vp_token": {} }),
        json!({ "state": state, "vp_token": { "account": [] } }),
        json!({ "state": state, "vp_token": { "account": account } }),
        json!({ "state": state, "vp_token": { "account": [account, account] } }),
        json!({ "state": state, "vp_token": { "account": [account], "certificate": [account] } }),
        json!({ "state": state, "vp_token": { "other": [account] } }),
        json!({ "state": state, "vp_token": { "account": [account] }, "error": "access_denied" }),
        json!([]),
    ] {
        let refused = at
            .gateway
            .respond(id, Transport::Qr, &request.seal(&payload), NOW)
            .await;
        assert!(matches!(refused, Err(RespondError::Malformed)), "{payload}");
    }
    for (name, text) in [
        ("account", "a.b.c"),
        ("account", ""),
        ("certificate", &account),
    ] {
        let body = request.form(name, text);
        let refused = at.gateway.respond(id, Transport::Qr, &body, NOW).await;
        assert!(matches!(refused, Err(RespondError::Invalid)), "{name}");
    }
}

#[tokio::test]
async fn a_site_that_requires_a_certificate_takes_no_account() {
    let at = fixture_with(Setting {
        requires_certificate: true,
        ..Setting::default()
    })
    .await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let first = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let id = at.begin(&mut Browser::new()).await;
    let request = at.request(id, Transport::Qr).await;
    assert_eq!(
        request.payload["dcql_query"]["credentials"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let refused = at
        .gateway
        .respond(id, Transport::Qr, &person.sign_in(&device, &request), NOW)
        .await;
    assert!(matches!(refused, Err(RespondError::CertificateRequired)));
    let again = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    assert_eq!(again["sub"], first["sub"]);
}

#[tokio::test]
async fn without_a_manifest_accounts_open_and_certificates_wait() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let first = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    // Much later, the operator is gone.
    let late = NOW.plus_secs(400 * 86_400);
    let mut browser = Browser::new();
    let query = browser.query("forum");
    let begun = at
        .gateway
        .authorize(&query, browser.cookies(), late)
        .await
        .unwrap();
    let Begun::Login { id, browser: set } = begun else {
        panic!()
    };
    browser.cookie = set.map(|set| set.expose().to_owned());
    assert!(at.gateway.needs_manifest(late));
    let object = at
        .gateway
        .request_object(id, Transport::Qr, late)
        .await
        .unwrap();
    let request = person::Request::read(&object);
    let newcomer = at.operator.enrol(late);
    let body = newcomer.sign_up(&SigningKey::generate(), &request);
    let refused = at.gateway.respond(id, Transport::Qr, &body, late).await;
    assert!(matches!(refused, Err(RespondError::NoManifest)));
    let body = person.sign_in(&device, &request);
    at.gateway
        .respond(id, Transport::Qr, &body, late)
        .await
        .unwrap();
    let page = at
        .gateway
        .login_page(id, browser.cookie.as_deref(), Arrival::Page, late)
        .await;
    assert!(matches!(page, Ok(LoginPage::Continue { .. })));
    drop(first);
}

#[tokio::test]
async fn accounts_survive_a_restart_and_a_change_of_the_site_key() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let first = at
        .userinfo(&mut Browser::new(), |r| person.sign_up(&device, r))
        .await;
    let both = Setting {
        site_keys: vec![1, 2],
        manifest: false,
        ..Setting::default()
    };
    let at = at.restarted(both).await;
    let moved = at
        .userinfo(&mut Browser::new(), |r| person.sign_in(&device, r))
        .await;
    assert_eq!(moved, first);
    let new = Setting {
        site_keys: vec![2],
        manifest: false,
        ..Setting::default()
    };
    let at = at.restarted(new).await;
    let again = at
        .userinfo(&mut Browser::new(), |r| person.sign_in(&device, r))
        .await;
    assert_eq!(again, first);
}

#[tokio::test]
async fn the_store_holds_no_pseudonym_and_no_bearer_value() {
    let at = fixture().await;
    let (person, device) = (at.operator.enrol(NOW), SigningKey::generate());
    let mut browser = Browser::new();
    let pseudonym = std::cell::RefCell::new(String::new());
    let code = at
        .code(&mut browser, |request| {
            let account = person.account(&device, request);
            let header = account.split('.').next().unwrap();
            let header = credential::jose::decode(header).unwrap();
            let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
            header["pseudonym"]
                .as_str()
                .unwrap()
                .clone_into(&mut pseudonym.borrow_mut());
            person.sign_up(&device, request)
        })
        .await;
    let tokens = at.redeem(&browser, &code).await;
    let raw = credential::jose::decode(&pseudonym.borrow()).unwrap();
    let files = at.files();
    assert!(
        contains(&files, &device.public().sec1()),
        "the control is found"
    );
    assert!(!contains(&files, &raw));
    let texts = [
        pseudonym.borrow().clone(),
        code,
        tokens.access_token.expose().to_owned(),
        browser.session.unwrap(),
        browser.cookie.unwrap(),
    ];
    for text in texts {
        assert!(!contains(&files, text.as_bytes()));
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}
