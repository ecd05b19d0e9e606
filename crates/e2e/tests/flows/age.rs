//! Ages: proved once at a sign-up, never told to the day, one number for each site; and who is too
//! young looks to the site like anybody who declines.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use axum::http::{HeaderValue, Method};
use credential::age::{AgeAsked, Years};
use credential::attributes::BirthDate;
use credential::jose::SigningKey;
use credential::site_entry::SiteEntry;
use e2e::binaries;
use e2e::log_in::{Way, log_in};
use e2e::recorder::{Exchange, Recorder};
use e2e::rows;
use e2e::wallet::{Refused, Wallet};
use e2e::world::World;
use openid4vc::vp::PostedResponse;
use serde_json::{Value, json};
use server::clock;
use server::demo::deployment::Party;

/// Somebody born so many days after the last day of birth that makes 18 today.
fn enrolled<'a>(world: &'a World, name: &str, number: u16, days_after: u16) -> Wallet<'a> {
    let asked = AgeAsked {
        years: Years::try_from(18).unwrap(),
        on: clock::now().day(),
    };
    let born = asked.born_by().unwrap().day_number() + days_after;
    let born = BirthDate::of_day_number(born).to_iso();
    let passport = world
        .deployment()
        .passport(number, &["--birth-date", &born]);
    let wallet = world.wallet(name);
    wallet.enrol(&passport.unwrap()).unwrap().unwrap();
    wallet
}

/// What the wallet says of a log-in at the site behind `gateway`, and the claims of its ID token.
fn visit(world: &World, gateway: Party, wallet: &Wallet<'_>) -> (String, Value) {
    let site = world.relying_party(gateway).unwrap();
    let browser = world.browser().unwrap();
    let done = log_in(&site, &browser, wallet, Way::OtherDevice).unwrap();
    (done.outcome, done.claims)
}

/// The request link of a new log-in.
fn link(world: &World, gateway: Party) -> String {
    let site = world.relying_party(gateway).unwrap();
    let page = world.browser().unwrap().open(&site.begin().unwrap().url);
    page.unwrap().request_link().unwrap()
}

/// What a person reads before agreeing to a log-in at the shop; this one does not agree.
fn consent_text(world: &World, name: &str) -> String {
    let link = link(world, Party::ShopGateway);
    let mut wallet = world.deployment().wallet(name).unwrap();
    let shown = wallet
        .args(["sign-in", &link])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!shown.status.success());
    String::from_utf8([shown.stdout, shown.stderr].concat()).unwrap()
}

/// The ages that the wallet remembers having proved.
fn remembered(wallet: &Wallet<'_>) -> Vec<Value> {
    let listed = wallet.run(&["sites"]).unwrap().unwrap();
    let sites = listed["sites"].as_array().unwrap().iter();
    sites.map(|site| site["age_over"].clone()).collect()
}

#[test]
fn an_age_is_proved_at_the_sign_up_to_the_day_and_never_again() {
    let world = World::running().unwrap();
    let old_enough = enrolled(&world, "alva", 41, 0);
    let recorder = Recorder::start(&world, Party::ShopGateway).unwrap();
    let presentations = || {
        let heard = recorder.take();
        let posts = heard.iter().filter(|one| {
            one.asked.method == Method::POST && one.asked.path.ends_with("/response")
        });
        posts.count()
    };
    let agreed_to = consent_text(&world, "alva");
    let today = AgeAsked {
        years: Years::try_from(18).unwrap(),
        on: clock::now().day(),
    };
    let promise = format!(
        "Proves that you are at least 18 years old on {}; not your birth date.",
        today.on_iso()
    );
    assert!(agreed_to.contains(&promise), "{agreed_to}");
    let mut subjects = Vec::new();
    for expected in ["signed-up", "signed-in", "signed-in"] {
        let (outcome, claims) = visit(&world, Party::ShopGateway, &old_enough);
        assert_eq!(outcome, expected);
        assert_eq!(claims["age_over_18"], json!(true), "{claims}");
        assert_eq!(presentations(), 1);
        subjects.push(claims["sub"].clone());
    }
    assert!(subjects.iter().all(|subject| *subject == subjects[0]));
    assert_eq!(remembered(&old_enough), [json!(18)]);
    assert!(!consent_text(&world, "alva").contains("years old"));
    // A device key that the account does not know comes by certificate, without a second proof.
    let shop = world.deployment().origin(Party::Shop);
    let forgot = old_enough.run(&["devices", "--forget", &shop]);
    forgot.unwrap().unwrap();
    let (outcome, claims) = visit(&world, Party::ShopGateway, &old_enough);
    assert_eq!(
        (outcome.as_str(), &claims["sub"]),
        ("signed-up", &subjects[0])
    );
    assert_eq!(claims["age_over_18"], json!(true));
    assert_eq!(presentations(), 1);

    let too_young = enrolled(&world, "bero", 42, 1);
    let refused = too_young.sign_in(&link(&world, Party::ShopGateway));
    let refused = refused.unwrap().unwrap_err();
    assert_eq!(refused.id, "age-not-reached", "{}", refused.what);
    // The forum asks for no age.
    let (outcome, claims) = visit(&world, Party::ForumGateway, &too_young);
    assert_eq!(outcome, "signed-up");
    assert!(!claims.to_string().contains("age_over"), "{claims}");
    assert_eq!(remembered(&too_young), [Value::Null]);
}

/// All that a gateway sees of a wallet's answer to one request: addresses without the log-in's name,
/// headers, length of the body; what is in it without the request's state; its own answer.
fn seen(recorder: &Recorder) -> Vec<Value> {
    let see = |exchange: &Exchange| {
        let Exchange { asked, said, keys } = exchange;
        let mut headers: Vec<_> = asked.headers.iter().collect();
        headers.sort_by_key(|(name, _)| name.as_str());
        let value = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, content)| json!([name.as_str(), value(content)]))
            .collect();
        let way: Vec<_> = asked.path.rsplit('/').take(2).collect();
        let body = std::str::from_utf8(&asked.body).unwrap();
        let plain = match PostedResponse::parse(body) {
            Ok(PostedResponse::Encrypted(jwe)) => keys.iter().find_map(|key| jwe.decrypt(key).ok()),
            Ok(_) | Err(_) => None,
        };
        let mut plain: Value =
            plain.map_or(Value::Null, |plain| serde_json::from_slice(&plain).unwrap());
        if let Some(members) = plain.as_object_mut() {
            members.remove("state").unwrap();
        }
        json!([
            asked.method.as_str(),
            way,
            headers,
            body.len(),
            plain,
            said.status.as_u16(),
            String::from_utf8_lossy(if asked.method == Method::POST {
                &said.body
            } else {
                b""
            }),
        ])
    };
    recorder.take().iter().map(see).collect()
}

#[test]
fn to_the_site_who_cannot_prove_the_age_looks_like_anybody_who_declines() {
    let world = World::running().unwrap();
    enrolled(&world, "alva", 41, 0);
    enrolled(&world, "bero", 42, 1);
    let scratch = world.scratch().unwrap();
    let file = |name: &str| scratch.join(name).to_str().unwrap().to_owned();
    std::fs::write(file("passphrase"), "six words that nobody would guess").unwrap();
    let (backup, passphrase) = (file("backup"), file("passphrase"));
    let ca = world.deployment().ca();
    let run = |name: &str, arguments: &[&str]| world.wallet(name).run(arguments).unwrap();
    let with = ["--passphrase-file", &passphrase];
    run("alva", &[&["backup", &backup][..], &with].concat()).unwrap();
    let restore = [
        &["restore", &backup][..],
        &with,
        &["--ca", ca.to_str().unwrap()],
    ];
    run("celi", &restore.concat()).unwrap();

    let recorder = Recorder::start(&world, Party::ShopGateway).unwrap();
    let mut all = Vec::new();
    for (name, flag, id) in [
        ("alva", "--decline", None),
        ("bero", "--decline", None),
        ("celi", "--decline", None),
        ("bero", "--yes", Some("age-not-reached")),
        ("celi", "--yes", Some("certificate-missing")),
    ] {
        let link = link(&world, Party::ShopGateway);
        drop(recorder.take());
        let said = run(name, &["sign-in", &link, flag]);
        let refused = said.as_ref().err().map(|refused| refused.id.as_str());
        assert_eq!(refused, id, "{name} {flag}: {said:?}");
        let ends = |said: &Refused| said.what.ends_with("the site was told that you declined");
        assert!(said.as_ref().err().is_none_or(ends), "{said:?}");
        all.push(seen(&recorder));
    }
    assert_eq!(all[0].len(), 2, "the request and one answer: {:?}", all[0]);
    assert_eq!(
        all[0][1][4],
        json!({"error": "access_denied"}),
        "{:?}",
        all[0]
    );
    for other in &all {
        assert_eq!(*other, all[0]);
    }
    // Without a word of the person nothing is sent, whoever it is.
    for name in ["alva", "bero", "celi"] {
        let link = link(&world, Party::ShopGateway);
        drop(recorder.take());
        run(name, &["sign-in", &link]).unwrap_err();
        assert_eq!(seen(&recorder).len(), 1, "{name}");
    }
}

#[test]
fn a_site_that_begins_to_ask_gets_one_proof_of_each_account_and_none_of_another_age() {
    let mut world = World::running().unwrap();
    for (name, number) in [("alva", 41), ("bero", 42), ("celi", 43)] {
        enrolled(&world, name, number, 0);
    }
    let (outcome, first) = visit(&world, Party::ForumGateway, &world.wallet("alva"));
    assert_eq!(
        (outcome.as_str(), first.get("age_over_16")),
        ("signed-up", None)
    );

    register_anew(&world, "16");
    no_other_age_while_an_entry_is_valid(&world, "18");
    restart(&mut world, Party::ForumGateway);
    for expected in ["signed-up", "signed-in"] {
        let (outcome, claims) = visit(&world, Party::ForumGateway, &world.wallet("alva"));
        assert_eq!(outcome, expected);
        assert_eq!(
            (&claims["sub"], &claims["age_over_16"]),
            (&first["sub"], &json!(true))
        );
    }
    let declined = |name: &str| {
        let arguments = ["sign-in", &link(&world, Party::ForumGateway), "--decline"];
        world.wallet(name).run(&arguments).unwrap().unwrap()
    };
    assert_eq!(declined("bero")["outcome"], "declined");

    // A gateway that has lost what was proved asks again, and the wallet does not insist.
    let store = world
        .deployment()
        .folder_of(Party::ForumGateway)
        .join("gateway.sqlite");
    world.stop(Party::ForumGateway).unwrap();
    let lost = rusqlite::Connection::open(store).unwrap();
    lost.execute("UPDATE accounts SET age_over = NULL", [])
        .unwrap();
    drop(lost);
    world.start(Party::ForumGateway).unwrap();
    let asked = link(&world, Party::ForumGateway);
    let refused = world.wallet("alva").sign_in(&asked).unwrap().unwrap_err();
    assert_eq!(refused.id, "age-required");
    let said = world.wallet("alva").sign_in(&asked).unwrap().unwrap();
    assert_eq!(
        (&said["outcome"], &said["age_over"]),
        (&json!("signed-up"), &json!(16))
    );

    // Another age, by an entry that the operator has signed: not for who proved or declined the
    // first, and for who never saw that.
    sign_anew(&world, 18);
    restart(&mut world, Party::ForumGateway);
    let recorder = Recorder::start(&world, Party::ForumGateway).unwrap();
    for name in ["alva", "bero"] {
        let asked = link(&world, Party::ForumGateway);
        drop(recorder.take());
        let refused = world.wallet(name).sign_in(&asked).unwrap().unwrap_err();
        assert_eq!(refused.id, "age-changed", "{name}");
        assert_eq!(seen(&recorder).len(), 1, "{name}: nothing is sent");
    }
    let (outcome, claims) = visit(&world, Party::ForumGateway, &world.wallet("celi"));
    assert_eq!(outcome, "signed-up");
    assert_eq!(claims["age_over_18"], json!(true));
}

fn restart(world: &mut World, party: Party) {
    world.stop(party).unwrap();
    world.start(party).unwrap();
}

/// The operator's key signs an entry for the forum that asks for another age, whatever its register
/// says of the one before.
fn sign_anew(world: &World, years: u8) {
    let file = world
        .deployment()
        .folder_of(Party::ForumGateway)
        .join("site-entry.jwt");
    let mut entry: SiteEntry = serde_json::from_value(entry_in(&file)).unwrap();
    entry.age_over = Some(Years::try_from(years).unwrap());
    let operator = world.deployment().folder_of(Party::Operator);
    let key = std::fs::read(operator.join("operator.key")).unwrap();
    let key = SigningKey::from_pkcs8(&key).unwrap();
    std::fs::write(&file, entry.sign(&key).unwrap()).unwrap();
}

fn entry_in(file: &Path) -> Value {
    let entry = std::fs::read_to_string(file).unwrap();
    let entry = credential::jose::decode(entry.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&entry).unwrap()
}

/// A second number, with which the forum could come nearer to a date of birth, is refused.
fn no_other_age_while_an_entry_is_valid(world: &World, years: &str) {
    let folder = world.deployment().folder_of(Party::ForumGateway);
    let out = folder.join("second.jwt");
    let sites = world.state(Party::Operator).join("sites.sqlite");
    let before = rows::read(&sites).unwrap();
    let (_, entry) = entry_of_forum(world);
    let refused = add(world, &entry, &["--age-over", years], &out)
        .output()
        .unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        !refused.status.success() && said.contains("[site-age-differs]"),
        "{said}"
    );
    assert!(!out.exists());
    // Nor is anything registered that could not be written.
    let mut again = add(
        world,
        &entry,
        &["--age-over=16"],
        &folder.join("site-entry.jwt"),
    );
    let said = String::from_utf8(again.output().unwrap().stderr).unwrap();
    assert!(said.contains("[file-unwritable]"), "{said}");
    assert_eq!(rows::read(&sites).unwrap(), before);
}

/// The forum's entry, with the file that its gateway reads it from.
fn entry_of_forum(world: &World) -> (PathBuf, Value) {
    let folder = world.deployment().folder_of(Party::ForumGateway);
    let file = folder.join("site-entry.jwt");
    let entry = entry_in(&file);
    (file, entry)
}

/// The operator signs another entry for the forum, which asks for an age.
fn register_anew(world: &World, years: &str) {
    let (file, entry) = entry_of_forum(world);
    let folder = world.deployment().folder_of(Party::ForumGateway);
    // Neither beside the date of birth nor as another number.
    let other = folder.join("refused.jwt");
    for wrong in [
        ["--age-over=0"].as_slice(),
        &["--age-over=121"],
        &["--age-over=16,18"],
        &["--age-over=18", "--item=birthdate"],
    ] {
        let refused = add(world, &entry, wrong, &other).output().unwrap();
        assert!(!refused.status.success() && !other.exists(), "{wrong:?}");
    }
    std::fs::remove_file(&file).unwrap();
    let mut add = add(world, &entry, &["--age-over", years], &file);
    assert!(add.status().unwrap().success());
}

/// `bauta site add` for the site of an entry.
fn add(world: &World, entry: &Value, more: &[&str], out: &Path) -> Command {
    let mut add = Command::new(binaries::path("bauta").unwrap());
    add.args(["site", "add", "--out"]).arg(out).args(more);
    add.arg("--config")
        .arg(world.deployment().config(Party::Operator));
    for (option, value) in [
        ("--origin", &entry["site"]["origin"]),
        ("--name", &entry["site"]["name"]),
        ("--purpose", &entry["site"]["purpose"]),
        ("--alternative", &entry["site"]["alternative"]),
        ("--gateway", &entry["gateway"]["origin"]),
    ] {
        add.args([option, value.as_str().unwrap()]);
    }
    let hash = entry["gateway"]["x509_hash"].as_str().unwrap();
    add.arg(format!("--x509-hash={hash}"));
    add
}
