//! Presentations, codes and requests that are refused, with their identifiers, on the wire.

use crate::person::{Person, Request};
use crate::process::{
    Browser, Manifest, Process, Setting, page_text, refusal, refused, request, state, waiting,
};
use crate::raw::half_a_request;
use credential::attributes::{Item, ItemSet};
use credential::jose::{self, SigningKey};
use credential::origin::Origin;
use credential::time::UnixTime;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::client::Answer;

const EPOCH_SECS: u64 = 7 * 86_400;

impl Process {
    /// Posts an answer to a request.
    async fn answer(&self, request: &Request, form: &str) -> Answer {
        self.post(&request.response_uri, form).await
    }

    async fn call(&self, method: Method, address: &str) -> Answer {
        let request = self.client.requests().request(method, self.url(address));
        self.send(request).await
    }
}

/// Status of a page and the state that it shows.
fn shown(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), state(answer))
}

/// The same text with another character in the middle of its part `part`, by full stops.
fn tampered(text: &str, part: usize) -> String {
    let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let middle = parts[part].len() / 2;
    let other = if &parts[part][middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    parts[part].replace_range(middle..=middle, other);
    parts.join(".")
}

/// The account's presentation with the device's signature by this key.
fn signed_by(key: &SigningKey, presentation: &str) -> String {
    let parts: Vec<&str> = presentation.split('.').collect();
    let [header, proof, _] = parts.as_slice() else {
        panic!("an account's presentation has three parts")
    };
    let hash = |part: &str| jose::sha256(&jose::decode(part).unwrap());
    // Source: docs/specs.md, section "presentation".
    let message = [&b"bauta/v1/device"[..], &hash(header), &hash(proof)].concat();
    format!("{header}.{proof}.{}", jose::encode(key.sign(&message)))
}

/// A person who has an account at the gateway on a device.
async fn member(at: &Process) -> (Person, SigningKey) {
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    Browser::default()
        .log_in(at, |request| person.sign_up(&device, request))
        .await;
    (person, device)
}

#[tokio::test]
async fn a_certificate_of_an_epoch_that_is_over_or_to_come_is_refused() {
    let at = Process::start().await;
    let device = SigningKey::generate();
    let (_, _, request) = waiting(&at).await;
    for then in [at.now.0 - 2 * EPOCH_SECS, at.now.0 + EPOCH_SECS] {
        let person = at.operator.enrol(UnixTime(then));
        let answer = at
            .answer(&request, &person.sign_up(&device, &request))
            .await;
        assert_eq!(refusal(&answer), refused(400, "presentation-invalid"));
    }
    let person = at.operator.enrol(UnixTime(at.now.0 - EPOCH_SECS));
    let answer = at
        .answer(&request, &person.sign_up(&device, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_certificate_of_another_operator_is_refused() {
    let at = Process::start().await;
    let other = crate::person::Operator::new("https://op.localhost");
    let (person, device) = (other.enrol(at.now), SigningKey::generate());
    let (_, _, request) = waiting(&at).await;
    let answer = at
        .answer(&request, &person.sign_up(&device, &request))
        .await;
    assert_eq!(refusal(&answer), refused(400, "presentation-invalid"));
}

#[tokio::test]
async fn a_presentation_for_another_site_is_refused() {
    let at = Process::start().await;
    let (person, device) = member(&at).await;
    let (_, _, request) = waiting(&at).await;
    // Everything that is sent is as here; the pseudonym and its proof are of the other site.
    let mut elsewhere = request.clone();
    elsewhere.entry.site.origin = Origin::parse("https://shop.localhost").unwrap();
    for form in [
        person.sign_up(&device, &elsewhere),
        person.sign_in(&device, &elsewhere),
    ] {
        let answer = at.answer(&request, &form).await;
        assert_eq!(refusal(&answer), refused(400, "presentation-invalid"));
    }
    let answer = at
        .answer(&request, &person.sign_in(&device, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn tampered_and_truncated_presentations_are_refused() {
    let at = Process::start().await;
    let (person, device) = member(&at).await;
    let (_, _, request) = waiting(&at).await;
    let account = person.account(&device, &request);
    let certificate = person.certificate(&device, &request, &request.items());
    for (id, presentation, parts) in [("account", account, 3), ("certificate", certificate, 4)] {
        let halves = [
            presentation[..presentation.len() / 2].to_owned(),
            presentation[..presentation.len() - 4].to_owned(),
            String::new(),
        ];
        for bad in (0..parts)
            .map(|part| tampered(&presentation, part))
            .chain(halves)
        {
            let answer = at.answer(&request, &request.form(id, &bad)).await;
            let (status, told) = refusal(&answer);
            // A changed header may answer another request, and changed items may be others.
            let known = ["presentation-invalid", "wrong-request", "wrong-items"];
            assert!(status == 400 && known.contains(&told.as_str()), "{told}");
        }
        let swapped = if id == "account" {
            "certificate"
        } else {
            "account"
        };
        let answer = at
            .answer(&request, &request.form(swapped, &presentation))
            .await;
        assert_eq!(refusal(&answer), refused(400, "presentation-invalid"));
    }
    let answer = at
        .answer(&request, &person.sign_in(&device, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_signature_by_another_device_than_the_one_named_is_refused() {
    let at = Process::start().await;
    let (person, device) = member(&at).await;
    let (_, _, request) = waiting(&at).await;
    let account = person.account(&device, &request);
    let stranger = signed_by(&SigningKey::generate(), &account);
    let answer = at
        .answer(&request, &request.form("account", &stranger))
        .await;
    assert_eq!(refusal(&answer), refused(400, "presentation-invalid"));
    let own = signed_by(&device, &account);
    let answer = at.answer(&request, &request.form("account", &own)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn other_items_than_asked_for_are_refused() {
    let at = Process::start_with(Setting {
        gateway: "items = [\"birthdate\"]",
        ..Setting::default()
    })
    .await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (_, _, request) = waiting(&at).await;
    let all = request.items();
    let more = ItemSet::new(all.iter().chain([Item::FamilyName]));
    let others = ItemSet::new([Item::FamilyName]);
    for items in [more, others, ItemSet::new([])] {
        let form = person.sign_up_with(&device, &request, &items);
        let answer = at.answer(&request, &form).await;
        assert_eq!(refusal(&answer), refused(400, "wrong-items"));
    }
    let answer = at
        .answer(&request, &person.sign_up(&device, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_site_that_asks_for_a_certificate_takes_no_account() {
    let at = Process::start_with(Setting {
        requires_certificate: true,
        ..Setting::default()
    })
    .await;
    let (person, device) = member(&at).await;
    let (_, _, request) = waiting(&at).await;
    let answer = at
        .answer(&request, &person.sign_in(&device, &request))
        .await;
    assert_eq!(refusal(&answer), refused(400, "certificate-required"));
    let answer = at
        .answer(&request, &person.sign_up(&device, &request))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_manifest_no_certificate_is_taken() {
    let at = Process::start_with(Setting {
        manifest: Manifest::None,
        ..Setting::default()
    })
    .await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let (_, _, request) = waiting(&at).await;
    let answer = at
        .answer(&request, &person.sign_up(&device, &request))
        .await;
    assert_eq!(refusal(&answer), refused(503, "manifest-missing"));
}

#[tokio::test]
async fn codes_and_tokens_that_have_expired_are_refused() {
    let at = Process::start_with(Setting {
        gateway: "code_ttl_secs = 0",
        ..Setting::default()
    })
    .await;
    let (person, device) = (at.operator.enrol(at.now), SigningKey::generate());
    let code = Browser::default()
        .log_in(&at, |request| person.sign_up(&device, request))
        .await;
    assert_eq!(
        refusal(&at.redeem(&code).await),
        refused(400, "invalid-grant")
    );

    let at = Process::start_with(Setting {
        gateway: "token_ttl_secs = 0",
        ..Setting::default()
    })
    .await;
    let person = at.operator.enrol(at.now);
    let code = Browser::default()
        .log_in(&at, |request| person.sign_up(&device, request))
        .await;
    let tokens: Value = at.redeem(&code).await.json().unwrap();
    let token = tokens["access_token"].as_str().unwrap();
    let get = at.client.requests().get(at.url("/userinfo"));
    let answer = at.send(get.bearer_auth(token)).await;
    assert_eq!(refusal(&answer), refused(401, "token-invalid"));
}

#[tokio::test]
async fn addresses_that_name_no_log_in_are_refused_in_our_form() {
    let at = Process::start().await;
    let mut browser = Browser::default();
    for login in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "%ff"] {
        for address in [format!("/login/{login}"), format!("/login/{login}/return")] {
            let page = browser.get(&at, &address).await;
            assert_eq!(shown(&page), refused(404, "login-unknown"), "{address}");
        }
        let address = format!("/wallet/{login}/qr/request");
        let answer = at.get(&address).await;
        assert_eq!(refusal(&answer), refused(400, "request-unknown"));
        let answer = at
            .post(&address.replace("request", "response"), "response=x")
            .await;
        assert_eq!(refusal(&answer), refused(400, "request-unknown"));
    }
    let page = browser.begin(&at).await;
    let wallet = page.replace("/login/", "/wallet/");
    for transport in ["%ff", "post"] {
        let answer = at.get(&format!("{wallet}/{transport}/request")).await;
        assert_eq!(refusal(&answer), refused(400, "request-unknown"));
    }
    for query in ["response_code=a&response_code=b", "response_code=%ff"] {
        let answer = browser.get(&at, &format!("{page}/return?{query}")).await;
        assert_eq!(shown(&answer), refused(400, "malformed-request"), "{query}");
    }
    // The log-in still waits.
    let html = page_text(&browser.get(&at, &page).await);
    request(&at, &html, "wallet-command").await;
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_refused_in_its_form() {
    let at = Process::start().await;
    for address in ["/", "/style.css", "/login/x", "/devices", "/logout/confirm"] {
        let answer = at.call(Method::DELETE, address).await;
        assert_eq!(
            shown(&answer),
            refused(405, "method-not-allowed"),
            "{address}"
        );
    }
    for (method, address) in [
        (Method::GET, "/token"),
        (Method::DELETE, "/userinfo"),
        (Method::PUT, "/wallet/x/qr/request"),
        (Method::GET, "/wallet/x/qr/response"),
    ] {
        let answer = at.call(method, address).await;
        assert_eq!(
            refusal(&answer),
            refused(405, "method-not-allowed"),
            "{address}"
        );
        let body: Value = answer.json().unwrap();
        assert_eq!(body["error"], json!("invalid_request"));
    }
}

#[tokio::test]
async fn a_request_that_does_not_come_whole_is_told_that_its_time_is_over() {
    let at = Process::start_with(Setting {
        server: "request_timeout_secs = 1",
        ..Setting::default()
    })
    .await;
    let mut connection = at.raw();
    let half = half_a_request("/token", "login.forum.localhost");
    connection.send(&half.replace("application/json", "application/x-www-form-urlencoded"));
    let answer = connection.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        answer.contains("application/problem+json") && answer.contains("\"request-timeout\""),
        "{answer}"
    );
}
