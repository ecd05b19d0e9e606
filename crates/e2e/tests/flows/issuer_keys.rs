//! The issuer's keys when the clock is wrong, after a pause, and after a crash while one is destroyed.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::http::StatusCode;
use credential::jose::jws::UnverifiedJws;
use credential::time::EPOCH_SECONDS;
use e2e::binaries;
use e2e::browser::Browser;
use e2e::faketime::{Dial, Weeks};
use e2e::wait;
use e2e::wallet::Environment;
use e2e::world::{World, snapshot};
use serde_json::Value;
use server::demo::deployment::Party;

const HOUR: u64 = 3600;
/// The clock has to stand in an epoch for so long before the last key is destroyed.
const SETTLE: u64 = 600;

fn key_folder(world: &World) -> PathBuf {
    world.state(Party::Operator).join("issuer-keys")
}

/// The epoch of the manifest that the operator gives out, or the id of its refusal.
fn manifest(world: &World, browser: &Browser) -> Result<u64, String> {
    let origin = world.deployment().origin(Party::Operator);
    let url = format!("{origin}/.well-known/bauta/manifest");
    let answer = browser.call(|client| client.get(url)).unwrap();
    if answer.status == StatusCode::OK {
        let text = String::from_utf8(answer.body).unwrap();
        let payload: Value = UnverifiedJws::parse(&text)
            .unwrap()
            .unverified_payload()
            .unwrap();
        return Ok(payload["epoch"].as_u64().unwrap());
    }
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().unwrap();
    Err(problem["id"].as_str().unwrap().to_owned())
}

#[test]
fn a_clock_that_leaps_stops_the_issuing_and_destroys_no_key() {
    let weeks = Weeks::from_next();
    let mut world = World::new().unwrap();
    let dial = Dial::new(&world.scratch().unwrap(), weeks.time(0, HOUR)).unwrap();
    world
        .start_within(Party::Operator, &dial.environment().unwrap())
        .unwrap();
    let browser = world.browser().unwrap();
    let [first, second] = [0, 1].map(|week| u64::from(weeks.epoch(week).0));
    let folder = key_folder(&world);
    let keys = snapshot(&folder).unwrap();
    assert_eq!(manifest(&world, &browser), Ok(first));

    for week in [2, 3, 60] {
        dial.set(weeks.time(week, HOUR)).unwrap();
        let paused = Err("issuing-paused".to_owned());
        assert_eq!(manifest(&world, &browser), paused);
        // Nor after it has stood there for as long as it likes.
        dial.set(weeks.time(week, HOUR + 2 * SETTLE)).unwrap();
        assert_eq!(manifest(&world, &browser), paused);
    }
    let log = world.logs().join("operator.err");
    wait::until("a line in the log", || {
        let log = std::fs::read_to_string(&log)?;
        Ok(log.contains("clock-ahead").then_some(()))
    })
    .unwrap();
    assert_eq!(snapshot(&folder).unwrap(), keys);
    dial.set(weeks.time(0, 2 * HOUR)).unwrap();
    assert_eq!(manifest(&world, &browser), Ok(first));

    // A week ahead for a while: the next key is drawn, and this week's is still there.
    dial.set(weeks.time(1, HOUR)).unwrap();
    assert_eq!(manifest(&world, &browser), Ok(second));
    dial.set(weeks.time(1, HOUR + SETTLE - 60)).unwrap();
    assert_eq!(manifest(&world, &browser), Ok(second));
    dial.set(weeks.time(0, 3 * HOUR)).unwrap();
    assert_eq!(manifest(&world, &browser), Ok(first));
    let now = snapshot(&folder).unwrap();
    assert!(keys.iter().all(|(name, key)| now.get(name) == Some(key)));

    // The week ends.
    dial.set(weeks.time(0, EPOCH_SECONDS)).unwrap();
    assert_eq!(manifest(&world, &browser), Ok(second));
    dial.set(weeks.time(1, SETTLE + 1)).unwrap();
    let secret = folder.join(format!("epoch-{first}"));
    wait::until("the end of last week's key", || {
        Ok((!secret.exists()).then_some(()))
    })
    .unwrap();
    assert!(folder.join(format!("epoch-{first}.pub")).exists());
    assert_eq!(manifest(&world, &browser), Ok(second));
    let left = snapshot(&folder).unwrap();
    let of_first = &keys[&secret];
    assert!(left.values().all(|key| key != of_first), "a copy is left");
}

/// What `bauta serve` refuses with when it is started with these arguments.
fn refused(world: &World, now: &Environment, arguments: &[&str]) -> String {
    let mut serve = Command::new(binaries::path("bauta").unwrap());
    serve.args(["serve", "--config"]);
    serve.arg(world.deployment().config(Party::Operator));
    let done = serve.args(arguments).envs(now.iter().cloned()).output();
    let done = done.unwrap();
    assert!(!done.status.success() && done.stdout.is_empty());
    String::from_utf8(done.stderr).unwrap()
}

#[test]
fn after_a_pause_of_weeks_an_operator_starts_with_the_date_and_ends_what_a_crash_began() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(0, HOUR).unwrap();
    let mut world = World::new().unwrap();
    world.start_within(Party::Operator, &begin).unwrap();
    let folder = key_folder(&world);
    let secret = |week| folder.join(format!("epoch-{}", weeks.epoch(week).0));
    let first = std::fs::read(secret(0)).unwrap();
    world.kill(Party::Operator).unwrap();
    let keys = snapshot(&folder).unwrap();

    let later = weeks.at(5, HOUR).unwrap();
    for arguments in [[].as_slice(), &["--today", "2020-02-30"], &["--today", ""]] {
        let said = refused(&world, &later, arguments);
        assert!(said.contains("[clock-ahead]"), "{said}");
        let date = server::clock::date(weeks.time(5, HOUR));
        assert!(said.contains(&date) && said.contains("--today"), "{said}");
    }
    assert_eq!(snapshot(&folder).unwrap(), keys);
    // A clock that is behind draws nothing either.
    let said = refused(&world, &Environment::new(), &[]);
    assert!(said.contains("[issuer-key-gone]"), "{said}");
    assert_eq!(snapshot(&folder).unwrap(), keys);

    // Each state in which a crash can leave a key that is being destroyed or written.
    let half = [&[0; 16], &first[16..]].concat();
    for (name, octets) in [
        ("epoch-7.gone", first.as_slice()),
        ("epoch-7.gone", &half),
        ("epoch-7.gone", &[0; 32]),
        ("epoch-7.new", &first),
        ("epoch-7.new", &[]),
    ] {
        std::fs::write(folder.join(name), octets).unwrap();
        world.start_within(Party::Operator, &begin).unwrap();
        world.kill(Party::Operator).unwrap();
        assert_eq!(snapshot(&folder).unwrap(), keys, "{name}");
    }

    world.start_within(Party::Operator, &later).unwrap();
    let browser = world.browser().unwrap();
    let now = u64::from(weeks.epoch(5).0);
    assert_eq!(manifest(&world, &browser), Ok(now));
    assert!(is_kept(&folder, &keys));
}

/// Whether all files are still there.
fn is_kept(folder: &Path, files: &std::collections::BTreeMap<PathBuf, Vec<u8>>) -> bool {
    let now = snapshot(folder).unwrap();
    files
        .iter()
        .all(|(name, content)| now.get(name) == Some(content))
}
