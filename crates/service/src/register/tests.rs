use bbs::certificate::{NymCommitment, NymSecrets};
use credential::jose::SigningKey;
use credential::jose::jws::Header;
use credential::time::Epoch;
use serde_json::json;
use store::Inserted;
use store::sqlite::{SqliteRegister, SqliteSessions};
use tempfile::TempDir;

use super::*;
use crate::testing::NOW;

struct Fixture {
    _folder: TempDir,
    device: SigningKey,
    web_number: WebNumber,
    register: Arc<SqliteRegister>,
    nonces: Arc<SqliteSessions>,
    registrations: Registrations,
}

const ORIGIN: &str = "https://operator.example:443";

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let register = SqliteRegister::open(&folder.path().join("r.sqlite"))
        .await
        .unwrap();
    let nonces = SqliteSessions::open(&folder.path().join("s.sqlite"))
        .await
        .unwrap();
    let (register, nonces) = (Arc::new(register), Arc::new(nonces));
    let device = SigningKey::generate();
    let mut rng = secret::rng();
    let commitment = NymCommitment::commit(&NymSecrets::draw(&mut rng), &mut rng).0;
    let web_number = WebNumber::of(&commitment);
    let row = RegisterRow {
        id: RegisterId(web_number.as_str().as_bytes().try_into().unwrap()),
        commitment: commitment.to_bytes(),
        slot_commitment: [1; 48],
        generation: 1,
        status: RowStatus::Active,
        last_epoch: Epoch(2950),
        device_key_hash: device.public().thumbprint(),
    };
    assert_eq!(
        register.insert(&row, &[], None).await.unwrap(),
        Inserted::Done
    );
    let origin = Origin::parse(ORIGIN).unwrap();
    let registrations = Registrations::new(origin, register.clone(), nonces.clone());
    Fixture {
        _folder: folder,
        device,
        web_number,
        register,
        nonces,
        registrations,
    }
}

impl Fixture {
    async fn nonce(&self) -> String {
        let nonce = secret::random_nonce();
        self.nonces
            .insert_nonce(secret::hash(&nonce), NOW.plus_secs(60), 100)
            .await
            .unwrap();
        nonce
    }

    fn sign(&self, key: &SigningKey, claims: &serde_json::Value) -> String {
        let header = Header {
            jwk: Some(*key.public()),
            ..Header::of_type(END_TYP)
        };
        jws::sign_with_header(key, &header, claims)
    }

    async fn claims(&self) -> serde_json::Value {
        let (web_number, nonce) = (self.web_number.as_str(), self.nonce().await);
        json!({ "aud": ORIGIN, "web_number": web_number, "nonce": nonce, "iat": NOW })
    }

    async fn end(&self, statement: &str) -> Result<(), EndError> {
        self.registrations
            .end(&self.web_number.to_string(), statement, NOW)
            .await
    }

    async fn status(&self) -> RowStatus {
        let id = self.web_number.as_str().as_bytes().try_into().unwrap();
        self.register
            .find(RegisterId(id))
            .await
            .unwrap()
            .unwrap()
            .status
    }
}

#[tokio::test]
async fn the_holder_ends_it_and_ending_it_again_changes_nothing() {
    let f = fixture().await;
    for _ in 0..2 {
        let statement = f.sign(&f.device, &f.claims().await);
        f.end(&statement).await.unwrap();
        assert_eq!(f.status().await, RowStatus::Ended);
    }
}

#[tokio::test]
async fn others_and_statements_for_other_purposes_end_nothing() {
    let f = fixture().await;
    let stranger = SigningKey::generate();
    let mut statements = vec![
        f.sign(&stranger, &f.claims().await),
        jws::sign(&f.device, END_TYP, &f.claims().await),
        "a.b.c".to_owned(),
    ];
    for (name, value) in [
        ("aud", json!("https://other.example")),
        ("web_number", json!("0000000000000000")),
        ("name", json!("x")),
    ] {
        let mut claims = f.claims().await;
        claims[name] = value;
        statements.push(f.sign(&f.device, &claims));
    }
    let header = Header {
        jwk: Some(*f.device.public()),
        ..Header::of_type("other+jwt")
    };
    statements.push(jws::sign_with_header(&f.device, &header, &f.claims().await));
    for statement in statements {
        assert!(matches!(f.end(&statement).await, Err(EndError::Refused)));
    }
    assert_eq!(f.status().await, RowStatus::Active);
}

#[tokio::test]
async fn a_statement_is_good_once_and_only_with_a_nonce_that_was_given_out() {
    let f = fixture().await;
    let mut claims = f.claims().await;
    claims["nonce"] = json!("invented");
    let invented = f.sign(&f.device, &claims);
    assert!(matches!(
        f.end(&invented).await,
        Err(EndError::InvalidNonce)
    ));
    assert_eq!(f.status().await, RowStatus::Active);
    let statement = f.sign(&f.device, &f.claims().await);
    f.end(&statement).await.unwrap();
    assert!(matches!(
        f.end(&statement).await,
        Err(EndError::InvalidNonce)
    ));
}
