//! Enrolment by the document's chip: what it proves, and what a copy cannot.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::binaries;
use e2e::pcscd::Pcscd;
use e2e::wallet::Refused;
use e2e::world::World;
use serde_json::Value;
use server::demo::chip::Chip;

/// A world in which people enrol; no site is needed.
fn world() -> World {
    let mut world = World::new().unwrap();
    for party in e2e::world::AUTHORITIES {
        world.start(party).unwrap();
    }
    world
}

fn assurance(world: &World, wallet: &str) -> Value {
    let shown = world.wallet(wallet).run(&["show"]).unwrap().unwrap();
    shown["certificate"]["attributes"]["assurance_level"].clone()
}

fn enrol_by_chip(world: &World, wallet: &str, document: &Path) -> Result<Value, Refused> {
    let chip = Chip::start(document).unwrap();
    let wallet = world.wallet(wallet);
    wallet.enrol_by_chip(chip.address(), document).unwrap()
}

#[test]
fn a_chip_on_a_reader_of_the_machine_proves_itself_and_a_dump_does_not() {
    let world = world();
    let document = world.deployment().passport(1, &[]).unwrap();
    let mut service = Pcscd::start().unwrap();
    let _laid = service.lay(&document).unwrap();
    let wallet = world.wallet("chip").within(&service.environment());
    let enrolled = wallet.enrol_by_chip("auto", &document).unwrap();
    assert!(enrolled.is_ok(), "{enrolled:?}");
    assert_eq!(assurance(&world, "chip"), "substantial");

    let document = world.deployment().passport(2, &[]).unwrap();
    let enrolled = world.wallet("dump").enrol(&document).unwrap();
    assert!(enrolled.is_ok(), "{enrolled:?}");
    assert_eq!(assurance(&world, "dump"), "low");
}

#[test]
fn every_way_of_access_and_of_proof_registers_people() {
    let world = world();
    let ways: [&[&str]; 4] = [
        &["--access", "bac", "--authentication", "active-rsa"],
        &[
            "--access",
            "pace-im",
            "--authentication",
            "active-ecdsa",
            "--curve",
            "p384",
        ],
        &["--cipher", "aes256", "--curve", "p521", "--format", "td1"],
        &[
            "--access",
            "bac",
            "--cipher",
            "3des",
            "--curve",
            "brainpoolp512r1",
            "--format",
            "td2",
        ],
    ];
    for (way, number) in ways.into_iter().zip(11..) {
        let document = world.deployment().passport(number, way).unwrap();
        let name = format!("person-{number}");
        let enrolled = enrol_by_chip(&world, &name, &document);
        assert!(enrolled.is_ok(), "{way:?}: {enrolled:?}");
        assert_eq!(assurance(&world, &name), "substantial", "{way:?}");
    }
    // A chip without a key is worth no more than its data.
    let document = world
        .deployment()
        .passport(20, &["--authentication", "none"]);
    assert!(enrol_by_chip(&world, "keyless", &document.unwrap()).is_ok());
    assert_eq!(assurance(&world, "keyless"), "low");
}

#[test]
fn a_copied_chip_is_refused_whatever_it_should_prove() {
    let world = world();
    for (proof, number) in ["chip", "active-rsa", "active-ecdsa"].into_iter().zip(30..) {
        let way = ["--authentication", proof];
        let document = world.deployment().passport(number, &way).unwrap();
        let other = world.deployment().passport(number + 10, &way).unwrap();
        // All that can be read of the one document, on the chip of the other.
        std::fs::copy(other.join("chip.json"), document.join("chip.json")).unwrap();
        let name = format!("copy-{proof}");
        let refused = enrol_by_chip(&world, &name, &document).unwrap_err();
        assert_eq!(refused.id, "chip-not-genuine", "{proof}");
    }
    assert_eq!(world.register_rows().unwrap().len(), 0);
}

#[test]
fn a_chip_that_fails_to_prove_itself_is_worth_its_data() {
    let world = world();
    let document = world.deployment().passport(80, &[]).unwrap();
    let other = world.deployment().passport(81, &[]).unwrap();
    std::fs::copy(other.join("chip.json"), document.join("chip.json")).unwrap();
    let chip = Chip::start(&document).unwrap();
    let wallet = world.wallet("broken");
    let refused = wallet.enrol_by_chip(chip.address(), &document).unwrap();
    assert_eq!(refused.unwrap_err().id, "chip-not-genuine");
    let enrolled = wallet.enrol_by_data_of_chip(chip.address(), &document);
    assert!(enrolled.unwrap().is_ok());
    assert_eq!(assurance(&world, "broken"), "low");
}

#[test]
fn a_chip_opens_only_for_what_is_printed_on_its_document() {
    let world = world();
    for (access, number) in ["bac", "pace-gm", "pace-im"].into_iter().zip(50..) {
        let document = world.deployment().passport(number, &["--access", access]);
        let other = world.deployment().passport(number + 10, &[]).unwrap();
        let chip = Chip::start(&document.unwrap()).unwrap();
        let wallet = world.wallet(access);
        let refused = wallet.enrol_by_chip(chip.address(), &other).unwrap();
        assert_eq!(refused.unwrap_err().id, "chip-closed", "{access}");
    }
    let document = world
        .deployment()
        .passport(70, &["--access-number", "031415"]);
    let document = document.unwrap();
    let chip = Chip::start(&document).unwrap();
    let enrol = |wallet: &str, typed: &str| {
        std::fs::write(document.join("zone.txt"), typed).unwrap();
        let wallet = world.wallet(wallet);
        wallet.enrol_by_chip(chip.address(), &document).unwrap()
    };
    assert!(enrol("numbered", "031415\n").is_ok());
    let refused = enrol("mistyped", "no zone\n").unwrap_err();
    assert_eq!(refused.id, "access-key-invalid");
}

/// The outcome of each check, and the exit code.
fn inspect(arguments: &[&str]) -> (Value, Option<i32>) {
    let mut command = Command::new(binaries::path("bauta").unwrap());
    command
        .args(["document", "inspect", "--json"])
        .args(arguments);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut outcomes = serde_json::Map::new();
    for check in report["checks"].as_array().unwrap() {
        let name = check["check"].as_str().unwrap().to_owned();
        assert!(
            check["section"].as_str().unwrap().starts_with("9303-"),
            "{check}"
        );
        outcomes.insert(name, check["outcome"].clone());
    }
    outcomes.insert("verdict".to_owned(), report["verdict"].clone());
    (Value::Object(outcomes), output.status.code())
}

#[test]
fn a_document_is_explained_and_a_copy_found_out() {
    let world = world();
    let ways = ["--authentication", "chip,active-ecdsa"];
    let document = world.deployment().passport(1, &ways).unwrap();
    let other = world.deployment().passport(2, &ways).unwrap();
    let trust = document.parent().unwrap().join("trust");
    let zone = document.join("zone.txt");
    let (trust, zone) = (trust.to_str().unwrap(), zone.to_str().unwrap());

    let (files, code) = inspect(&[document.to_str().unwrap(), "--trust", trust]);
    assert_eq!(
        (files["verdict"].as_str(), code),
        (Some("passed"), Some(0)),
        "{files}"
    );
    assert_eq!(files["chip authentication"], "not_checked");
    let (untrusted, code) = inspect(&[document.to_str().unwrap()]);
    assert_eq!(
        (untrusted["verdict"].as_str(), code),
        (Some("unverified"), Some(1))
    );

    let chip = Chip::start(&document).unwrap();
    let (asked, code) = inspect(&[chip.address(), "--access", zone, "--trust", trust]);
    assert_eq!(
        (asked["verdict"].as_str(), code),
        (Some("passed"), Some(0)),
        "{asked}"
    );
    for proof in [
        "active authentication",
        "chip authentication",
        "data group 14",
    ] {
        assert_eq!(asked[proof], "passed", "{proof}");
    }

    std::fs::copy(other.join("chip.json"), document.join("chip.json")).unwrap();
    let copy = Chip::start(&document).unwrap();
    let (found, code) = inspect(&[copy.address(), "--access", zone, "--trust", trust]);
    assert_eq!((found["verdict"].as_str(), code), (Some("failed"), Some(1)));
    for proof in ["active authentication", "chip authentication"] {
        assert_eq!(found[proof], "failed", "{proof}");
    }
    assert_eq!(found["signature"], "passed");

    std::fs::write(
        document.join("EF.DG14"),
        std::fs::read(other.join("EF.DG14")).unwrap(),
    )
    .unwrap();
    let (changed, code) = inspect(&[document.to_str().unwrap(), "--trust", trust]);
    assert_eq!(
        (changed["data group 14"].as_str(), code),
        (Some("failed"), Some(1))
    );
}

/// Enrols by a chip; what the certificate says of assurance, and what the person was told.
fn enrol_heard(world: &World, wallet: &str, chip: &Chip, document: &Path) -> (Value, String) {
    let zone = document.join("zone.txt");
    let asked = ["--reader", chip.address(), "--access"].map(OsStr::new);
    let asked = [&asked[..], &[zone.as_os_str()]].concat();
    let person = world.wallet(wallet);
    let enrolment = person.begin_enrolment_of(&asked).unwrap().unwrap();
    let code = enrolment.confirm().unwrap().unwrap();
    let (answer, said) = enrolment.finish_heard(&code).unwrap();
    assert!(answer.is_ok(), "{answer:?}");
    (assurance(world, wallet), said)
}

#[test]
fn a_list_of_protocols_that_is_not_the_signed_one_is_told() {
    let world = world();
    let ways = [
        ("signed", "passed", "passed", None),
        ("unsigned", "failed", "failed", Some("offers PACE ECDH-IM")),
        (
            "hidden",
            "failed",
            "failed",
            Some("does not offer PACE ECDH-GM"),
        ),
    ];
    for ((way, outcome, verdict, difference), number) in ways.into_iter().zip(80..) {
        let options = ["--card-access", way];
        let document = world.deployment().passport(number, &options).unwrap();
        let chip = Chip::start(&document).unwrap();
        let (trust, zone) = (
            document.parent().unwrap().join("trust"),
            document.join("zone.txt"),
        );
        let (trust, zone) = (trust.to_str().unwrap(), zone.to_str().unwrap());
        let (found, code) = inspect(&[chip.address(), "--access", zone, "--trust", trust]);
        assert_eq!(found["EF.CardAccess"], outcome, "{way}: {found}");
        assert_eq!(found["verdict"], verdict, "{way}: {found}");
        assert_eq!(code, Some(i32::from(difference.is_some())), "{way}");
        let (unsigned, _) = inspect(&[chip.address(), "--access", zone]);
        assert_eq!(unsigned["EF.CardAccess"], "not_checked", "{way}");

        // Nothing rests on the list once the document is read: the person is told, and goes on.
        let (assurance, said) = enrol_heard(&world, way, &chip, &document);
        assert_eq!(assurance, "substantial", "{way}");
        match difference {
            Some(difference) => assert!(said.contains(difference), "{way}: {said}"),
            None => assert!(!said.contains("Warning"), "{way}: {said}"),
        }
    }

    // Without data group 14 there is nothing to compare with.
    let options = ["--access", "bac", "--authentication", "none"];
    let document = world.deployment().passport(90, &options).unwrap();
    let chip = Chip::start(&document).unwrap();
    let zone = document.join("zone.txt");
    let (found, _) = inspect(&[chip.address(), "--access", zone.to_str().unwrap()]);
    assert_eq!(found["EF.CardAccess"], "not_checked", "{found}");
}
