use async_trait::async_trait;
use serde_json::{Value, json};
use store::{CardState, LifeState, ResidentFound, ResidentRecord};

use super::*;
use crate::residents::contract::sign_token;
use crate::testing::NOW;

const ORIGIN: &str = "https://register.example:443";
const NUMBER: &str = "11010519491231002X";

/// What a table holds.
type Make = fn() -> ResidentRecord;

/// A table of one person, or a table that fails.
struct Table {
    record: Make,
    fails: bool,
}

#[async_trait]
impl ResidentTable for Table {
    async fn find(
        &self,
        kind: &'static str,
        number: &Zeroizing<String>,
    ) -> Result<ResidentFound, StoreError> {
        if self.fails {
            return Err(StoreError::Damaged("test"));
        }
        if (kind, number.as_str()) == ("resident", NUMBER) {
            return Ok(ResidentFound::One((self.record)()));
        }
        Ok(ResidentFound::None)
    }
}

fn record() -> ResidentRecord {
    let text = |text: &str| Some(Zeroizing::new(text.to_owned()));
    ResidentRecord {
        name: Zeroizing::new("测试 甲".to_owned()),
        birth: text("1949-12-31"),
        valid_from: text("2020-01-01"),
        valid_to: text("2030-01-01"),
        card: CardState::Valid,
        life: LifeState::Alive,
    }
}

struct World {
    attester: SigningKey,
    connector: Connector,
    public: PublicKey,
}

fn world_of(table: Table) -> World {
    let (attester, key) = (SigningKey::generate(), SigningKey::generate());
    let public = *key.public();
    let setup = ConnectorSetup {
        key,
        origin: Origin::parse(ORIGIN).unwrap(),
        attester: ("enrolment".to_owned(), *attester.public()),
        attempts_per_minute: 3,
    };
    World {
        connector: Connector::new(setup, Arc::new(table)),
        attester,
        public,
    }
}

fn world(record: Make) -> World {
    world_of(Table {
        record,
        fails: false,
    })
}

fn request() -> Value {
    json!({
        "request_id": jose::encode(crate::secret::random::<16>()),
        "nonce": jose::encode([2; 16]),
        "kind": "resident",
        "number": NUMBER,
        "name": "测试甲",
    })
}

impl World {
    async fn ask(&self, request: &Value) -> Result<String, ConnectorError> {
        let body = request.to_string();
        let hash = jose::sha256(body.as_bytes());
        let token = sign_token(&self.attester, ("enrolment", ORIGIN), hash, NOW);
        self.connector.verify(&token, body.as_bytes(), NOW).await
    }

    /// Result, document and person of an answer.
    async fn told(&self, request: &Value) -> [String; 3] {
        let answer = self.ask(request).await.unwrap();
        let jws = jose::jws::UnverifiedJws::parse(&answer).unwrap();
        let typ = "bauta-authority-answer+jwt";
        let claims: Value = jws.verify(&self.public, typ).unwrap();
        assert!(!claims.to_string().contains(NUMBER));
        ["result", "document", "person"].map(|member| claims[member].as_str().unwrap().to_owned())
    }
}

fn with(member: &str, value: &str) -> Value {
    let mut request = request();
    request[member] = json!(value);
    request
}

#[tokio::test]
async fn what_is_given_is_compared_and_nothing_else_is_told() {
    let world = world(record);
    let matches = ["match", "valid", "alive"];
    let mismatch = ["mismatch", "unknown", "unknown"];
    for (question, told) in [
        (request(), matches),
        (with("birth", "1949-12-31"), matches),
        (with("valid_to", "2030-01-01"), matches),
    ] {
        assert_eq!(world.told(&question).await, told);
    }
    let other = world_of(Table {
        record,
        fails: false,
    });
    for question in [
        with("name", "测试乙"),
        with("birth", "1949-12-30"),
        with("valid_to", "unlimited"),
    ] {
        assert_eq!(other.told(&question).await, mismatch, "{question}");
    }
    let no_record = world.told(&with("number", "440524188001010014")).await;
    assert_eq!(no_record, ["no_record", "unknown", "unknown"]);
    let counts = AnswerCounts {
        matches: 3,
        no_records: 1,
        ..AnswerCounts::default()
    };
    assert_eq!(world.connector.counts(), counts);
}

#[tokio::test]
async fn a_value_that_the_table_does_not_have_leaves_it_open() {
    let world = world(|| ResidentRecord {
        birth: None,
        valid_to: None,
        ..record()
    });
    let open = ["indeterminate", "unknown", "unknown"];
    assert_eq!(world.told(&with("birth", "1949-12-31")).await, open);
    assert_eq!(world.told(&request()).await, ["match", "valid", "alive"]);
    let mut wrong = with("birth", "1949-12-31");
    wrong["name"] = json!("测试乙");
    assert_eq!(world.told(&wrong).await[0], "mismatch");
}

#[tokio::test]
async fn the_states_of_card_and_person_are_told() {
    let cases: [(Make, &str, &str); 5] = [
        (
            || ResidentRecord {
                valid_to: Some(Zeroizing::new("2027-01-14".to_owned())),
                ..record()
            },
            "expired",
            "alive",
        ),
        (
            || ResidentRecord {
                valid_to: Some(Zeroizing::new("2027-01-15".to_owned())),
                ..record()
            },
            "valid",
            "alive",
        ),
        (
            || ResidentRecord {
                card: CardState::Withdrawn,
                ..record()
            },
            "withdrawn",
            "alive",
        ),
        (
            || ResidentRecord {
                card: CardState::Unknown,
                ..record()
            },
            "unknown",
            "alive",
        ),
        (
            || ResidentRecord {
                life: LifeState::Deceased,
                ..record()
            },
            "valid",
            "deceased",
        ),
    ];
    for (record, document, person) in cases {
        let told = world(record).told(&request()).await;
        assert_eq!(told, ["match", document, person]);
    }
}

#[tokio::test]
async fn a_token_for_others_or_other_octets_is_refused() {
    let world = world(record);
    let body = request().to_string();
    let hash = jose::sha256(body.as_bytes());
    let ask = async |token: String, at| world.connector.verify(&token, body.as_bytes(), at).await;
    let sign = |key, parties, hash| sign_token(key, parties, hash, NOW);
    let (good, stranger) = (("enrolment", ORIGIN), SigningKey::generate());
    let key = &world.attester;
    for token in [
        String::new(),
        sign(&stranger, good, hash),
        sign(key, ("other", ORIGIN), hash),
        sign(key, ("enrolment", "https://other.example:443"), hash),
        sign(key, good, [0; 32]),
    ] {
        let refused = ask(token, NOW).await;
        assert!(matches!(
            refused,
            Err(ConnectorError::Token(TokenError::Invalid))
        ));
    }
    for at in [NOW.plus_secs(120), NOW.minus_secs(61)] {
        let refused = ask(sign(key, good, hash), at).await;
        assert!(matches!(
            refused,
            Err(ConnectorError::Token(TokenError::Time))
        ));
    }
    assert!(ask(sign(key, good, hash), NOW.plus_secs(119)).await.is_ok());
    assert_eq!(world.connector.counts().refused, 7);
}

#[tokio::test]
async fn requests_of_another_form_are_refused() {
    let world = world(record);
    for (member, value) in [
        ("request_id", "short"),
        ("nonce", ""),
        ("kind", "passport"),
        ("name", ""),
        ("birth", "1949-12-32"),
        ("colour", "red"),
    ] {
        let refused = world.ask(&with(member, value)).await;
        assert!(
            matches!(refused, Err(ConnectorError::Malformed)),
            "{member}"
        );
    }
    let refused = world.ask(&with("number", "110105194912310021")).await;
    let check = NumberError::Check;
    assert!(matches!(refused, Err(ConnectorError::Number(error)) if error == check));
}

#[tokio::test]
async fn one_request_has_one_answer_and_its_identifier_is_its_own() {
    let world = world(record);
    let request = request();
    let first = world.ask(&request).await.unwrap();
    assert_eq!(world.ask(&request).await.unwrap(), first);
    let mut other = request.clone();
    other["name"] = json!("测试乙");
    assert!(matches!(
        world.ask(&other).await,
        Err(ConnectorError::IdUsed)
    ));
    assert_eq!(world.connector.counts().matches, 1);
}

#[tokio::test]
async fn names_cannot_be_tried_one_after_the_other() {
    let world = world(record);
    for name in ["测试一", "测试二", "测试三"] {
        assert_eq!(world.told(&with("name", name)).await[0], "mismatch");
    }
    let refused = world.ask(&request()).await;
    assert!(matches!(refused, Err(ConnectorError::RateLimited)));
}

#[tokio::test]
async fn a_table_that_fails_is_no_mismatch() {
    let world = world_of(Table {
        record,
        fails: true,
    });
    let failed = world.ask(&request()).await;
    assert!(matches!(failed, Err(ConnectorError::Store(_))));
}
