//! Trustees over the wire.

use credential::jose::{self, SigningKey};
use credential::time::UnixTime;
use oprf::{Evaluation, GroupKey};
use rand_core::UnwrapErr;
use serde_json::{Value, json};
use service::attestation::{Attestation, EvidenceKind, EvidenceLevel, elements_hash};

use crate::support::wallet::{Reply, assert_refused};
use crate::support::{Terms, World};

/// A trustee's request and what differs between requests.
struct Ask {
    elements: Vec<[u8; 32]>,
    attestation: Attestation,
}

impl Ask {
    fn new(count: usize) -> Ask {
        let mut rng = UnwrapErr(getrandom::SysRng);
        let element = |n: usize| {
            oprf::blind(&[u8::try_from(n).unwrap()], &mut rng)
                .unwrap()
                .1
        };
        let elements: Vec<_> = (0..count).map(element).map(|e| e.to_bytes()).collect();
        let now = server::clock::now();
        let attestation = Attestation {
            iss: "enrolment".to_owned(),
            evidence_id: jose::encode(SigningKey::generate().sign(b"random")),
            kind: EvidenceKind::Passport,
            level: EvidenceLevel::SubstantialOfficer,
            elements_sha256: jose::encode(elements_hash(&elements)),
            iat: now,
            exp: now.plus_secs(900),
        };
        Ask {
            elements,
            attestation,
        }
    }

    fn body(&self, key: &SigningKey) -> Value {
        json!({
            "attestation": self.attestation.sign(key),
            "elements": self.elements.iter().map(jose::encode).collect::<Vec<_>>(),
        })
    }
}

impl World {
    fn attester_key(&self) -> SigningKey {
        SigningKey::from_pkcs8(&std::fs::read(self.path("keys/attester.key")).unwrap()).unwrap()
    }

    async fn evaluate(&self, body: &Value) -> Reply {
        let port = self.trustees[0].as_ref().unwrap().port();
        let url = format!("https://trustee-1.localhost:{port}/evaluate");
        Reply::of(
            self.client
                .send(self.client.requests().post(url).json(body))
                .await
                .unwrap(),
        )
    }
}

#[tokio::test]
async fn evidence_is_evaluated_once_and_a_retry_gets_the_same_answer() {
    let world = World::new();
    let key = world.attester_key();
    let ask = Ask::new(2);
    let first = world.evaluate(&ask.body(&key)).await.ok();
    let again = world.evaluate(&ask.body(&key)).await.ok();
    assert_eq!(first, again);

    let port = world.trustees[0].as_ref().unwrap().port();
    let group = world
        .client
        .requests()
        .get(format!("https://trustee-1.localhost:{port}/group"));
    let group: GroupKey = world.client.send(group).await.unwrap().json().unwrap();
    for (text, element) in first["evaluations"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&ask.elements)
    {
        let bytes = jose::decode(text.as_str().unwrap()).unwrap();
        let evaluation = Evaluation::from_bytes(&bytes).unwrap();
        let blinded = oprf::BlindedElement::from_bytes(element).unwrap();
        assert!(group.verify(&blinded, &evaluation).is_ok());
    }

    let mut other = Ask::new(2);
    other.attestation.evidence_id = ask.attestation.evidence_id.clone();
    assert_refused(
        &world.evaluate(&other.body(&key)).await,
        409,
        "evidence-already-used",
    );
}

#[tokio::test]
async fn requests_without_a_sound_attestation_or_elements_are_refused() {
    let world = World::new();
    let key = world.attester_key();
    let refused = async |change: &dyn Fn(&mut Ask), status: u16, id: &str| {
        let mut ask = Ask::new(1);
        change(&mut ask);
        assert_refused(&world.evaluate(&ask.body(&key)).await, status, id);
    };
    refused(
        &|ask| ask.attestation.iss = "other".to_owned(),
        403,
        "bad-attestation",
    )
    .await;
    refused(
        &|ask| ask.attestation.exp = UnixTime(1),
        403,
        "attestation-expired",
    )
    .await;
    let long = |ask: &mut Ask| ask.attestation.exp = ask.attestation.iat.plus_secs(100_000);
    refused(&long, 403, "attestation-expired").await;
    refused(
        &|ask| ask.elements = Ask::new(2).elements,
        403,
        "other-elements",
    )
    .await;
    refused(&|ask| ask.elements.clear(), 400, "bad-elements").await;
    refused(
        &|ask| ask.elements = Ask::new(5).elements,
        400,
        "bad-elements",
    )
    .await;
    // The identity, and what is no canonical encoding.
    refused(&|ask| ask.elements = vec![[0; 32]], 400, "bad-elements").await;
    refused(&|ask| ask.elements = vec![[0xFF; 32]], 400, "bad-elements").await;
    let forged = Ask::new(1).body(&SigningKey::generate());
    assert_refused(&world.evaluate(&forged).await, 403, "bad-attestation");
    let mut more = Ask::new(1).body(&key);
    more["document"] = json!("x");
    assert_refused(&world.evaluate(&more).await, 400, "malformed-request");
    world.evaluate(&Ask::new(1).body(&key)).await.ok();
}

#[tokio::test]
async fn a_trustee_limits_its_rate_but_not_retries() {
    // A minute may turn over between the requests, which begins a new count once.
    let world = World::with(Terms {
        evaluations_per_minute: 2,
        ..Terms::default()
    });
    let key = world.attester_key();
    let first = Ask::new(1).body(&key);
    world.evaluate(&first).await.ok();
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(world.evaluate(&Ask::new(1).body(&key)).await);
    }
    let refused: Vec<_> = answers.iter().filter(|reply| reply.status != 200).collect();
    assert!(!refused.is_empty());
    for reply in refused {
        assert_refused(reply, 429, "rate-limited");
    }
    world.evaluate(&first).await.ok();
}
