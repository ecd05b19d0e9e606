//! An operator restores the register of the day before: who renewed since then is not locked out.

use std::path::Path;
use std::process::Command;

use e2e::binaries;
use e2e::faketime::Weeks;
use e2e::wallet::Environment;
use e2e::world::{AUTHORITIES, World};
use serde_json::{Value, json};
use server::demo::deployment::Party;

const HOUR: u64 = 3600;
const WEEK: u64 = 7 * 24 * HOUR;

/// Copies the files of a database, which nobody has open.
fn copy_database(from: &Path, to: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let [from, to] = [from, to].map(|path| format!("{}{suffix}", path.display()));
        let _absent = std::fs::remove_file(&to);
        if Path::new(&from).exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// `bauta operator raise-epochs`: what it prints, or what it refuses with.
fn raise_epochs(world: &World, now: &Environment, more: &[&str]) -> Result<Value, String> {
    let mut raise = Command::new(binaries::path("bauta").unwrap());
    raise.args(["operator", "raise-epochs", "--config"]);
    raise.arg(world.deployment().config(Party::Operator));
    let done = raise.args(more).envs(now.iter().cloned()).output().unwrap();
    match done.status.success() {
        true => Ok(serde_json::from_slice(&done.stdout).unwrap()),
        false => Err(String::from_utf8(done.stderr).unwrap()),
    }
}

#[test]
fn a_register_of_the_day_before_is_taken_up_again() {
    let weeks = Weeks::from_next();
    let begin = weeks.at(0, HOUR).unwrap();
    let mut world = World::new().unwrap();
    world.move_to(&AUTHORITIES, &begin).unwrap();
    for (name, person) in [("alva", 1), ("bero", 2)] {
        drop(world.enrol_within(name, person, &begin).unwrap());
    }
    world.stop(Party::Operator).unwrap();
    let backup = world.scratch().unwrap().join("register.sqlite");
    copy_database(&world.register(), &backup);

    // An hour before the week ends, one of them renews for the next week.
    let end = weeks.at(0, WEEK - HOUR).unwrap();
    world.move_to(&[Party::Operator], &end).unwrap();
    let renew = |world: &World, name: &str, now: &Environment| {
        let wallet = world.wallet(name).within(now);
        wallet.run(&["renew", "--now"]).unwrap()
    };
    renew(&world, "alva", &end).unwrap();
    world.stop(Party::Operator).unwrap();
    copy_database(&backup, &world.register());

    // The control: a week later she is taken for a forger.
    let later = weeks.at(1, WEEK - HOUR).unwrap();
    world.move_to(&[Party::Operator], &later).unwrap();
    let refused = renew(&world, "alva", &later).unwrap_err();
    assert_eq!(refused.id, "renewal-refused");

    world.stop(Party::Operator).unwrap();
    let before = world.register_rows().unwrap();
    let too_late = (weeks.epoch(2).0 + 1).to_string();
    let said = raise_epochs(&world, &later, &["--epoch", &too_late]).unwrap_err();
    assert!(said.contains("[argument-invalid]"), "{said}");
    assert_eq!(world.register_rows().unwrap(), before);
    // Up to the newest epoch that can have been issued, and not a second time.
    let second = weeks.epoch(1);
    let named = second.0.to_string();
    let raised = raise_epochs(&world, &later, &["--epoch", &named]);
    assert_eq!(raised, Ok(json!({ "epoch": second, "raised": 2 })));
    for count in [2, 0] {
        let raised = raise_epochs(&world, &later, &[]);
        let third = weeks.epoch(2);
        assert_eq!(raised, Ok(json!({ "epoch": third, "raised": count })));
    }

    // Both renew: who had renewed in between, and who had not.
    world.start_within(Party::Operator, &later).unwrap();
    for name in ["alva", "bero"] {
        let renewed = renew(&world, name, &later).unwrap();
        let epoch = renewed["epoch"].as_u64().unwrap();
        let expected = if name == "alva" { 2 } else { 1 };
        assert_eq!(epoch, u64::from(weeks.epoch(expected).0), "{name}");
    }
}
