//! Chips on readers: through the PC/SC service as any reader is reached, and without it.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::binaries;
use e2e::pcscd::{Pcscd, READER};
use e2e::process::Server;
use serde_json::{Value, json};

/// A specimen passport in a folder of its own.
fn specimen(folder: &Path) -> PathBuf {
    let (authority, passport) = (folder.join("authority"), folder.join("passport"));
    for arguments in [
        vec!["authority", "--out", text(&authority)],
        vec![
            "passport",
            "--authority",
            text(&authority),
            "--out",
            text(&passport),
        ],
    ] {
        let mut command = bauta();
        let made = command.arg("specimen").args(arguments).status().unwrap();
        assert!(made.success());
    }
    passport
}

fn bauta() -> Command {
    Command::new(binaries::path("bauta").unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn reader(place: u8, chip: bool) -> Value {
    json!({ "name": format!("{READER} 00 0{place}"), "chip": chip })
}

#[test]
fn a_chip_comes_to_a_reader_of_the_machine_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let specimen = specimen(folder.path());
    let mut service = Pcscd::start().unwrap();
    let empty = [reader(0, false), reader(1, false)];
    assert_eq!(service.readers().unwrap(), empty);

    let chip = service.lay(&specimen).unwrap();
    assert_eq!(
        service.readers().unwrap(),
        [reader(0, true), reader(1, false)]
    );
    assert!(chip.take_away().unwrap().success());
    service
        .until("the empty reader", |readers| *readers == empty)
        .unwrap();

    // A chip whose reader goes away ends by itself.
    let chip = service.lay(&specimen).unwrap();
    assert!(service.stop().unwrap().success());
    assert!(chip.ended().unwrap().success());
}

#[test]
fn without_the_service_the_failure_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bauta();
    command.args(["document", "readers", "--json"]);
    command.env("PCSCLITE_CSOCK_NAME", folder.path().join("nobody"));
    let output = command.output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("[reader-service-missing]") && said.contains("pcscd"),
        "{said}"
    );
}

#[test]
fn a_chip_without_the_service_listens_on_the_loopback_interface_alone() {
    let folder = tempfile::tempdir().unwrap();
    let specimen = specimen(folder.path());
    let mut command = bauta();
    command.args(["specimen", "chip"]).arg(&specimen);
    let chip = Server::start("chip", command, folder.path()).unwrap();
    assert!(chip.address().ip().is_loopback());
    assert!(chip.stop().unwrap().success());

    for option in ["--listen", "--vpcd"] {
        let mut command = bauta();
        command.args(["specimen", "chip", text(&specimen), option, "0.0.0.0:7000"]);
        let output = command.output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("[argument-invalid]"), "{said}");
    }
}
