//! The commands for officers, sites and processes.

use std::path::Path;

use credential::site_entry::SiteEntry;
use reqwest::Method;
use serde_json::Value;

use crate::support::process::{bauta, run_bauta};
use crate::support::{World, face_section};

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Runs `bauta officer …` as the configured officer; returns success, output and errors.
fn officer(world: &World, arguments: &[&str]) -> (bool, String, String) {
    let output = bauta()
        .arg("officer")
        .arg(arguments[0])
        .args(["--operator", world.origin.as_str(), "--id", "desk-1"])
        .args([
            "--key",
            &text(&world.path("officer.key")),
            "--ca",
            &text(&world.path("ca/ca.pem")),
        ])
        .args(&arguments[1..])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_works_from_the_command_line() {
    let world = World::new();
    let (session, other) = (
        world.present(&world.utopia.passport(1)).await,
        world.present(&world.utopia.passport(2)).await,
    );
    let (ok, listed, _) = officer(&world, &["list"]);
    assert!(ok && listed.contains(&session.id) && listed.contains(&other.id));
    let portrait = text(&world.path("portrait.jpg"));
    let (ok, shown, _) = officer(&world, &["show", &session.id, "--portrait", &portrait]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert!(ok && shown["document_number"] == "UT0000001");
    assert!(std::fs::read(portrait).unwrap().starts_with(&[0xFF, 0xD8]));
    let (ok, code, _) = officer(&world, &["confirm", &session.id]);
    assert!(ok);
    let (person, offer) = world.commit(&session).await;
    world
        .receive(&session, &person, (&offer, code.trim()))
        .await;
    let (ok, _, _) = officer(
        &world,
        &["refuse", &other.id, "--reason", "not the same person"],
    );
    assert!(ok);
    assert_eq!(world.status(&other).await["refusal"], "officer-refused");
    let (ok, _, error) = officer(&world, &["confirm", &other.id]);
    assert!(!ok && error.contains("wrong-step"), "{error}");
    let (ok, _, error) = officer(&world, &["confirm", "x"]);
    assert!(!ok && error.contains("not-found"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_confirms_a_namesake_only_as_shown() {
    let world = World::new();
    world.enrol(&world.utopia.passport(1)).await;
    let mut namesake = world.utopia.holder(1);
    namesake.document_number = "NEW4711".to_owned();
    namesake.personal_number = None;
    let session = world.present(&world.utopia.issue(&namesake)).await;
    // The first time the operator finds it out, the second time the officer has not seen it yet.
    for reasons in ["face-not-checked", "possible-duplicate"] {
        let (ok, _, error) = officer(&world, &["confirm", &session.id]);
        assert!(!ok && error.contains(reasons), "{error}");
        assert!(
            error.contains("[look-again]") && error.contains("--evidence"),
            "{error}"
        );
    }
    let other = credential::jose::encode([0; 32]);
    let (ok, _, error) = officer(&world, &["confirm", &session.id, "--evidence", &other]);
    assert!(!ok && error.contains("[other-evidence]"), "{error}");
    let (_, shown, _) = officer(&world, &["show", &session.id]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let digest = shown["evidence_digest"].as_str().unwrap();
    let (ok, code, error) = officer(&world, &["confirm", &session.id, "--evidence", digest]);
    assert!(ok && code.trim().len() == 6, "{error}");
}

#[tokio::test]
async fn a_site_is_registered_offline_and_listed_to_everybody() {
    let world = World::new();
    // The origin with its port, as a configuration with a fixed port would have it.
    let config = std::fs::read_to_string(world.path("operator.toml")).unwrap();
    let config = config.replace("https://operator.localhost:0", world.origin.as_str());
    std::fs::write(world.path("sites.toml"), config).unwrap();
    let (config, out) = (
        text(&world.path("sites.toml")),
        text(&world.path("forum.entry")),
    );
    let hash = credential::jose::encode([7; 32]);
    let add = |config: &str, out: &str, item: &str| {
        let output = bauta()
            .args([
                "site", "add", "--config", config, "--out", out, "--item", item,
            ])
            .args([
                "--origin",
                "https://forum.localhost:9443",
                "--name",
                "Forum",
            ])
            .args([
                "--purpose",
                "one account per person",
                "--alternative",
                "at the desk",
            ])
            .args([
                "--gateway",
                "https://login.forum.localhost:9444",
                "--x509-hash",
                &hash,
            ])
            .output()
            .unwrap();
        output.status.success()
    };
    assert!(!add(&config, &out, "web_number"));
    assert!(!add(&text(&world.path("operator.toml")), &out, "sex"));
    assert!(!Path::new(&out).exists());
    assert!(add(&config, &out, "sex"));
    let entry = std::fs::read_to_string(&out).unwrap();
    let listed = world.call(Method::GET, "/sites", None, None).await.ok();
    assert_eq!(
        listed["entries"].as_array().unwrap(),
        &[Value::String(entry.clone())]
    );
    let trust: Value =
        serde_json::from_slice(&std::fs::read(world.path("keys/operator.json")).unwrap()).unwrap();
    let key = serde_json::from_value(trust["operator_key"].clone()).unwrap();
    let entry = SiteEntry::verify(&entry, &world.origin, &key, server::clock::now()).unwrap();
    assert_eq!(entry.site.name, "Forum");
}

#[tokio::test]
async fn a_server_stops_when_told_to_and_keeps_what_it_stored() {
    let World {
        operator,
        trustees,
        folder,
        ..
    } = World::new();
    assert!(operator.terminate().success());
    for trustee in trustees.into_iter().flatten() {
        assert!(trustee.terminate().success());
    }
    assert!(folder.path().join("state/register.sqlite").exists());
}

#[test]
fn what_exists_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let out = text(&folder.path().join("keys"));
    let arguments = [
        "operator",
        "init",
        "--out",
        &out,
        "--origin",
        "https://id.example",
    ];
    run_bauta(&arguments);
    let key = std::fs::read(folder.path().join("keys/operator.key")).unwrap();
    assert!(!bauta().args(arguments).output().unwrap().status.success());
    assert_eq!(
        std::fs::read(folder.path().join("keys/operator.key")).unwrap(),
        key
    );
}

#[test]
fn a_configuration_that_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("operator.toml");
    std::fs::write(&path, "colour = 'red'\n").unwrap();
    for arguments in [["serve", "--config"], ["trustee", "--config"]] {
        let output = bauta().args(arguments).arg(&path).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains("operator.toml"),
            "{error}"
        );
    }
    let output = bauta()
        .args([
            "trustee",
            "deal",
            "--threshold",
            "4",
            "--trustees",
            "3",
            "--out",
        ])
        .arg(folder.path().join("g"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(!folder.path().join("g").exists());
}

#[tokio::test]
async fn an_operator_does_not_start_with_a_face_check_that_nothing_supports() {
    let world = World::new();
    let config = std::fs::read_to_string(world.path("operator.toml")).unwrap();
    // The world's operator works in its own.
    let config = config.replace("state_folder = 'state'", "state_folder = 'another'");
    let (nowhere, path) = (world.path("nowhere"), world.path("another.toml"));
    for (more, id) in [
        ("false_match_rate = 0.0001", "false-match-rate-unsupported"),
        ("false_match_rate = 1.0", "configuration-invalid"),
        (
            "false_match_rate = 0.004\nhighest_level = 'high'",
            "level-unsupported",
        ),
        // The control: nothing else is wrong.
        ("false_match_rate = 0.004", "networks-missing"),
    ] {
        let section = face_section(world.folder.path(), &nowhere, more);
        std::fs::write(&path, format!("{config}{section}")).unwrap();
        let mut serve = bauta();
        let output = serve.args(["serve", "--config"]).arg(&path).output();
        let output = output.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let named = error.contains(&format!("[{id}]"));
        assert!(!output.status.success() && named, "{error}");
    }
}
