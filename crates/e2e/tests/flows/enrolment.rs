//! The main job: enrol, sign up, sign in, sign up elsewhere; and what nobody can do twice.

use std::ffi::OsStr;

use e2e::log_in::{Way, log_in};
use e2e::opened::Opened;
use e2e::wallet::Wallet;
use e2e::world::World;
use server::demo::deployment::Party;

#[test]
fn a_person_enrols_signs_up_signs_in_again_and_signs_up_elsewhere() {
    let world = World::running().unwrap();
    let wallet = world.enrol("alva", 1).unwrap();
    let forum = world.relying_party(Party::ForumGateway).unwrap();

    let first = world.log_in(Party::ForumGateway, &wallet).unwrap();
    assert_eq!(first.outcome, "signed-up");
    assert_eq!(
        first.claims["amr"].as_array().unwrap().last().unwrap(),
        "qr"
    );
    let browser = world.browser().unwrap();
    let again = log_in(&forum, &browser, &wallet, Way::SameDevice).unwrap();
    assert_eq!(again.outcome, "signed-in");
    assert_eq!(again.subject(), first.subject());
    let amr = again.claims["amr"].as_array().unwrap();
    assert!(amr.iter().all(|means| means != "qr"));

    let shop = world.log_in(Party::ShopGateway, &wallet).unwrap();
    assert_eq!(shop.outcome, "signed-up");
    assert_ne!(shop.subject(), first.subject());
    let sites = wallet.run(&["sites"]).unwrap().unwrap();
    assert_eq!(sites["sites"].as_array().unwrap().len(), 2);
}

#[test]
fn a_device_that_lost_its_key_and_a_new_wallet_from_the_backup_reach_the_same_accounts() {
    let world = World::running().unwrap();
    let old = world.enrol("alva", 1).unwrap();
    let forum = world.log_in(Party::ForumGateway, &old).unwrap();
    let shop = world.log_in(Party::ShopGateway, &old).unwrap();
    let origin = world.deployment().origin(Party::Forum);

    // The key for the forum is gone: the certificate brings a new one to the same account.
    old.run(&["devices", "--forget", &origin]).unwrap().unwrap();
    let again = world.log_in(Party::ForumGateway, &old).unwrap();
    assert_eq!(again.outcome, "signed-up");
    assert_eq!(again.subject(), forum.subject());

    // H28: the same person, a new wallet, the backup, and the passport once more.
    let new = from_backup(&world, &old, "alva-2");
    let refused = world.log_in(Party::ForumGateway, &new).unwrap_err();
    assert!(
        refused.to_string().contains("certificate-missing"),
        "{refused}"
    );
    let passport = world.deployment().passport(1, &[]).unwrap();
    new.enrol(&passport).unwrap().unwrap();
    for (gateway, account) in [(Party::ForumGateway, &forum), (Party::ShopGateway, &shop)] {
        let found = world.log_in(gateway, &new).unwrap();
        assert_eq!(found.outcome, "signed-up");
        assert_eq!(found.subject(), account.subject());
        assert_eq!(world.log_in(gateway, &new).unwrap().outcome, "signed-in");
    }
    // The old device is still known to the accounts.
    let found = world.log_in(Party::ShopGateway, &old).unwrap();
    assert_eq!(found.subject(), shop.subject());
}

#[test]
fn a_person_cannot_register_twice_but_gets_the_registration_back_with_the_backup() {
    let world = World::running().unwrap();
    let first = world.enrol("alva", 1).unwrap();
    let shown = first.run(&["show"]).unwrap().unwrap();
    let account = world.log_in(Party::ForumGateway, &first).unwrap();
    let passport = world.deployment().passport(1, &[]).unwrap();

    let other = world.enrol("bero", 2).unwrap();

    let register = world.register_rows().unwrap();
    let stranger = world.wallet("stranger");
    let refused = stranger.enrol(&passport).unwrap().unwrap_err();
    assert_eq!(refused.id, "already-registered");
    // Nor in the wallet of somebody else, who is registered as well.
    let refused = other.enrol(&passport).unwrap().unwrap_err();
    assert_eq!(refused.id, "commitment-mismatch");
    assert_eq!(world.register_rows().unwrap(), register);

    let restored = from_backup(&world, &first, "alva-2");
    restored.enrol(&passport).unwrap().unwrap();
    let again = restored.run(&["show"]).unwrap().unwrap();
    assert!(shown["web_number"].is_string());
    assert_eq!(again["web_number"], shown["web_number"]);
    let found = world.log_in(Party::ForumGateway, &restored).unwrap();
    assert_eq!(found.subject(), account.subject());
    let found = world.log_in(Party::ForumGateway, &other).unwrap();
    assert_ne!(found.subject(), account.subject());
}

#[test]
fn one_trustee_may_be_dead_and_two_dead_ones_leave_nothing_half_written() {
    let mut world = World::running().unwrap();
    world.kill(Party::Trustee2).unwrap();
    world.enrol("alva", 1).unwrap();

    world.kill(Party::Trustee3).unwrap();
    let passport = world.deployment().passport(2, &[]).unwrap();
    let before = world.register_rows().unwrap();
    assert_eq!(
        before.len(),
        1 + 2 + 1,
        "one registration, two tags and one for namesakes: {before:?}"
    );
    // The wallet borrows the world, so the rest happens beside it.
    let deployment = world.deployment().clone();
    let wallet = Wallet::new(&deployment, "bero");
    let enrolment = wallet.begin_enrolment(&passport).unwrap().unwrap();
    let refused = enrolment.confirm().unwrap().unwrap_err();
    assert_eq!(refused.id, "trustees-unavailable");
    assert_eq!(world.register_rows().unwrap(), before);

    world.start(Party::Trustee3).unwrap();
    let code = enrolment.confirm().unwrap().unwrap();
    enrolment.finish(&code).unwrap().unwrap();
    assert_eq!(world.register_rows().unwrap().len(), 2 * before.len());
    let found = world.log_in(Party::ForumGateway, &wallet).unwrap();
    assert_eq!(found.outcome, "signed-up");
}

/// A new wallet with the backup of another one.
pub(crate) fn from_backup<'a>(world: &'a World, of: &Wallet<'_>, name: &str) -> Wallet<'a> {
    let folder = world.scratch().unwrap();
    let (backup, passphrase) = (folder.join(name), folder.join("passphrase"));
    std::fs::write(&passphrase, "six words that nobody would guess").unwrap();
    let (backup, passphrase) = (backup.to_str().unwrap(), passphrase.to_str().unwrap());
    let ca = world.deployment().ca();
    of.run(&["backup", backup, "--passphrase-file", passphrase])
        .unwrap()
        .unwrap();
    let wallet = world.wallet(name);
    let ca = ca.to_str().unwrap();
    wallet
        .run(&[
            "restore",
            backup,
            "--passphrase-file",
            passphrase,
            "--ca",
            ca,
        ])
        .unwrap()
        .unwrap();
    wallet
}

#[test]
fn an_enrolment_that_was_interrupted_goes_on_where_it_stands() {
    let world = World::running().unwrap();
    let passport = world.deployment().passport(1, &[]).unwrap();
    let wallet = world.wallet("alva");
    let resume = [OsStr::new("--resume")];

    let waiting = wallet.begin_enrolment(&passport).unwrap().unwrap();
    let session = waiting.session.clone();
    drop(waiting); // kill -9
    // The evidence was sent: the document is not needed again.
    let waiting = wallet.begin_enrolment_of(&resume).unwrap().unwrap();
    assert_eq!(waiting.session, session);
    let code = waiting.confirm().unwrap().unwrap();
    let ended = waiting.finish("").unwrap().unwrap_err();
    assert_eq!(ended.id, "transaction-code-missing");
    let offered = wallet.begin_enrolment_of(&resume).unwrap().unwrap();
    assert_eq!(offered.session, session);
    offered.finish(&code).unwrap().unwrap();
    assert_eq!(world.register_rows().unwrap().len(), 4);
    let refused = wallet.begin_enrolment_of(&resume).unwrap().err().unwrap();
    assert_eq!(refused.id, "enrolment-over");
}

#[test]
fn an_enrolment_ends_when_the_consent_is_taken_back_or_not_given() {
    let world = World::running().unwrap();
    let passport = world.deployment().passport(1, &[]).unwrap();
    let wallet = world.wallet("alva");
    let waiting = wallet.begin_enrolment(&passport).unwrap().unwrap();
    let first = waiting.session.clone();
    drop(waiting);
    wallet.run(&["enrol", "--withdraw"]).unwrap().unwrap();
    let waiting = wallet.begin_enrolment(&passport).unwrap().unwrap();
    let second = waiting.session.clone();
    assert_ne!(second, first);
    drop(waiting);
    let refused = wallet.run(&["enrol", passport.to_str().unwrap()]).unwrap();
    assert_eq!(refused.unwrap_err().id, "consent-missing");
}

#[test]
fn nothing_of_an_enrolment_that_was_refused_stays_on_the_device() {
    let world = World::running().unwrap();
    let passport = world.deployment().passport(1, &[]).unwrap();
    let wallet = world.wallet("alva");
    let kept = || Opened::read(&world, "alva").unwrap().keys.enrolment;
    let refuse = |session: &str| {
        let mut officer = world.deployment().officer("refuse").unwrap();
        officer.args(["--reason", "another person", session]);
        assert!(officer.output().unwrap().status.success());
    };
    let waiting = wallet.begin_enrolment(&passport).unwrap().unwrap();
    assert!(kept().is_some());
    refuse(&waiting.session);
    let refused = waiting.finish("").unwrap().unwrap_err();
    assert_eq!(refused.id, "officer-refused");
    assert!(kept().is_none());

    let waiting = wallet.begin_enrolment(&passport).unwrap().unwrap();
    let session = waiting.session.clone();
    drop(waiting); // kill -9
    refuse(&session);
    assert!(kept().is_some());
    let over = wallet.run(&["enrol", "--withdraw"]).unwrap().unwrap_err();
    assert_eq!(over.id, "enrolment-over");
    assert!(kept().is_none());
}
