//! What a wallet does with a site or gateway that does not behave: it says why it refuses, sends
//! nothing, and loses nothing. H15, H16.

use std::path::PathBuf;

use axum::http::{Method, StatusCode};
use credential::age::{AgeAsked, Years};
use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::site_entry::SiteEntry;
use credential::time::{Day, UnixTime};
use e2e::gateway_keys::GatewayKeys;
use e2e::impostor::{Asked, Impostor, Said};
use e2e::wallet::Wallet;
use e2e::world::{AUTHORITIES, World, snapshot};
use openid4vc::uri::HttpsUri;
use openid4vc::vp::RequestObject;
use openid4vc::vp::sign_in::SITE_ENTRY_FORMAT;
use serde_json::{Value, json};
use server::clock;
use server::demo::deployment::Party;

/// The media type of a request object. Source: RFC 9101 §10.2.
const REQUEST: &str = "application/oauth-authz-req+jwt";

/// A forum whose gateway is an impostor with all of the real one's keys, and an enrolled wallet.
struct Stage {
    world: World,
    impostor: Impostor,
    keys: GatewayKeys,
    now: UnixTime,
}

impl Stage {
    fn new() -> Stage {
        let mut world = World::new().unwrap();
        for party in AUTHORITIES {
            world.start(party).unwrap();
        }
        world.enrol("alva", 1).unwrap();
        Stage {
            impostor: world.impostor_of(Party::ForumGateway).unwrap(),
            keys: GatewayKeys::read(&world, Party::ForumGateway).unwrap(),
            now: clock::now(),
            world,
        }
    }

    fn wallet(&self) -> Wallet<'_> {
        self.world.wallet("alva")
    }

    fn home(&self) -> PathBuf {
        self.world.deployment().wallet_home("alva")
    }

    fn link(&self) -> String {
        self.keys.link().unwrap().compose()
    }

    fn genuine(&self) -> RequestObject {
        self.keys.ask(self.now).unwrap()
    }

    /// The genuine request with one thing about it changed, signed anew.
    fn changed(&self, change: impl Fn(&mut Value)) -> String {
        let mut value = serde_json::to_value(self.genuine()).unwrap();
        change(&mut value);
        self.keys
            .signer
            .sign(&serde_json::from_value(value).unwrap())
    }

    /// A request that carries this entry.
    fn vouched_by(&self, entry: &str) -> String {
        let request = self
            .keys
            .ask_without_entry(&self.keys.items, self.now)
            .unwrap();
        self.keys
            .signer
            .sign(&request.with_attestation(SITE_ENTRY_FORMAT, json!(entry)))
    }

    /// A request that carries this entry and asks for an age.
    fn asking(&self, entry: &str, age: AgeAsked) -> RequestObject {
        let items = &self.keys.items;
        let request = self.keys.ask_for(items, Some(age), self.now).unwrap();
        request.with_attestation(SITE_ENTRY_FORMAT, json!(entry))
    }

    /// The site's entry with one thing about it changed, signed by the operator itself.
    fn entry(&self, change: impl FnOnce(&mut SiteEntry)) -> String {
        let operator = self.world.deployment().folder_of(Party::Operator);
        let key =
            SigningKey::from_pkcs8(&std::fs::read(operator.join("operator.key")).unwrap()).unwrap();
        let origin = Origin::parse(&self.world.deployment().origin(Party::Operator)).unwrap();
        let mut entry =
            SiteEntry::verify(&self.keys.entry, &origin, key.public(), self.now).unwrap();
        change(&mut entry);
        entry.sign(&key).unwrap()
    }

    /// The wallet refuses what the impostor says with this id, posts nothing and changes nothing.
    fn refuses(&self, case: &str, id: &str, link: &str, said: Said) {
        self.impostor.behave(move |_| said.clone());
        let before = snapshot(&self.home()).unwrap();
        let refused = self.wallet().sign_in(link).unwrap().expect_err(case);
        assert_eq!(refused.id, id, "{case}: {}", refused.what);
        assert!(!refused.what.chars().any(char::is_control), "{case}");
        assert_eq!(snapshot(&self.home()).unwrap(), before, "{case}");
        let heard = self.impostor.heard();
        let posts = heard.iter().filter(|asked| asked.method == Method::POST);
        assert_eq!(posts.count(), 0, "{case}");
    }

    fn refuses_request(&self, case: &str, id: &str, request: String) {
        self.refuses(case, id, &self.link(), Said::ok(REQUEST, request));
    }
}

#[test]
fn a_wallet_answers_no_request_that_the_operator_did_not_vouch_for() {
    let stage = Stage::new();
    let shop = GatewayKeys::read(&stage.world, Party::ShopGateway).unwrap();

    let bare = stage
        .keys
        .ask_without_entry(&stage.keys.items, stage.now)
        .unwrap();
    let bare = stage.keys.signer.sign(&bare);
    stage.refuses_request("no entry", "site-entry-missing", bare);
    let stranger = SigningKey::generate();
    let forged = SiteEntry::sign(&parse(&stage.entry(|_| ())), &stranger).unwrap();
    let forged = stage.vouched_by(&forged);
    stage.refuses_request("entry of nobody", "site-entry-invalid", forged);
    let other = stage.entry(|entry| entry.iss = Origin::parse("https://other.example").unwrap());
    stage.refuses_request(
        "another operator's",
        "site-entry-invalid",
        stage.vouched_by(&other),
    );
    let expired = stage.entry(|entry| entry.exp = stage.now);
    stage.refuses_request(
        "expired entry",
        "site-entry-expired",
        stage.vouched_by(&expired),
    );
    let early = stage.entry(|entry| entry.iat = stage.now.plus_secs(600));
    stage.refuses_request(
        "entry of tomorrow",
        "site-entry-expired",
        stage.vouched_by(&early),
    );
    stage.refuses_request(
        "the shop's entry",
        "gateway-mismatch",
        stage.vouched_by(&shop.entry),
    );
    let short = &stage.keys.entry[..stage.keys.entry.len() - 2];
    stage.refuses_request(
        "half an entry",
        "site-entry-invalid",
        stage.vouched_by(short),
    );

    let greedy = ["generation", "family_name"];
    let greedy = stage.keys.ask_without_entry(&greedy, stage.now).unwrap();
    let greedy = greedy.with_attestation(SITE_ENTRY_FORMAT, json!(stage.keys.entry));
    let greedy = stage.keys.signer.sign(&greedy);
    stage.refuses_request("items not registered", "items-not-registered", greedy);

    let mut elsewhere = stage.genuine();
    elsewhere.response_uri = HttpsUri::parse(&format!("{}/x", shop.origin)).unwrap();
    let elsewhere = stage.keys.signer.sign(&elsewhere);
    stage.refuses_request("answers to the shop", "gateway-mismatch", elsewhere);
    // Signed and served with other keys, for the forum's entry: what a phishing site would do.
    let mut phished = stage.genuine();
    phished.client_id = shop.signer.client_id();
    let mut link = stage.keys.link().unwrap();
    link.client_id = shop.signer.client_id();
    let phished = Said::ok(REQUEST, shop.signer.sign(&phished));
    stage.refuses("other keys", "gateway-mismatch", &link.compose(), phished);

    // The control: the genuine request is answered.
    let genuine = stage.keys.signer.sign(&stage.genuine());
    stage
        .impostor
        .behave(move |asked| answer_and_accept(asked, &genuine));
    let said = stage.wallet().sign_in(&stage.link()).unwrap().unwrap();
    assert_eq!(said["outcome"], "signed-up");
    let posted = stage.impostor.heard().pop().unwrap();
    let body = String::from_utf8(posted.body.to_vec()).unwrap();
    let opened = stage.keys.open(&body).unwrap();
    let opened: Value = serde_json::from_slice(&opened).unwrap();
    assert!(opened["vp_token"]["certificate"].is_array(), "{opened}");
}

#[test]
fn a_site_gets_the_certificate_again_by_law_alone_and_through_its_gateway_alone() {
    let stage = Stage::new();
    let genuine = stage.keys.signer.sign(&stage.genuine());
    stage
        .impostor
        .behave(move |asked| answer_and_accept(asked, &genuine));
    stage.wallet().sign_in(&stage.link()).unwrap().unwrap();
    let _joined = stage.impostor.heard();

    let certificate_alone = |entry: &str| {
        let mut value = serde_json::to_value(stage.genuine()).unwrap();
        value["verifier_info"][0]["data"] = json!(entry);
        let query = &mut value["dcql_query"];
        query["credentials"].as_array_mut().unwrap().remove(0);
        query.as_object_mut().unwrap().remove("credential_sets");
        let request = serde_json::from_value(value).unwrap();
        stage.keys.signer.sign(&request)
    };
    let needless = certificate_alone(&stage.keys.entry);
    stage.refuses_request("needless", "certificate-not-registered", needless);
    let by_law = certificate_alone(&stage.entry(|entry| entry.requires_certificate = true));
    stage
        .impostor
        .behave(move |asked| answer_and_accept(asked, &by_law));
    let said = stage.wallet().sign_in(&stage.link()).unwrap().unwrap();
    assert_eq!(said["outcome"], "signed-up");

    // From now on the forum's pseudonym goes to this gateway alone.
    let second = Impostor::start(stage.world.deployment(), Party::ForumGateway).unwrap();
    let address = second.address().port();
    let origin = format!("https://{}:{address}", Party::ForumGateway.host());
    let moved = stage.entry(|entry| entry.gateway.origin = Origin::parse(&origin).unwrap());
    let mut request = stage.genuine();
    request.response_uri = HttpsUri::parse(&format!("{origin}/r")).unwrap();
    request.verifier_info = None;
    let request = request.with_attestation(SITE_ENTRY_FORMAT, json!(moved));
    let request = stage.keys.signer.sign(&request);
    second.behave(move |_| Said::ok(REQUEST, request.clone()));
    let mut link = stage.keys.link().unwrap();
    link.request_uri = HttpsUri::parse(&format!("{origin}/q")).unwrap();
    let refused = stage
        .wallet()
        .sign_in(&link.compose())
        .unwrap()
        .unwrap_err();
    assert_eq!(refused.id, "gateway-changed");
    assert!(
        second
            .heard()
            .iter()
            .all(|asked| asked.method == Method::GET)
    );
}

#[test]
fn a_wallet_proves_the_one_registered_age_on_todays_day_alone() {
    let stage = Stage::new();
    let years = |number| Years::try_from(number).unwrap();
    let entry = stage.entry(|entry| entry.age_over = Some(years(18)));
    let today = stage.now.day();
    let asking = |entry: &str, age| stage.asking(entry, age);
    let signed = |request: &RequestObject| stage.keys.signer.sign(request);
    let on = |day: u32| AgeAsked {
        years: years(18),
        on: Day(day),
    };
    let unregistered = signed(&asking(&stage.keys.entry, on(today.0)));
    stage.refuses_request("no age registered", "age-not-registered", unregistered);
    for number in [1, 16, 17, 19, 120] {
        let age = AgeAsked {
            years: years(number),
            on: today,
        };
        let other = signed(&asking(&entry, age));
        stage.refuses_request("another age", "age-not-registered", other);
    }
    for day in [today.0 - 2, today.0 + 2, today.0 - 3000, today.0 + 3000] {
        let other = signed(&asking(&entry, on(day)));
        stage.refuses_request("another day", "age-day-wrong", other);
    }
    for asked in [
        json!({"years": [16, 18], "on": "2026-11-22"}),
        json!({"years": 18}),
        json!({"born_by": 39_000}),
        json!(18),
        json!(null),
    ] {
        let mut value = serde_json::to_value(asking(&entry, on(today.0))).unwrap();
        *value
            .pointer_mut("/dcql_query/credentials/2/meta/age_over")
            .unwrap() = asked;
        let other = signed(&serde_json::from_value(value).unwrap());
        stage.refuses_request("an age of another form", "query-unsupported", other);
    }
    let mut value = serde_json::to_value(asking(&entry, on(today.0))).unwrap();
    value["dcql_query"]["credentials"][2]["claims"] = json!([{"path": ["birthdate"]}]);
    let both = signed(&serde_json::from_value(value).unwrap());
    stage.refuses_request("the birth date beside it", "items-not-registered", both);
    let operator = stage.world.deployment().folder_of(Party::Operator);
    let key = SigningKey::from_pkcs8(&std::fs::read(operator.join("operator.key")).unwrap());
    let mut careless = parse(&entry);
    careless.items.push(credential::attributes::Item::Birthdate);
    let careless = credential::jose::jws::sign(&key.unwrap(), "bauta-site-entry+jwt", &careless);
    let careless = signed(&asking(&careless, on(today.0)));
    stage.refuses_request("an entry for both", "site-entry-invalid", careless);

    // The control, on the day before as on this one: clocks differ. Then only the account is shown.
    let genuine = signed(&asking(&entry, on(today.0 - 1)));
    stage
        .impostor
        .behave(move |asked| answer_and_accept(asked, &genuine));
    for (outcome, query) in [
        ("signed-up", "certificate_with_age"),
        ("signed-in", "account"),
    ] {
        let said = stage.wallet().sign_in(&stage.link()).unwrap().unwrap();
        assert_eq!(said["outcome"], outcome);
        let posted = stage.impostor.heard().pop().unwrap();
        let body = String::from_utf8(posted.body.to_vec()).unwrap();
        let opened: Value = serde_json::from_slice(&stage.keys.open(&body).unwrap()).unwrap();
        assert!(opened["vp_token"][query].is_array(), "{opened}");
    }
    let mut value = serde_json::to_value(asking(&entry, on(today.0))).unwrap();
    let query = &mut value["dcql_query"];
    query["credentials"].as_array_mut().unwrap().drain(..2);
    query.as_object_mut().unwrap().remove("credential_sets");
    let again = signed(&serde_json::from_value(value.clone()).unwrap());
    stage.refuses_request("again", "certificate-not-registered", again);
    let by_law = stage.entry(|entry| {
        entry.age_over = Some(years(18));
        entry.requires_certificate = true;
    });
    value["verifier_info"][0]["data"] = json!(by_law);
    let again = signed(&serde_json::from_value(value).unwrap());
    stage.refuses_request("again, by law", "age-proved-already", again);
    no_second_age(&stage);
}

/// The operator vouches for another age later: the first one stays the only one.
fn no_second_age(stage: &Stage) {
    for number in [17, 19] {
        let years = Years::try_from(number).unwrap();
        let entry = stage.entry(|entry| entry.age_over = Some(years));
        let age = AgeAsked {
            years,
            on: stage.now.day(),
        };
        let other = stage.keys.signer.sign(&stage.asking(&entry, age));
        stage.refuses_request("a second age", "age-changed", other);
    }
}

#[test]
fn a_wallet_refuses_requests_that_are_malformed_expired_or_of_another_kind() {
    let stage = Stage::new();
    let genuine = stage.keys.signer.sign(&stage.genuine());

    let past = UnixTime(stage.now.0 - 3600);
    let expired = stage.keys.signer.sign(&stage.keys.ask(past).unwrap());
    stage.refuses_request("expired", "request-expired", expired);
    let (head, tail) = genuine.split_at(genuine.len() / 2);
    let other = if tail.starts_with('A') { 'B' } else { 'A' };
    let tampered = format!("{head}{other}{}", &tail[1..]);
    stage.refuses_request("tampered", "request-invalid", tampered);
    stage.refuses_request("truncated", "request-invalid", head.to_owned());
    stage.refuses_request("empty", "request-invalid", String::new());
    stage.refuses_request("a page", "request-invalid", "<html></html>".to_owned());
    let shop = GatewayKeys::read(&stage.world, Party::ShopGateway).unwrap();
    let shops = shop.signer.sign(&shop.ask(stage.now).unwrap());
    stage.refuses_request("another gateway's", "request-invalid", shops);
    for (member, value) in [
        ("response_mode", json!("direct_post")),
        ("response_type", json!("id_token")),
        ("aud", json!("https://elsewhere.example")),
        ("verifier_info", json!([])),
    ] {
        let request = stage.changed(|request| request[member] = value.clone());
        stage.refuses_request(member, "request-invalid", request);
    }
    let kind = "/dcql_query/credentials/1/meta/vct_values/0";
    let other_kind =
        stage.changed(|request| *request.pointer_mut(kind).unwrap() = json!("urn:other"));
    stage.refuses_request("another credential", "query-unsupported", other_kind);

    let link = stage.link();
    let large = Said::ok(REQUEST, vec![b'a'; 5 << 20]);
    stage.refuses("oversized", "answer-too-large", &link, large);
    let binary = Said::ok(REQUEST, vec![0xff; 40]);
    stage.refuses("binary", "request-invalid", &link, binary);
    let gone = |body: &str| Said {
        status: StatusCode::GONE,
        ..Said::ok("application/problem+json", body)
    };
    let told = gone(r#"{"id": "request-ended", "detail": "over \u001b[2J"}"#);
    stage.refuses("gone", "request-ended", &link, told);
    let steering = gone(r#"{"id": "\u001b[2J", "detail": "x"}"#);
    stage.refuses("an id that steers", "server-failed", &link, steering);
    stage.refuses("gone without a word", "server-failed", &link, gone(""));
    let moved = Said {
        status: StatusCode::FOUND,
        ..Said::ok("text/plain", "")
    };
    stage.refuses("a redirect", "server-failed", &link, moved);

    let plain = link.replace("https%3A", "http%3A");
    assert_ne!(plain, link);
    let by_value = format!("{link}&request=eyJ");
    for link in [
        &plain,
        &by_value,
        "https://forum.localhost/",
        "openid4vp://",
        "",
    ] {
        stage.refuses(
            link,
            "link-invalid",
            link,
            Said::ok(REQUEST, genuine.clone()),
        );
        assert!(stage.impostor.heard().is_empty());
    }
}

#[test]
fn answers_of_a_gateway_that_are_lost_or_broken_lose_no_account() {
    let stage = Stage::new();
    let genuine = stage.keys.signer.sign(&stage.genuine());
    let device_keys = || {
        let listed = stage.wallet().run(&["devices"]).unwrap().unwrap();
        listed["devices"].clone()
    };
    // The gateway takes the certificate and its answer is lost: the key that it knows is kept.
    let request = genuine.clone();
    stage.impostor.behave(move |asked| match asked.method {
        Method::GET => Said::ok(REQUEST, request.clone()),
        _ => Said {
            status: StatusCode::BAD_GATEWAY,
            ..Said::ok("text/html", "<h1>502</h1>")
        },
    });
    let refused = stage.wallet().sign_in(&stage.link()).unwrap().unwrap_err();
    assert_eq!(refused.id, "server-failed");
    let key = device_keys();
    assert!(key[0]["key"].is_string(), "{key}");

    let request = genuine.clone();
    stage.impostor.behave(move |asked| match asked.method {
        Method::GET => Said::ok(REQUEST, request.clone()),
        _ => Said::ok("application/json", "]"),
    });
    let refused = stage.wallet().sign_in(&stage.link()).unwrap().unwrap_err();
    assert_eq!(refused.id, "server-failed");
    assert_eq!(device_keys(), key);

    stage
        .impostor
        .behave(move |asked| answer_and_accept(asked, &genuine));
    stage.wallet().sign_in(&stage.link()).unwrap().unwrap();
    assert_eq!(device_keys(), key);

    // A gateway that has forgotten the account gets the certificate only when asked again.
    let genuine = stage.keys.signer.sign(&stage.genuine());
    let request = genuine.clone();
    stage.impostor.behave(move |asked| match asked.method {
        Method::GET => Said::ok(REQUEST, request.clone()),
        _ => Said {
            status: StatusCode::FORBIDDEN,
            ..Said::ok(
                "application/json",
                r#"{"error": "access_denied", "id": "account-unknown"}"#,
            )
        },
    });
    let _before = stage.impostor.heard();
    let refused = stage.wallet().sign_in(&stage.link()).unwrap().unwrap_err();
    assert_eq!(refused.id, "account-unknown");
    let heard = stage.impostor.heard();
    let posted: Vec<_> = heard
        .iter()
        .filter(|one| one.method == Method::POST)
        .collect();
    assert_eq!(posted.len(), 1);
    let opened = stage
        .keys
        .open(std::str::from_utf8(&posted[0].body).unwrap())
        .unwrap();
    let opened: Value = serde_json::from_slice(&opened).unwrap();
    assert!(opened["vp_token"]["certificate"].is_null(), "{opened}");
    stage
        .impostor
        .behave(move |asked| answer_and_accept(asked, &genuine));
    let said = stage.wallet().sign_in(&stage.link()).unwrap().unwrap();
    assert_eq!(said["outcome"], "signed-up");
}

fn answer_and_accept(asked: &Asked, request: &str) -> Said {
    match asked.method {
        Method::GET => Said::ok(REQUEST, request),
        _ => Said::ok("application/json", "{}"),
    }
}

fn parse(entry: &str) -> SiteEntry {
    let payload = entry.split('.').nth(1).unwrap();
    serde_json::from_slice(&credential::jose::decode(payload).unwrap()).unwrap()
}
