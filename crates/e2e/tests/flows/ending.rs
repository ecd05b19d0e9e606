//! H06: no act of the operator stops an account on a device that the account knows.

use e2e::faketime;
use e2e::wallet::Wallet;
use e2e::world::{AUTHORITIES, GATEWAYS, World};
use rusqlite::Connection;
use server::demo::deployment::Party;

/// Past the epoch after the one in which the certificates are issued.
const DAYS: u64 = 15;

#[test]
fn an_ended_person_still_signs_in_where_the_account_is_and_signs_up_nowhere_else() {
    let mut world = World::running().unwrap();
    let deployment = world.deployment().clone();
    let [ended, other] = [("alva", 1), ("bero", 2)].map(|(name, number)| {
        world.enrol(name, number).unwrap();
        Wallet::new(&deployment, name)
    });
    let account = world.log_in(Party::ForumGateway, &ended).unwrap();
    let others = world.log_in(Party::ForumGateway, &other).unwrap();

    for party in AUTHORITIES.into_iter().chain(GATEWAYS) {
        world.stop(party).unwrap();
    }
    end_registration(&world, &ended);
    let later = faketime::ahead(&format!("{DAYS}d")).unwrap();
    let (ended, other) = (ended.within(&later), other.within(&later));
    for gateway in GATEWAYS {
        world.start_within(gateway, &later).unwrap();
    }

    // Operator and trustees are off.
    let found = world.log_in(Party::ForumGateway, &ended).unwrap();
    assert_eq!(found.outcome, "signed-in");
    assert_eq!(found.subject(), account.subject());
    assert_moved(&found.claims["auth_time"], &account.claims["auth_time"]);
    assert_refused(&world, &ended, "certificate-missing");

    // The operator is back: a new certificate for the other person alone.
    for party in AUTHORITIES {
        world.start_within(party, &later).unwrap();
    }
    // A gateway that starts asks for the new epoch's manifest at once instead of within a minute.
    world.stop(Party::ShopGateway).unwrap();
    world.start_within(Party::ShopGateway, &later).unwrap();
    let passport = |number| deployment.passport(number, &[]).unwrap();
    let refused = ended.enrol(&passport(1)).unwrap().unwrap_err();
    assert_eq!(refused.id, "registration-ended");
    assert_refused(&world, &ended, "certificate-missing");
    assert_refused(&world, &other, "certificate-missing");
    other.enrol(&passport(2)).unwrap().unwrap();
    let found = world.log_in(Party::ShopGateway, &other).unwrap();
    assert_eq!(found.outcome, "signed-up");

    for (wallet, account) in [(&ended, &account), (&other, &others)] {
        let found = world.log_in(Party::ForumGateway, wallet).unwrap();
        assert_eq!(found.outcome, "signed-in");
        assert_eq!(found.subject(), account.subject());
    }
}

/// Writes the ended state into the register's store, as whoever holds the operator's disk could.
fn end_registration(world: &World, wallet: &Wallet<'_>) {
    let shown = wallet.run(&["show"]).unwrap().unwrap();
    let number = shown["web_number"].as_str().unwrap().replace('-', "");
    let register = Connection::open(world.register()).unwrap();
    let changed = register
        .execute(
            "UPDATE registration SET status = 2 WHERE web_number = ?1",
            [number.as_bytes()],
        )
        .unwrap();
    assert_eq!(changed, 1);
}

fn assert_refused(world: &World, wallet: &Wallet<'_>, id: &str) {
    let refused = world.log_in(Party::ShopGateway, wallet).unwrap_err();
    assert!(refused.to_string().contains(id), "{refused}");
}

/// The clock of the processes did move.
fn assert_moved(later: &serde_json::Value, earlier: &serde_json::Value) {
    let moved = later.as_u64().unwrap() - earlier.as_u64().unwrap();
    assert!(moved >= DAYS * 86_400, "{moved} s");
}
