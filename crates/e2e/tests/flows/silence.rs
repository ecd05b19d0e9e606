//! H01: nobody but wallet and site takes part in a sign-in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use e2e::wallet::Wallet;
use e2e::world::{AUTHORITIES, GATEWAYS, LoggedIn, Way, World, log_in, snapshot};
use e2e::{faketime, rows, wait};
use server::demo::deployment::Party;

const SIGN_INS: usize = 1000;

#[test]
fn a_thousand_sign_ins_reach_no_authority_and_a_thousand_more_pass_without_any() {
    let mut world = World::running().unwrap();
    let deployment = world.deployment().clone();
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

    forget_enrolments(&mut world);
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
    eprintln!(
        "{SIGN_INS} sign-ins: {} s with operator and trustees, {} s without",
        with_authorities.as_secs(),
        begun.elapsed().as_secs()
    );
}

/// Codes, nonces and answers of an enrolment expire within the hour, and files change when they
/// are forgotten. Operator and trustees see a clock one hour ahead from here on, so that nothing
/// is left to be forgotten while people sign in.
fn forget_enrolments(world: &mut World) {
    let later = faketime::ahead("1h").unwrap();
    for party in AUTHORITIES {
        world.stop(party).unwrap();
        world.start_within(party, &later).unwrap();
    }
    wait::until("the end of what an enrolment leaves for a while", || {
        let mut rows = rows::read(&world.state(Party::Operator).join("sessions.sqlite"))?;
        for trustee in Party::TRUSTEES {
            rows.append(&mut rows::read(
                &world.state(trustee).join("trustee.sqlite"),
            )?);
        }
        let passing = ["code", "token", "nonce", "jti", "answer"];
        let left = rows.iter().any(|row| passing.contains(&row.table.as_str()));
        Ok((!left).then_some(()))
    })
    .unwrap();
}

/// Both people sign in at the same time, each at one site, half of the times each.
fn sign_in_many(world: &World, people: &[Wallet<'_>], accounts: &[LoggedIn]) {
    std::thread::scope(|scope| {
        for ((wallet, account), gateway) in people.iter().zip(accounts).zip(GATEWAYS) {
            scope.spawn(move || {
                let site = world.relying_party(gateway).unwrap();
                for _ in 0..SIGN_INS / GATEWAYS.len() {
                    let mut browser = world.browser().unwrap();
                    let done = log_in(&site, &mut browser, wallet, Way::OtherDevice).unwrap();
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
