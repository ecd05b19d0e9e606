//! The operator against its own description, docs/specs/enrolment.openapi.json.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use axum::http::{Method, header};
use credential::jose::SigningKey;
use credential::renewal::RenewedEpochs;
use e2e::opened::Opened;
use e2e::recorder::Recorder;
use e2e::schemathesis::{Asker, Outcome, ask, compare};
use e2e::world::{AUTHORITIES, World};
use serde_json::{Value, json};
use server::clock;
use server::demo::chip::Chip;
use server::demo::deployment::{OFFICER, Party};

use crate::enrolment::from_backup;
use crate::residents::{ALIVE, Country, NAME, number};

/// What nothing here is answered: it takes a chip that has proved itself, and somebody before a camera.
/// `crates/server/tests/operator/face.rs` has both.
const UNSEEN: [(&str, u16); 4] = [
    ("challengeFace", 200),
    ("decideByMachine", 200),
    ("face", 200),
    ("leaveFaceOut", 200),
];
/// Successes that wallets do not have here, but whoever asks as schemathesis does.
const OF_SCHEMATHESIS: [&str; 3] = ["list", "resident", "sites"];

/// Enough for who gets no further than 401: every limit of every value is tried with sessions.
const FEW: [&str; 4] = ["-n", "4", "--phases", "fuzzing"];

#[test]
fn what_the_operator_answers_anybody_is_described() {
    let world = World::with_faces().unwrap();
    let country = Country::of(world);
    let world = &country.world;
    wrong_descriptions_are_found(world);
    methods_are_those_described(world);

    let key = *SigningKey::generate().public();
    let stranger = ask(world, &file(), &Asker::Stranger(key), &FEW).unwrap();
    assert!(stranger.fits, "{}", stranger.said);
    let sessions = sessions(world);
    let enrolling = ask(world, &file(), &Asker::Enrolling(key, &sessions), &[]).unwrap();
    assert!(enrolling.fits, "{}", enrolling.said);

    let asked = |(operation, _): (String, u16)| operation;
    let operations: BTreeSet<String> = answers(&description()).into_iter().map(asked).collect();
    let by_stranger: BTreeSet<String> = stranger.answers.into_iter().map(asked).collect();
    assert_eq!(by_stranger, operations);
    // What was asked has reached the handlers, and every refusal of a step that comes before them.
    let steps = ["consent", "document", "resident", "chip", "commit"];
    for step in steps {
        for status in [400, 401, 404, 428] {
            let refused = enrolling.answers.contains(&(step.to_owned(), status));
            assert!(refused, "{step} was never answered {status}");
        }
    }
    let beyond_form = [
        ("begin", 201),
        ("consent", 200),
        ("consent", 409),
        ("consent", 412),
        ("document", 200),
        ("document", 422),
        ("resident", 422),
        ("chip", 422),
        ("face", 409),
        ("commit", 403),
        ("evidence", 200),
        ("decide", 200),
    ];
    let successes = OF_SCHEMATHESIS.map(|operation| (operation, 200));
    for (operation, status) in beyond_form.into_iter().chain(successes) {
        let seen = enrolling.answers.contains(&(operation.to_owned(), status));
        assert!(seen, "{operation} was never answered {status}");
    }
}

#[test]
fn what_wallets_and_officers_exchange_with_the_operator_is_described() {
    let mut world = World::new().unwrap();
    for party in AUTHORITIES {
        world.start(party).unwrap();
    }
    let recorder = Recorder::start(&world, Party::Operator).unwrap();
    let document = world.deployment().passport(1, &[]).unwrap();
    let chip = Chip::start(&document).unwrap();
    let wallet = world.wallet("alva");
    let enrolled = wallet.enrol_by_chip(chip.address(), &document).unwrap();
    assert!(enrolled.is_ok(), "{enrolled:?}");
    let again = from_backup(&world, &wallet, "alva-2");
    again.enrol(&document).unwrap().unwrap();
    renew(&world, "alva-2");
    let waiting = world.wallet("bero");
    let passport = world.deployment().passport(2, &[]).unwrap();
    drop(waiting.begin_enrolment(&passport).unwrap().unwrap());
    waiting.run(&["enrol", "--withdraw"]).unwrap().unwrap();
    again.run(&["end", "--yes"]).unwrap().unwrap();

    let exchanges = recorder.take();
    let compared = compare(&world, &file(), &exchanges).unwrap();
    assert!(compared.fits, "{}", compared.said);
    let successes = |(_, status): &(String, u16)| *status < 300;
    let described: Vec<(String, u16)> = answers(&description()).into_iter().collect();
    let unseen = described
        .into_iter()
        .filter(successes)
        .filter(|answer| !compared.answers.contains(answer));
    let unseen: Vec<_> = unseen
        .filter(|(operation, _)| !OF_SCHEMATHESIS.contains(&operation.as_str()))
        .collect();
    assert_eq!(
        unseen,
        UNSEEN.map(|(name, status)| (name.to_owned(), status))
    );

    let mut wrong = description();
    wrong["components"]["schemas"]["NewOffer"]["properties"]["entropy"] = json!({"const": ""});
    let found = compare(&world, &written(&world, &wrong), &exchanges).unwrap();
    assert!(
        !found.fits && found.said.contains("/commitment"),
        "{}",
        found.said
    );
}

/// The control: who reads the description wrongly is told so.
fn wrong_descriptions_are_found(world: &World) {
    let mut wrong = description();
    wrong["components"]["schemas"]["Begun"]["properties"]["token"] = json!({"const": "x"});
    let status = &mut wrong["paths"]["/enrolment/{session}"]["get"]["responses"];
    status.as_object_mut().unwrap().remove("401").unwrap();
    wrong["components"]["headers"]["an-hour"]["schema"] = json!({"const": "no-store"});
    let operations = ["begin", "status", "manifest"]
        .map(|operation| format!("--include-operation-id={operation}"));
    let mut more = vec!["-n", "2", "--phases", "fuzzing"];
    more.extend(operations.iter().map(String::as_str));
    let key = *SigningKey::generate().public();
    let Outcome { fits, said, .. } =
        ask(world, &written(world, &wrong), &Asker::Stranger(key), &more).unwrap();
    assert!(!fits);
    for found in [
        "Response violates schema",
        "Undocumented status code",
        "Response header does not conform to the schema",
    ] {
        assert!(said.contains(found), "{found} is not in {said}");
    }
}

/// Each address takes the methods that are described, and says so to who uses another one.
fn methods_are_those_described(world: &World) {
    let origin = world.deployment().origin(Party::Operator);
    let browser = world.browser().unwrap();
    for (path, methods) in paths(&description()) {
        let url = format!(
            "{origin}{}",
            path.replace("{session}", "AAAAAAAAAAAAAAAAAAAAAA")
        );
        let mut allowed = methods.clone();
        if methods.contains("GET") {
            allowed.insert("HEAD".to_owned());
        }
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE",
        ] {
            let method: Method = method.parse().unwrap();
            let answer = browser.call(|client| client.request(method.clone(), &url));
            let answer = answer.unwrap();
            let taken = answer.status.as_u16() != 405;
            assert_eq!(taken, allowed.contains(method.as_str()), "{method} {path}");
            // A session that is not there is told from an address that is not.
            assert!(
                !String::from_utf8_lossy(&answer.body).contains("\"not-found\""),
                "{path}"
            );
            if !taken {
                let said = answer.headers[header::ALLOW].to_str().unwrap().split(',');
                let said: BTreeSet<String> = said.map(str::to_owned).collect();
                assert_eq!(said, allowed, "{path}");
            }
        }
    }
}

/// A renewal as the wallet would send it, for this week once more.
fn renew(world: &World, name: &str) {
    let mut opened = Opened::read(world, name).unwrap();
    let origin = opened.origin().clone();
    let browser = world.browser().unwrap();
    let nonce = browser.call(|client| client.post(format!("{origin}/nonce")));
    let nonce: Value = serde_json::from_slice(&nonce.unwrap().body).unwrap();
    let now = clock::now().epoch();
    let epochs = RenewedEpochs { old: now, new: now };
    let device = opened.device().unwrap();
    let asked = opened
        .ask(&device, epochs, nonce["c_nonce"].as_str().unwrap())
        .unwrap();
    let answer = browser.call(|client| {
        client
            .post(format!("{origin}/registration/renewal"))
            .header(header::CONTENT_TYPE, "application/jwt")
            .body(asked.request.clone())
    });
    assert_eq!(answer.unwrap().status.as_u16(), 200);
}

/// What somebody needs who enrols and decides on enrolments.
fn sessions(world: &World) -> Value {
    let deployment = world.deployment();
    json!({
        "operator": deployment.origin(Party::Operator),
        "ca_file": deployment.ca(),
        "passport": deployment.passport(1, &[]).unwrap(),
        "resident": {"kind": "resident", "number": number(ALIVE), "name": NAME},
        "officer": OFFICER,
        "officer_key": deployment.officer_key(),
    })
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/specs/enrolment.openapi.json")
}

fn description() -> Value {
    serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap()
}

fn written(world: &World, description: &Value) -> PathBuf {
    let file = world.scratch().unwrap().join("wrong.openapi.json");
    std::fs::write(&file, description.to_string()).unwrap();
    file
}

/// The methods of each path.
fn paths(description: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let paths = description["paths"].as_object().unwrap().iter();
    let methods = paths.map(|(path, operations)| {
        let names = operations.as_object().unwrap().keys();
        let methods = names.filter(|name| *name != "parameters");
        (
            path.clone(),
            methods.map(|name| name.to_uppercase()).collect(),
        )
    });
    methods.collect()
}

/// The operations with each status that they can answer.
fn answers(description: &Value) -> BTreeSet<(String, u16)> {
    let operations = description["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|path| path.as_object().unwrap().values());
    let answers = operations
        .filter(|operation| operation["operationId"].is_string())
        .flat_map(|operation| {
            let id = operation["operationId"].as_str().unwrap();
            let statuses = operation["responses"].as_object().unwrap().keys();
            statuses.map(move |status| (id.to_owned(), status.parse().unwrap()))
        });
    answers.collect()
}
