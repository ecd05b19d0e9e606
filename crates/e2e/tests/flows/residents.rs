//! Enrolment of people whose cards no reader opens: an authoritative register confirms them once an
//! officer does.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use e2e::binaries;
use e2e::process::Server;
use e2e::wallet::Refused;
use e2e::world::{AUTHORITIES, World};
use serde_json::{Value, json};
use server::demo::Party;

/// The name that everybody in the register has.
pub(crate) const NAME: &str = "测试甲";

/// An operator that asks a register.
pub(crate) struct Country {
    pub(crate) world: World,
    register: Option<Server>,
}

impl Country {
    fn new() -> Country {
        Country::of(World::new().unwrap())
    }

    /// One of a world of which nothing runs yet.
    pub(crate) fn of(mut world: World) -> Country {
        let register = start_register(&world);
        let public = world.deployment().folder().join("register/connector.json");
        let public: Value = serde_json::from_slice(&std::fs::read(public).unwrap()).unwrap();
        let key = |member: &str| public["key"][member].as_str().unwrap().to_owned();
        let section = format!(
            "\n[authority]\norigin = \"https://register.localhost:{}\"\ntimeout_secs = 5\n\
             key = {{ kty = \"{}\", crv = \"{}\", x = \"{}\", y = \"{}\" }}\n",
            register.address().port(),
            key("kty"),
            key("crv"),
            key("x"),
            key("y"),
        );
        let config = world.deployment().config(Party::Operator);
        let mut config = std::fs::OpenOptions::new()
            .append(true)
            .open(config)
            .unwrap();
        config.write_all(section.as_bytes()).unwrap();
        for party in AUTHORITIES {
            world.start(party).unwrap();
        }
        Country {
            world,
            register: Some(register),
        }
    }

    /// Enrols with a number and a name.
    fn enrol(&self, wallet: &str, number: &str, name: &str) -> Result<Value, Refused> {
        let wallet = self.world.wallet(wallet);
        wallet
            .enrol_as_resident("resident-card", &[number, name])
            .unwrap()
    }
}

fn bauta(arguments: &[&str]) {
    let mut command = Command::new(binaries::path("bauta").unwrap());
    let done = command
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(done.success(), "{arguments:?}");
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// An invented number with a right check character.
pub(crate) fn number(order: u16) -> String {
    let digits = format!("11010519900203{order:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let weighted = digits.bytes().zip(weights);
    let sum: usize = weighted
        .map(|(c, weight)| usize::from(c - b'0') * weight)
        .sum();
    format!("{digits}{}", char::from(b"10X98765432"[sum % 11]))
}

pub(crate) const ALIVE: u16 = 1;
const EXPIRED: u16 = 2;
const WITHDRAWN: u16 = 3;
const DECEASED: u16 = 4;

fn rows() -> String {
    let row = |order: u16, valid_to: &str, card: &str, person: &str| {
        let row = json!({
            "kind": "resident", "number": number(order), "name": NAME, "birth": "1990-02-03",
            "valid_from": "2015-01-01", "valid_to": valid_to,
            "card_state": card, "person_state": person,
        });
        format!("{row}\n")
    };
    [
        row(ALIVE, "unlimited", "valid", "alive"),
        row(EXPIRED, "2025-01-01", "valid", "alive"),
        row(WITHDRAWN, "unlimited", "withdrawn", "alive"),
        row(DECEASED, "unlimited", "valid", "deceased"),
    ]
    .concat()
}

fn start_register(world: &World) -> Server {
    let deployment = world.deployment().folder();
    let folder = deployment.join("register");
    let origin = "https://register.localhost:0";
    bauta(&[
        "connector",
        "init",
        "--out",
        &text(&folder),
        "--origin",
        origin,
    ]);
    let [certificate, key, lines, table] =
        ["tls.pem", "tls.key", "rows.jsonl", "residents.sqlite"].map(|name| folder.join(name));
    bauta(&[
        "tls",
        "leaf",
        "--ca",
        &text(&deployment.join("ca")),
        "--name",
        "register.localhost",
        "--certificate",
        &text(&certificate),
        "--key",
        &text(&key),
    ]);
    std::fs::write(&lines, rows()).unwrap();
    bauta(&[
        "connector",
        "import",
        &text(&lines),
        "--into",
        &text(&table),
    ]);
    let attester = world
        .deployment()
        .folder_of(Party::Operator)
        .join("attester.json");
    let attester: Value = serde_json::from_slice(&std::fs::read(attester).unwrap()).unwrap();
    let key = |member: &str| attester["key"][member].as_str().unwrap();
    let config = format!(
        "origin = \"{origin}\"\ntable_file = \"residents.sqlite\"\nkey_file = \"connector.key\"\n\
         [server]\nlisten = \"127.0.0.1:0\"\ncertificate_file = \"tls.pem\"\n\
         private_key_file = \"tls.key\"\n[attester]\nname = {}\n\
         key = {{ kty = \"{}\", crv = \"{}\", x = \"{}\", y = \"{}\" }}\n",
        attester["name"],
        key("kty"),
        key("crv"),
        key("x"),
        key("y"),
    );
    let file = folder.join("connector.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(binaries::path("bauta").unwrap());
    command.args(["connector", "--config"]).arg(file);
    Server::start("register", command, &world.logs()).unwrap()
}

#[test]
fn a_person_of_the_register_is_one_person_with_one_number() {
    let country = Country::new();
    let enrolled = country.enrol("first", &number(ALIVE), NAME);
    assert!(enrolled.is_ok(), "{enrolled:?}");
    let shown = country
        .world
        .wallet("first")
        .run(&["show"])
        .unwrap()
        .unwrap();
    let attributes = &shown["certificate"]["attributes"];
    assert_eq!(attributes["family_name"], NAME);
    assert_eq!(attributes["birthdate"], "1990-02-03");
    assert_eq!(attributes["assurance_level"], "low");
    assert_eq!(attributes["nationality"], "CHN");

    let rows = country.world.register_rows().unwrap();
    let again = country.enrol("second", &number(ALIVE), NAME).unwrap_err();
    assert_eq!(again.id, "already-registered");
    assert_eq!(country.world.register_rows().unwrap(), rows);
}

#[test]
fn what_the_register_does_not_confirm_ends_the_enrolment() {
    let mut country = Country::new();
    let cases = [
        (number(ALIVE), "测试乙", "not-in-register"),
        (number(99), NAME, "not-in-register"),
        (number(EXPIRED), NAME, "card-expired"),
        (number(WITHDRAWN), NAME, "card-withdrawn"),
        (number(DECEASED), NAME, "person-deceased"),
        (
            "110105199002030011".to_owned(),
            NAME,
            "resident-number-invalid",
        ),
        (number(ALIVE), " ", "resident-missing"),
    ];
    for (order, (number, name, id)) in cases.iter().enumerate() {
        let refused = country
            .enrol(&format!("person-{order}"), number, name)
            .unwrap_err();
        assert_eq!(refused.id, *id);
    }
    // A register that is gone refuses nobody: the officer can decide again later.
    assert!(country.register.take().unwrap().stop().unwrap().success());
    let gone = country.enrol("patient", &number(ALIVE), NAME).unwrap_err();
    assert_eq!(gone.id, "register-unavailable");
    assert_eq!(country.world.register_rows().unwrap().len(), 0);
}

#[test]
fn an_operator_without_a_register_says_so() {
    let mut world = World::new().unwrap();
    for party in AUTHORITIES {
        world.start(party).unwrap();
    }
    let wallet = world.wallet("resident");
    let refused = wallet
        .enrol_as_resident("resident-card", &[&number(ALIVE), NAME])
        .unwrap();
    assert_eq!(refused.unwrap_err().id, "register-missing");
}
