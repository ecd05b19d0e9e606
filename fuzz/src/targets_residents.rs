//! Targets of `service::residents`: what people, registers and operators write.

use std::sync::Arc;

use async_trait::async_trait;
use credential::jose::{SigningKey, encode, jws, sha256};
use mrtd::CalendarDate;
use serde_json::json;
use service::residents::{
    Connector, ConnectorSetup, NumberKind, PersonName, ResidentNumber, read_row,
};
use store::{ResidentFound, ResidentTable, StoreError};
use zeroize::Zeroizing;

use crate::Target;
use crate::input::{take, text};
use crate::stores::at_once;
use crate::world::{KEY, NOW, origin};

pub(crate) const TARGETS: [Target; 4] = [
    Target::new("resident_number", resident_number, resident_number_seeds),
    Target::new("person_name", person_name, person_name_seeds),
    Target::new("resident_row", resident_row, resident_row_seeds),
    Target::new("register_request", register_request, register_request_seeds),
];

const KINDS: [NumberKind; 5] = [
    NumberKind::Resident,
    NumberKind::HongKongPermit,
    NumberKind::MacauPermit,
    NumberKind::TaiwanPermit,
    NumberKind::PermanentResident,
];

const ATTESTER: &str = "enrolment";

fn today() -> CalendarDate {
    CalendarDate::new(2027, 1, 15).expect("a day")
}

/// A kind, then a number as a person writes it.
fn resident_number(data: &[u8]) -> bool {
    let ([kind], number) = take(data);
    let kind = KINDS[usize::from(kind) % KINDS.len()];
    let parse = |text: &str| ResidentNumber::parse(kind, text, today());
    text(number).is_some_and(|text| {
        parse(text).is_ok_and(|number| {
            let again = parse(number.expose());
            assert!(again.is_ok_and(|again| again.expose() == number.expose()));
            let _said = (number.nationality(), number.birth(), number.sex());
            assert!(number.evidence().is_ok());
            true
        })
    })
}

fn resident_number_seeds() -> Vec<Vec<u8>> {
    [
        "\u{0}11010519491231002X",
        "\u{0}110105491231002",
        "\u{1}810000199002030011",
        "\u{4}931123198506070010",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn person_name(data: &[u8]) -> bool {
    text(data).is_some_and(|text| {
        PersonName::parse(text).is_ok_and(|name| {
            let again = PersonName::parse(name.expose());
            assert!(again.is_ok_and(|again| again.is(&name)));
            true
        })
    })
}

fn person_name_seeds() -> Vec<Vec<u8>> {
    ["测试甲", "样本 ・ 测试", "Specimen  Anna"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}

fn resident_row(data: &[u8]) -> bool {
    text(data).is_some_and(|text| read_row(text, today()).is_ok())
}

fn resident_row_seeds() -> Vec<Vec<u8>> {
    let row = json!({
        "kind": "resident", "number": "11010519491231002X", "name": "测试甲",
        "birth": "1949-12-31", "valid_from": "2020-01-01", "valid_to": "unlimited",
        "card_state": "valid", "person_state": "alive",
    });
    vec![row.to_string().into_bytes()]
}

struct Nobody;

#[async_trait]
impl ResidentTable for Nobody {
    async fn find(
        &self,
        _: &'static str,
        _: &Zeroizing<String>,
    ) -> Result<ResidentFound, StoreError> {
        Ok(ResidentFound::None)
    }
}

/// A request to a connector, under the enrolment service's token.
fn register_request(data: &[u8]) -> bool {
    let claims = json!({
        "iss": ATTESTER, "aud": origin(), "request_sha256": encode(sha256(data)),
        "iat": NOW, "exp": NOW.plus_secs(60),
    });
    let token = jws::sign(&KEY, "bauta-authority-request+jwt", &claims);
    let setup = ConnectorSetup {
        key: SigningKey::from_pkcs8(&KEY.to_pkcs8()).expect("a key"),
        origin: origin(),
        attester: (ATTESTER.to_owned(), *KEY.public()),
        attempts_per_minute: 1,
    };
    let connector = Connector::new(setup, Arc::new(Nobody));
    at_once(connector.verify(&token, data, NOW)).is_ok_and(|answer| {
        let again = at_once(connector.verify(&token, data, NOW));
        assert!(again.is_ok_and(|again| again == answer));
        true
    })
}

fn register_request_seeds() -> Vec<Vec<u8>> {
    let request = json!({
        "request_id": encode([1; 16]), "nonce": encode([2; 16]), "kind": "resident",
        "number": "11010519491231002X", "name": "测试甲", "birth": "1949-12-31",
        "valid_from": "2020-01-01", "valid_to": "2030-01-01",
    });
    vec![request.to_string().into_bytes()]
}
