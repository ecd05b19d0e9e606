use std::sync::Mutex;

use credential::jose::{SigningKey, jws};
use serde_json::{Value, json};

use super::*;
use crate::residents::NumberKind;
use crate::testing::NOW;

const NUMBER: &str = "11010519491231002X";

fn today() -> CalendarDate {
    CalendarDate::from_unix(mrtd::UnixTime(NOW.0)).unwrap()
}

fn number(kind: NumberKind, text: &str) -> ResidentNumber {
    ResidentNumber::parse(kind, text, today()).unwrap_or_else(|error| panic!("{error}"))
}

fn name() -> PersonName {
    PersonName::parse("测试甲").unwrap_or_else(|error| panic!("{error}"))
}

fn claim() -> ResidentClaim {
    let number = number(NumberKind::Resident, NUMBER);
    ResidentClaim::new(number, name(), &CardDates::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

fn born(text: &str) -> CardDates {
    CardDates {
        birth: Some(IsoDate::parse(text).unwrap()),
        ..CardDates::default()
    }
}

/// The payload of a true answer to this question.
fn payload(inquiry: &Inquiry) -> Value {
    json!({
        "request_id": inquiry.request.request_id,
        "nonce": inquiry.request.nonce,
        "request_sha256": jose::encode(jose::sha256(inquiry.body())),
        "result": "match",
        "document": "valid",
        "person": "alive",
        "checked_at": 1_800_000_000_u64,
    })
}

fn sign(key: &SigningKey, payload: &Value) -> String {
    jws::sign(key, "bauta-authority-answer+jwt", payload)
}

#[test]
fn the_answer_to_the_question_is_read_and_no_other() {
    let (key, inquiry) = (SigningKey::generate(), claim().inquiry);
    let read = |answer: &str| inquiry.read_answer(answer, key.public());
    let good = payload(&inquiry);
    let answer = read(&sign(&key, &good)).unwrap();
    assert_eq!(answer.result, MatchResult::Match);
    assert_eq!(answer.checked_at, Some(NOW));

    let changes = [
        ("request_id", json!(jose::encode([0; 16]))),
        ("nonce", json!(jose::encode([0; 16]))),
        ("request_sha256", json!(jose::encode([0; 32]))),
        ("result", json!("perhaps")),
        // States are told with a match alone.
        ("result", json!("mismatch")),
        ("document", json!(null)),
        ("name", json!("测试甲")),
    ];
    for (member, value) in changes {
        let mut bad = good.clone();
        bad[member] = value;
        assert_eq!(read(&sign(&key, &bad)), Err(AnswerInvalid), "{member}");
    }
    assert_eq!(
        read(&sign(&SigningKey::generate(), &good)),
        Err(AnswerInvalid)
    );
    assert_eq!(
        read(&jws::sign(&key, "bauta-evidence+jwt", &good)),
        Err(AnswerInvalid)
    );
    let signed = sign(&key, &good);
    for text in ["", "a.b.c", &signed[..signed.len() - 4]] {
        assert_eq!(read(text), Err(AnswerInvalid));
    }
    // The same question of the same person is another one.
    let replayed = claim().inquiry.read_answer(&signed, key.public());
    assert_eq!(replayed, Err(AnswerInvalid));
}

#[test]
fn a_birth_date_must_be_the_numbers() {
    let resident = || number(NumberKind::Resident, NUMBER);
    assert!(ResidentClaim::new(resident(), name(), &born("1949-12-31")).is_ok());
    let wrong = ResidentClaim::new(resident(), name(), &born("1949-12-30"));
    assert_eq!(wrong.err(), Some(WrongBirth));
    // This one leaves the century open.
    let digit = mrtd::check_digit(b"UTO31002001020").unwrap();
    let card = format!("UTO31002001020{digit}");
    let card = || number(NumberKind::PermanentResident, &card);
    let missing = ResidentClaim::new(card(), name(), &CardDates::default());
    assert_eq!(missing.err(), Some(WrongBirth));
    assert!(ResidentClaim::new(card(), name(), &born("1920-01-02")).is_ok());
}

/// A register that always says the same.
struct Says(Mutex<Option<Result<RegisterAnswer, RegisterError>>>);

#[async_trait]
impl AuthoritativeRegister for Says {
    async fn verify(&self, _: &Inquiry, _: UnixTime) -> Result<RegisterAnswer, RegisterError> {
        self.0.lock().unwrap().take().unwrap()
    }
}

async fn confirm(answer: Result<RegisterAnswer, RegisterError>) -> Result<(), NotConfirmed> {
    let register = Says(Mutex::new(Some(answer)));
    claim().confirm(&register, NOW).await
}

#[tokio::test]
async fn only_a_match_with_a_valid_card_of_somebody_alive_confirms() {
    let good = RegisterAnswer {
        result: MatchResult::Match,
        document: DocumentState::Valid,
        person: PersonState::Alive,
        checked_at: None,
    };
    assert_eq!(confirm(Ok(good)).await, Ok(()));
    let claim = claim();
    assert_eq!(claim.number().expose(), NUMBER);
    assert!(claim.name().is(&name()));
    assert!(claim.birth() == CalendarDate::new(1949, 12, 31).unwrap());

    let result = |result| RegisterAnswer { result, ..good };
    let document = |document| RegisterAnswer { document, ..good };
    let person = |person| RegisterAnswer { person, ..good };
    let refusals = [
        (result(MatchResult::Mismatch), NotConfirmed::NoMatch),
        (result(MatchResult::NoRecord), NotConfirmed::NoMatch),
        (
            result(MatchResult::Indeterminate),
            NotConfirmed::Indeterminate,
        ),
        (document(DocumentState::Expired), NotConfirmed::Expired),
        (document(DocumentState::Withdrawn), NotConfirmed::Withdrawn),
        (
            document(DocumentState::Unknown),
            NotConfirmed::Indeterminate,
        ),
        (person(PersonState::Deceased), NotConfirmed::Deceased),
        (person(PersonState::Unknown), NotConfirmed::Indeterminate),
    ];
    for (answer, refusal) in refusals {
        assert_eq!(confirm(Ok(answer)).await.err(), Some(refusal));
    }
    let fault = RegisterError::TimedOut;
    let failed = confirm(Err(fault.clone())).await.err();
    assert_eq!(failed, Some(NotConfirmed::Register(fault)));
}

#[test]
fn a_question_holds_what_was_said_and_is_never_the_same() {
    let (one, two) = (claim().inquiry, claim().inquiry);
    let read = |inquiry: &Inquiry| serde_json::from_slice::<Value>(inquiry.body()).unwrap();
    let (one, two) = (read(&one), read(&two));
    assert_eq!(
        (&one["number"], &one["name"]),
        (&json!(NUMBER), &json!("测试甲"))
    );
    assert_eq!(one["kind"], "resident");
    assert!(one.get("birth").is_none());
    assert_ne!(one["request_id"], two["request_id"]);
    assert_ne!(one["nonce"], two["nonce"]);
}
