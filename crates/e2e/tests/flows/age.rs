//! Ages: proved once at a sign-up, never told to the day, asked again only when a site asks for more.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use axum::http::Method;
use credential::age::{AgeAsked, Years};
use credential::attributes::BirthDate;
use e2e::binaries;
use e2e::log_in::{Way, log_in};
use e2e::recorder::Recorder;
use e2e::rows;
use e2e::wallet::Wallet;
use e2e::world::{World, snapshot};
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

/// What a person reads before agreeing to a log-in at the shop; this one does not agree.
fn consent_text(world: &World, name: &str) -> String {
    let site = world.relying_party(Party::ShopGateway).unwrap();
    let page = world.browser().unwrap().open(&site.begin().unwrap().url);
    let link = page.unwrap().request_link().unwrap();
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
    let site = world.relying_party(Party::ShopGateway).unwrap();
    let page = world.browser().unwrap().open(&site.begin().unwrap().url);
    let link = page.unwrap().request_link().unwrap();
    let home = world.deployment().wallet_home("bero");
    let before = snapshot(&home).unwrap();
    let refused = too_young.sign_in(&link).unwrap().unwrap_err();
    assert_eq!(refused.id, "age-not-reached", "{}", refused.what);
    assert_eq!(presentations(), 0, "nothing is sent");
    assert_eq!(snapshot(&home).unwrap(), before);
    // The forum asks for no age.
    let (outcome, claims) = visit(&world, Party::ForumGateway, &too_young);
    assert_eq!(outcome, "signed-up");
    assert!(!claims.to_string().contains("age_over"), "{claims}");
    assert_eq!(remembered(&too_young), [Value::Null]);
}

#[test]
fn a_site_that_begins_to_ask_or_asks_for_more_gets_one_proof_of_each_account() {
    let mut world = World::running().unwrap();
    enrolled(&world, "alva", 41, 0);
    enrolled(&world, "bero", 42, 1);
    let (outcome, first) = visit(&world, Party::ForumGateway, &world.wallet("alva"));
    assert_eq!(
        (outcome.as_str(), first.get("age_over_16")),
        ("signed-up", None)
    );
    visit(&world, Party::ForumGateway, &world.wallet("bero"));

    for (years, bero_is_old_enough) in [("16", true), ("18", false)] {
        if years == "18" {
            no_other_age_while_an_entry_is_valid(&world, years);
            let sites = world.state(Party::Operator).join("sites.sqlite");
            // Stands for a year of waiting.
            let sites = rusqlite::Connection::open(sites).unwrap();
            sites
                .execute("UPDATE site_entry SET expires = 1", [])
                .unwrap();
        }
        register_anew(&world, years);
        world.stop(Party::ForumGateway).unwrap();
        world.start(Party::ForumGateway).unwrap();
        let claim = format!("age_over_{years}");
        for expected in ["signed-up", "signed-in"] {
            let (outcome, claims) = visit(&world, Party::ForumGateway, &world.wallet("alva"));
            assert_eq!(outcome, expected, "{years}");
            assert_eq!(
                (&claims["sub"], &claims[&claim]),
                (&first["sub"], &json!(true))
            );
        }
        let site = world.relying_party(Party::ForumGateway).unwrap();
        let page = world.browser().unwrap().open(&site.begin().unwrap().url);
        let said = world
            .wallet("bero")
            .sign_in(&page.unwrap().request_link().unwrap())
            .unwrap();
        match said {
            Ok(said) => {
                assert!(bero_is_old_enough, "{said}");
                assert_eq!(said["age_over"].to_string(), years);
            }
            Err(refused) => {
                assert_eq!(refused.id, "age-not-reached");
                assert!(!bero_is_old_enough);
            }
        }
    }
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
    let site = world.relying_party(Party::ForumGateway).unwrap();
    let page = world.browser().unwrap().open(&site.begin().unwrap().url);
    let link = page.unwrap().request_link().unwrap();
    let refused = world.wallet("alva").sign_in(&link).unwrap().unwrap_err();
    assert_eq!(refused.id, "age-required");
    let said = world.wallet("alva").sign_in(&link).unwrap().unwrap();
    assert_eq!(
        (&said["outcome"], &said["age_over"]),
        (&json!("signed-up"), &json!(18))
    );
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
    let entry = std::fs::read_to_string(&file).unwrap();
    let entry = credential::jose::decode(entry.split('.').nth(1).unwrap()).unwrap();
    (file, serde_json::from_slice(&entry).unwrap())
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
