//! An authoritative register over the wire: the operator's side, the connector, and impostors.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use credential::jose::{self, SigningKey, jws};
use serde_json::{Value, json};
use service::residents::{NotConfirmed, RegisterError};

use crate::support::process::bauta;
use crate::support::register::{
    ALIVE, DECEASED, EXPIRED, Impostor, NAME, Register, UNKNOWN, WITHDRAWN, confirm, import,
    number, request, text,
};
use crate::support::wallet::assert_refused;

/// What is wrong with asking an impostor.
async fn failure(
    register: &Register,
    answer: impl Fn(usize, &[u8]) -> Option<Response> + Clone + Send + Sync + 'static,
) -> (Option<NotConfirmed>, Impostor) {
    let impostor = Impostor::start(register, answer).await;
    let attester = register.read_key("keys/attester.key");
    let asked = register.asked_with(&impostor.origin, register.public_key(), attester);
    (confirm(&asked, ALIVE, NAME).await.err(), impostor)
}

fn fault(error: RegisterError) -> Option<NotConfirmed> {
    Some(NotConfirmed::Register(error))
}

/// A true answer to the request, signed with this key.
fn true_answer(key: &SigningKey, body: &[u8]) -> String {
    let request: Value = serde_json::from_slice(body).unwrap();
    let claims = json!({
        "request_id": request["request_id"], "nonce": request["nonce"],
        "request_sha256": jose::encode(jose::sha256(body)),
        "result": "match", "document": "valid", "person": "alive",
    });
    jws::sign(key, "bauta-authority-answer+jwt", &claims)
}

#[tokio::test]
async fn a_person_is_confirmed_by_number_and_name() {
    let register = Register::new();
    let asked = register.asked();
    for spelling in [NAME, "测 试\u{3000}甲"] {
        assert_eq!(confirm(&asked, ALIVE, spelling).await, Ok(()));
    }
    let refusals = [
        (ALIVE, "测试乙", NotConfirmed::NoMatch),
        (999, NAME, NotConfirmed::NoMatch),
        (EXPIRED, NAME, NotConfirmed::Expired),
        (WITHDRAWN, NAME, NotConfirmed::Withdrawn),
        (DECEASED, NAME, NotConfirmed::Deceased),
        (UNKNOWN, NAME, NotConfirmed::Indeterminate),
    ];
    for (order, name, refusal) in refusals {
        assert_eq!(
            confirm(&asked, order, name).await.err(),
            Some(refusal),
            "{order}"
        );
    }
}

#[tokio::test]
async fn a_connector_answers_its_operator_alone() {
    let register = Register::new();
    let body = request(ALIVE).to_string();
    let missing = register.send(None, &body).await;
    assert_refused(&missing, 401, "missing-authorization");
    let now = server::clock::now().0;
    let other = "https://other.localhost:1";
    for (claim, value) in [
        ("iss", json!("other")),
        ("aud", json!(other)),
        ("request_sha256", json!(jose::encode([0; 32]))),
        ("colour", json!("red")),
    ] {
        let token = register.token(&body, (claim, value));
        let refused = register.send(Some(&token), &body).await;
        assert_refused(&refused, 403, "bad-request-token");
    }
    for (claim, value) in [("exp", now - 61), ("exp", now + 1000), ("iat", now + 1000)] {
        let token = register.token(&body, (claim, json!(value)));
        let refused = register.send(Some(&token), &body).await;
        assert_refused(&refused, 403, "request-token-expired");
    }
    let refused = register.send(Some("a.b.c"), &body).await;
    assert_refused(&refused, 403, "bad-request-token");

    let stranger = SigningKey::generate();
    let asked = register.asked_with(&register.origin, register.public_key(), stranger);
    let refused = confirm(&asked, ALIVE, NAME).await.err();
    assert_eq!(
        refused,
        fault(RegisterError::Refused("bad-request-token".to_owned()))
    );
}

#[tokio::test]
async fn requests_of_another_form_are_refused() {
    let register = Register::new();
    for (member, value, id) in [
        ("kind", json!("passport"), "malformed-request"),
        ("name", json!(""), "malformed-request"),
        ("birth", json!("1990-02-30"), "malformed-request"),
        ("colour", json!("red"), "malformed-request"),
        ("number", json!("110105199002030010"), "bad-number"),
    ] {
        let mut bad = request(ALIVE);
        bad[member] = value;
        assert_refused(&register.ask(&bad).await, 400, id);
    }
    let large = format!("{}{}", request(ALIVE), " ".repeat(100_000));
    let token = register.token(&large, ("iss", json!("enrolment")));
    let refused = register.send(Some(&token), &large).await;
    assert_refused(&refused, 413, "body-too-large");
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_and_its_identifier_to_itself() {
    let register = Register::new();
    let mut request = request(ALIVE);
    let first = register.ask(&request).await;
    assert_eq!(first.status, 200);
    for _ in 0..5 {
        assert_eq!(register.ask(&request).await.raw.body, first.raw.body);
    }
    request["name"] = json!("测试乙");
    assert_refused(&register.ask(&request).await, 409, "request-id-used");
}

#[tokio::test]
async fn a_number_is_asked_about_three_times_a_minute() {
    let register = Register::new();
    let asked = register.asked();
    for name in ["测试乙", "测试丙", "测试丁"] {
        let refused = confirm(&asked, ALIVE, name).await.err();
        assert_eq!(refused, Some(NotConfirmed::NoMatch));
    }
    let refused = confirm(&asked, ALIVE, NAME).await.err();
    assert_eq!(
        refused,
        fault(RegisterError::Refused("rate-limited".to_owned()))
    );
    assert_refused(&register.ask(&request(ALIVE)).await, 429, "rate-limited");
    assert_eq!(
        confirm(&asked, EXPIRED, NAME).await.err(),
        Some(NotConfirmed::Expired)
    );
}

#[tokio::test]
async fn an_answer_under_another_key_or_to_another_question_does_not_hold() {
    let register = Register::new();
    let (stranger, attester) = (
        SigningKey::generate(),
        register.read_key("keys/attester.key"),
    );
    let asked = register.asked_with(&register.origin, *stranger.public(), attester);
    let refused = confirm(&asked, ALIVE, NAME).await.err();
    assert_eq!(refused, fault(RegisterError::AnswerInvalid));

    // A true answer of the connector, to a question with another nonce.
    let earlier = register.ask(&request(ALIVE)).await.raw.body;
    let replay = move |_: usize, _: &[u8]| Some(earlier.clone().into_response());
    let (refused, impostor) = failure(&register, replay).await;
    assert_eq!(refused, fault(RegisterError::AnswerInvalid));
    assert_eq!(impostor.asked(), 1);
}

#[tokio::test]
async fn a_connector_that_fails_is_asked_once_more_with_the_same_octets() {
    let register = Register::new();
    let key = std::sync::Arc::new(register.read_key("connector/connector.key"));
    let fails_once = move |count: usize, body: &[u8]| {
        let answer = true_answer(&key, body).into_response();
        let failed = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        Some(if count == 1 { failed } else { answer })
    };
    let (refused, impostor) = failure(&register, fails_once).await;
    assert_eq!(refused, None);
    let bodies = impostor.bodies.lock().unwrap().clone();
    assert!(bodies.len() == 2 && bodies[0] == bodies[1]);

    let fails = |_: usize, _: &[u8]| Some(StatusCode::BAD_GATEWAY.into_response());
    let (refused, impostor) = failure(&register, fails).await;
    assert_eq!(refused, fault(RegisterError::Unavailable));
    assert_eq!(impostor.asked(), 2);
}

#[tokio::test]
async fn garbage_and_floods_are_no_answers_and_silence_has_an_end() {
    let register = Register::new();
    for body in ["", "{}", "a.b.c", &"A".repeat(5 << 20)] {
        let body = body.to_owned();
        let garbage = move |_: usize, _: &[u8]| Some(body.clone().into_response());
        let (refused, impostor) = failure(&register, garbage).await;
        assert_eq!(refused, fault(RegisterError::AnswerInvalid));
        assert_eq!(impostor.asked(), 1);
    }
    let elsewhere = |_: usize, _: &[u8]| Some(StatusCode::FOUND.into_response());
    let (refused, _) = failure(&register, elsewhere).await;
    assert_eq!(refused, fault(RegisterError::AnswerInvalid));
    let teapot = |_: usize, _: &[u8]| Some((StatusCode::IM_A_TEAPOT, "hot").into_response());
    let (refused, _) = failure(&register, teapot).await;
    assert_eq!(
        refused,
        fault(RegisterError::Refused("server-failed".to_owned()))
    );

    let (refused, impostor) = failure(&register, |_: usize, _: &[u8]| None).await;
    assert_eq!(refused, fault(RegisterError::TimedOut));
    assert_eq!(impostor.asked(), 1);
}

#[tokio::test]
async fn a_connector_that_is_off_is_not_available() {
    let register = Register::new();
    let asked = register.asked();
    assert!(confirm(&asked, ALIVE, NAME).await.is_ok());
    let Register {
        connector, folder, ..
    } = register;
    connector.kill();
    let refused = confirm(&asked, ALIVE, NAME).await.err();
    assert_eq!(refused, fault(RegisterError::Unavailable));
    drop(folder);
}

#[tokio::test]
async fn a_table_that_is_gone_is_a_fault_and_no_mismatch() {
    let register = Register::new();
    let db = rusqlite::Connection::open(register.path("residents.sqlite")).unwrap();
    db.execute_batch("DROP TABLE resident").unwrap();
    assert_refused(&register.ask(&request(ALIVE)).await, 500, "internal-error");
    let refused = confirm(&register.asked(), ALIVE, NAME).await.err();
    assert_eq!(refused, fault(RegisterError::Unavailable));
}

#[tokio::test]
async fn the_log_counts_answers_and_names_nobody() {
    let mut register = Register::new();
    let asked = register.asked();
    assert!(confirm(&asked, ALIVE, NAME).await.is_ok());
    for order in [ALIVE, 999] {
        assert!(confirm(&asked, order, "测试乙").await.is_err());
    }
    let bad = json!({ "number": number(ALIVE), "name": NAME });
    assert_refused(&register.ask(&bad).await, 400, "malformed-request");
    register.connector.tell_to_stop();
    assert!(register.connector.wait().success());
    let log = register.log();
    for count in ["match=1", "mismatch=1", "no_record=1", "refused=1"] {
        assert!(log.contains(count), "{count}: {log}");
    }
    for personal in [NAME, "测试乙", &number(ALIVE)[..6], "1990"] {
        assert!(!log.contains(personal), "{log}");
    }
}

#[test]
fn rows_come_into_the_table_all_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let row = |number: &str| {
        let row = json!({ "kind": "resident", "number": number, "name": NAME });
        format!("{row}\n")
    };
    let good = row(&number(1));
    let errors = import(root, &format!("{good}{}", row("110105199002030010"))).unwrap_err();
    assert!(
        errors.contains("[file-invalid]") && errors.contains("line 2"),
        "{errors}"
    );
    assert!(
        !errors.contains("110105") && !errors.contains(NAME),
        "{errors}"
    );
    assert!(!root.join("residents.sqlite").exists());
    assert_eq!(import(root, &good).unwrap().trim(), r#"{"imported":1}"#);
}

#[test]
fn a_connector_does_not_start_without_its_table() {
    let register = Register::new();
    std::fs::remove_file(register.path("residents.sqlite")).unwrap();
    let config = text(&register.path("connector.toml"));
    let output = bauta()
        .args(["connector", "--config", &config])
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && errors.contains("[file-invalid]"),
        "{errors}"
    );
    assert!(!register.path("residents.sqlite").exists());
    // Keys are made once.
    let out = text(&register.path("connector"));
    let again = [
        "connector",
        "init",
        "--out",
        &out,
        "--origin",
        "https://register.localhost",
    ];
    let output = bauta().args(again).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && errors.contains("[file-unwritable]"),
        "{errors}"
    );
}
