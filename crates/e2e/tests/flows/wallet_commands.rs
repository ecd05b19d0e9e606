//! Each command of the wallet where it has to refuse: with an id, and with nothing lost.

use std::path::Path;
use std::process::Stdio;

use e2e::wallet::Wallet;
use e2e::world::{World, snapshot};
use serde_json::Value;
use server::demo::deployment::Party;

const COMMANDS: [&[&str]; 8] = [
    &["show"],
    &["renew"],
    &["sites"],
    &["devices"],
    &["backup", "never-written"],
    &["end", "--yes"],
    &["delete", "--yes"],
    &["sign-in", "openid4vp://authorize?client_id=x", "--yes"],
];

fn refused(wallet: &Wallet<'_>, arguments: &[&str]) -> String {
    let answer = wallet.run(arguments).unwrap();
    answer.expect_err(&arguments.join(" ")).id
}

fn done(wallet: &Wallet<'_>, arguments: &[&str]) -> Value {
    wallet.run(arguments).unwrap().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn commands_without_a_wallet_say_so_and_leave_nothing() {
    let world = World::new().unwrap();
    let nobody = world.wallet("nobody");
    for command in COMMANDS {
        assert_eq!(refused(&nobody, command), "wallet-missing", "{command:?}");
    }
    assert!(!world.deployment().wallet_home("nobody").exists());
    assert!(!Path::new("never-written").exists());

    let scratch = world.scratch().unwrap();
    let passphrase = scratch.join("passphrase");
    std::fs::write(&passphrase, "a passphrase").unwrap();
    let missing = scratch.join("missing");
    let restore = [
        "restore",
        text(&missing),
        "--passphrase-file",
        text(&passphrase),
    ];
    assert_eq!(refused(&nobody, &restore), "file-unreadable");
    let broken = scratch.join("broken");
    for octets in [&b""[..], b"age-encryption.org/v1\n", &[0xff; 100]] {
        std::fs::write(&broken, octets).unwrap();
        let restore = [
            "restore",
            text(&broken),
            "--passphrase-file",
            text(&passphrase),
        ];
        assert_eq!(refused(&nobody, &restore), "backup-invalid");
    }
    let enrol = ["enrol", text(&missing)];
    assert_eq!(refused(&nobody, &enrol), "wallet-missing");
    assert!(!world.deployment().wallet_home("nobody").exists());
}

#[test]
fn documents_and_codes_that_are_not_in_order_leave_a_wallet_that_can_try_again() {
    let world = World::running().unwrap();
    let deployment = world.deployment();
    let before = world.register_rows().unwrap();
    let passport = deployment.passport(1, &[]).unwrap();
    let alva = world.wallet("alva");

    let copy = world.scratch().unwrap().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for name in ["EF.DG1", "EF.DG2", "EF.SOD"] {
        std::fs::copy(passport.join(name), copy.join(name)).unwrap();
    }
    let mut changed = std::fs::read(copy.join("EF.DG1")).unwrap();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    for (octets, id) in [
        (changed, "document-not-authentic"),
        (Vec::new(), "document-not-authentic"),
        (vec![0x61; 3 << 20], "body-too-large"),
    ] {
        std::fs::write(copy.join("EF.DG1"), octets).unwrap();
        let refused = alva.enrol(&copy).unwrap().unwrap_err();
        assert_eq!(refused.id, id, "{}", refused.what);
    }
    // A person's typing error: the code is asked for again by the next try.
    let enrolment = alva.begin_enrolment(&passport).unwrap().unwrap();
    enrolment.confirm().unwrap().unwrap();
    let refused = enrolment.finish("000000000").unwrap().unwrap_err();
    assert_eq!(refused.id, "wrong-transaction-code", "{}", refused.what);
    let enrolment = alva.begin_enrolment(&passport).unwrap().unwrap();
    enrolment.confirm().unwrap().unwrap();
    let refused = enrolment.finish("").unwrap().unwrap_err();
    assert_eq!(refused.id, "transaction-code-missing");
    assert_eq!(world.register_rows().unwrap(), before);

    alva.enrol(&passport).unwrap().unwrap();
    // A wallet with a registration is nobody else's, even before it has joined any site.
    let shown = done(&alva, &["show"]);
    let other = deployment.passport(2, &[]).unwrap();
    let refused = alva.enrol(&other).unwrap().unwrap_err();
    assert_eq!(refused.id, "wallet-in-use");
    assert_eq!(done(&alva, &["show"]), shown);
    assert_eq!(
        world.log_in(Party::ForumGateway, &alva).unwrap().outcome,
        "signed-up"
    );
}

#[test]
fn backups_consent_locks_and_damage() {
    let world = World::running().unwrap();
    let alva = world.enrol("alva", 1).unwrap();
    let account = world.log_in(Party::ForumGateway, &alva).unwrap();
    let home = world.deployment().wallet_home("alva");
    let before = snapshot(&home).unwrap();

    // What cannot be undone needs a word of consent.
    for command in ["end", "delete"] {
        assert_eq!(refused(&alva, &[command]), "consent-missing");
    }
    let forget = ["devices", "--forget", "no origin"];
    assert_eq!(refused(&alva, &forget), "origin-invalid");
    assert_eq!(snapshot(&home).unwrap(), before);

    // Two commands at a time: the second one waits for nobody and breaks nothing.
    let passport = world.deployment().passport(2, &[]).unwrap();
    let bero = world.wallet("bero");
    let waiting = bero.begin_enrolment(&passport).unwrap().unwrap();
    assert_eq!(refused(&bero, &["show"]), "wallet-busy");
    drop(waiting);

    let scratch = world.scratch().unwrap();
    let (backup, passphrase) = (scratch.join("backup"), scratch.join("passphrase"));
    std::fs::write(&passphrase, "a passphrase").unwrap();
    let passphrase = text(&passphrase);
    let write = ["backup", text(&backup), "--passphrase-file", passphrase];
    done(&alva, &write);
    let kept = std::fs::read(&backup).unwrap();
    assert_eq!(refused(&alva, &write), "file-unwritable");
    assert_eq!(std::fs::read(&backup).unwrap(), kept);

    let wrong = scratch.join("wrong");
    std::fs::write(&wrong, "another passphrase").unwrap();
    let celi = world.wallet("celi");
    let restore = ["restore", text(&backup), "--passphrase-file", text(&wrong)];
    assert_eq!(refused(&celi, &restore), "passphrase-wrong");
    std::fs::write(&wrong, " \n").unwrap();
    assert_eq!(refused(&celi, &restore), "passphrase-missing");
    let half = scratch.join("half");
    std::fs::write(&half, &kept[..kept.len() / 2]).unwrap();
    let restore = ["restore", text(&half), "--passphrase-file", passphrase];
    assert_eq!(refused(&celi, &restore), "backup-invalid");
    let restore = ["restore", text(&backup), "--passphrase-file", passphrase];
    assert_eq!(refused(&alva, &restore), "wallet-exists");
    assert_eq!(snapshot(&home).unwrap(), before);

    // A restored wallet has no certificate, but knows where the accounts are.
    let ca = world.deployment().ca();
    done(&celi, &[&restore[..], &["--ca", text(&ca)]].concat());
    let error = world.log_in(Party::ForumGateway, &celi).unwrap_err();
    assert!(error.to_string().contains("certificate-missing"), "{error}");

    // Damage is told, not papered over; such a wallet can be deleted and brought back.
    std::fs::write(home.join("vault.age"), b"damaged").unwrap();
    for command in [&["show"][..], &["sites"], &["backup", "never-written"]] {
        assert_eq!(refused(&alva, command), "vault-damaged");
    }
    assert!(!Path::new("never-written").exists());
    done(&alva, &["delete", "--yes"]);
    assert!(snapshot(&home).unwrap().is_empty());
    done(&alva, &[&restore[..], &["--ca", text(&ca)]].concat());
    let passport = world.deployment().passport(1, &[]).unwrap();
    alva.enrol(&passport).unwrap().unwrap();
    let found = world.log_in(Party::ForumGateway, &alva).unwrap();
    assert_eq!(found.subject(), account.subject());
}

#[test]
fn a_refusal_to_a_person_says_what_happened_and_what_to_do() {
    let world = World::new().unwrap();
    let said = |arguments: &[&str]| {
        let mut command = world.deployment().wallet("nobody").unwrap();
        let output = command
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = said(&["show"]);
    assert!(
        missing.contains("[wallet-missing]") && missing.contains("bauta wallet enrol"),
        "{missing}"
    );
    let unknown = said(&["shwo"]);
    assert!(unknown.contains("show"), "{unknown}");
    assert!(said(&["sign-in"]).contains("<LINK>"));
}
