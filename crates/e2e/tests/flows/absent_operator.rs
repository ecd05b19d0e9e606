//! H01: nobody but wallet and site takes part in a sign-in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use e2e::log_in::{LoggedIn, Way, log_in};
use e2e::wait;
use e2e::wallet::Wallet;
use e2e::world::{AUTHORITIES, GATEWAYS, World, snapshot};
use rusqlite::Connection;
use server::demo::deployment::{Deployment, Party};

const SIGN_INS: usize = 1000;

#[test]
fn a_thousand_sign_ins_reach_no_authority_and_a_thousand_more_pass_without_any() {
    let mut world = World::new().unwrap();
    let deployment = world.deployment().clone();
    shorten_sessions(&deployment);
    for party in AUTHORITIES.into_iter().chain(GATEWAYS) {
        world.start(party).unwrap();
    }
    // The control: an enrolment is seen by the counters and changes the files.
    let (connections, files) = (world.connections(), authority_files(&world));
    let people = [("alva", 1), ("bero", 2)].map(|(name, number)| {
        world.enrol(name, number).unwrap();
        Wallet::new(&deployment, name)
    });
    assert!(world.connections() > connections);
    assert_ne!(authority_files(&world), files);
    let accounts: Vec<_> = people
        .iter()
        .zip(GATEWAYS)
        .map(|(wallet, gateway)| world.log_in(gateway, wallet).unwrap())
        .collect();

    wait_until_nothing_of_the_enrolments_can_expire(&world);
    let (connections, files) = (world.connections(), authority_files(&world));
    let begun = Instant::now();
    sign_in_many(&world, &people, &accounts);
    let with_authorities = begun.elapsed();
    assert_eq!(
        world.connections(),
        connections,
        "connections to operator or trustees"
    );
    let (after, before) = (authority_files(&world), files);
    let changed = after
        .iter()
        .filter(|(path, octets)| before.get(*path) != Some(*octets));
    let changed: Vec<_> = changed.map(|(path, _)| path).collect();
    assert_eq!(
        changed,
        [] as [&PathBuf; 0],
        "files of operator or trustees"
    );
    assert_eq!(after.len(), before.len());

    for party in AUTHORITIES.into_iter().chain(GATEWAYS) {
        world.stop(party).unwrap();
    }
    for gateway in GATEWAYS {
        world.start(gateway).unwrap();
    }
    let begun = Instant::now();
    sign_in_many(&world, &people, &accounts);
    assert_eq!(
        world.connections(),
        connections,
        "calls to operator or trustees that were off"
    );
    eprintln!(
        "{SIGN_INS} sign-ins: {} s with operator and trustees, {} s without",
        with_authorities.as_secs(),
        begun.elapsed().as_secs()
    );
}

/// Enrolment sessions, and the codes, tokens and answers that end with them, live for seconds.
fn shorten_sessions(deployment: &Deployment) {
    let path = deployment.config(Party::Operator);
    let mut config = std::fs::read_to_string(&path).unwrap();
    config.push_str("\n[enrolment]\nsession_secs = 20\n");
    std::fs::write(path, config).unwrap();
}

/// What the enrolments left with an end is deleted when that comes, which changes files; the test
/// begins after that. The operator's rows go with the session, those of the trustees a minute after
/// they were asked: each is waited for by itself.
fn wait_until_nothing_of_the_enrolments_can_expire(world: &World) {
    let copy = world.scratch().unwrap();
    let mut parties = AUTHORITIES;
    parties.sort_by_key(|party| *party != Party::Operator);
    for party in parties {
        let what = format!(
            "the last row of the enrolments to expire at {}",
            party.name()
        );
        wait::until(&what, || {
            let rows = rows_that_expire(world, party, &copy)?;
            Ok((rows == 0).then_some(()))
        })
        .unwrap();
    }
}

fn rows_that_expire(world: &World, party: Party, copy: &Path) -> anyhow::Result<i64> {
    let (file, tables): (_, &[&str]) = if party == Party::Operator {
        ("sessions.sqlite", &["code", "token", "nonce", "jti"])
    } else {
        ("trustee.sqlite", &["answer", "rate_span"])
    };
    let state = world.deployment().folder_of(party).join("state");
    // A copy, because even a reader changes files of the original.
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("{file}{suffix}");
        std::fs::copy(state.join(&name), copy.join(&name))?;
    }
    let connection = Connection::open(copy.join(file))?;
    let mut rows = 0;
    for table in tables {
        let count = format!("SELECT count(*) FROM {table}");
        rows += connection.query_row(&count, [], |row| row.get::<_, i64>(0))?;
    }
    Ok(rows)
}

/// Both people sign in at the same time, each at one site, half of the times each.
fn sign_in_many(world: &World, people: &[Wallet<'_>], accounts: &[LoggedIn]) {
    std::thread::scope(|scope| {
        for ((wallet, account), gateway) in people.iter().zip(accounts).zip(GATEWAYS) {
            scope.spawn(move || {
                let site = world.relying_party(gateway).unwrap();
                for _ in 0..SIGN_INS / GATEWAYS.len() {
                    let browser = world.browser().unwrap();
                    let done = log_in(&site, &browser, wallet, Way::OtherDevice).unwrap();
                    assert_eq!(done.outcome, "signed-in");
                    assert_eq!(done.subject(), account.subject());
                }
            });
        }
    });
}

/// Everything that operator and trustees have written anywhere.
fn authority_files(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for party in AUTHORITIES {
        files.append(&mut snapshot(&world.deployment().folder_of(party)).unwrap());
    }
    let logs = snapshot(&world.logs()).unwrap();
    let of_authority = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        AUTHORITIES.iter().any(|party| party.name() == name)
    };
    files.extend(logs.into_iter().filter(|(path, _)| of_authority(path)));
    files
}
