//! H10: document numbers cannot be enumerated from a stolen database and one share.

use e2e::enumeration::{Share, key_candidates, search, stolen_indexes};
use e2e::world::World;
use server::demo::deployment::Party;

const THRESHOLD: usize = 2;
const TRUSTEES: u8 = 3;
/// The specimen's number is the 42,137th of those that are tried.
const NUMBER: &str = "HX0042137";

#[test]
fn a_stolen_register_and_one_share_give_no_number_and_two_shares_do() {
    let world = World::running().unwrap();
    let deployment = world.deployment();
    let passport = deployment
        .passport(1, &["--document-number", NUMBER])
        .unwrap();
    world.wallet("alva").enrol(&passport).unwrap().unwrap();

    let copy = world.scratch().unwrap().join("register.sqlite");
    copy_database(&world, &copy);
    let indexes = stolen_indexes(&copy).unwrap();
    let numbers: Vec<String> = (0..100_000).map(|n| format!("HX{n:07}")).collect();
    assert!(numbers.iter().any(|number| number == NUMBER));
    let share = |party| Share::read(&deployment.folder_of(party).join("share.key")).unwrap();

    let two = [share(Party::Trustee1), share(Party::Trustee3)];
    let keys = key_candidates(&two, THRESHOLD, TRUSTEES);
    assert_eq!(keys.len(), 1);
    assert_eq!(search(&numbers, "UTO", &keys, &indexes), [NUMBER]);

    let one = [share(Party::Trustee1)];
    let keys = key_candidates(&one, THRESHOLD, TRUSTEES);
    assert_eq!(keys.len(), 3);
    assert!(search(&numbers, "UTO", &keys, &indexes).is_empty());
}

/// Copies the database with its write-ahead log, as a thief of the disk would.
fn copy_database(world: &World, to: &std::path::Path) {
    for suffix in ["", "-wal", "-shm"] {
        let name = |path: &std::path::Path| format!("{}{suffix}", path.display());
        let from = name(&world.register());
        if std::path::Path::new(&from).exists() {
            std::fs::copy(from, name(to)).unwrap();
        }
    }
}
