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
        self.evaluate_text(body.to_string()).await
    }

    async fn evaluate_text(&self, body: String) -> Reply {
        let port = self.trustees[0].as_ref().unwrap().port();
        let url = format!("https://trustee-1.localhost:{port}/evaluate");
        let request = self.client.requests().post(url).body(body);
        let request = request.header("content-type", "application/json");
        Reply::of(self.client.send(request).await.unwrap())
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
        &|ask| ask.elements = Ask::new(6).elements,
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
async fn tampered_truncated_and_oversized_requests_are_refused_and_use_nothing_up() {
    let world = World::new();
    let key = world.attester_key();
    let good = Ask::new(1).body(&key);
    let attestation = good["attestation"].as_str().unwrap().to_owned();
    let parts: Vec<&str> = attestation.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        panic!("an attestation has three parts")
    };
    // The claims of another attestation, under this one's signature.
    let other = Ask::new(1).body(&key);
    let other = other["attestation"].as_str().unwrap();
    let other = other.split('.').nth(1).unwrap();
    let cases = [
        format!("{header}.{other}.{signature}"),
        format!("{header}.{payload}.{}", "A".repeat(signature.len())),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        attestation[..attestation.len() / 2].to_owned(),
        String::new(),
    ];
    for attestation in cases {
        let mut bad = good.clone();
        bad["attestation"] = json!(attestation);
        assert_refused(&world.evaluate(&bad).await, 403, "bad-attestation");
    }
    let mut cut = good.clone();
    let element = good["elements"][0].as_str().unwrap();
    cut["elements"] = json!([element[..20]]);
    assert_refused(&world.evaluate(&cut).await, 400, "bad-elements");
    let text = good.to_string();
    let truncated = world.evaluate_text(text[..text.len() / 2].to_owned()).await;
    assert_refused(&truncated, 400, "malformed-request");
    let oversized = world.evaluate_text(text + &" ".repeat(100_000)).await;
    assert_refused(&oversized, 413, "body-too-large");
    world.evaluate(&good).await.ok();
}

#[tokio::test]
async fn of_racing_requests_for_one_piece_of_evidence_one_is_answered() {
    let world = World::new();
    let key = world.attester_key();
    let (one, mut two) = (Ask::new(1), Ask::new(1));
    two.attestation.evidence_id = one.attestation.evidence_id.clone();
    let (one, two) = (one.body(&key), two.body(&key));
    let answers = tokio::join!(
        world.evaluate(&one),
        world.evaluate(&two),
        world.evaluate(&one),
        world.evaluate(&two),
    );
    // Whichever came first, its retry has the same answer and the other elements have none.
    let (mut won, mut lost) = ((answers.0, answers.2), (answers.1, answers.3));
    if won.0.status != 200 {
        std::mem::swap(&mut won, &mut lost);
    }
    assert_eq!(won.0.ok(), won.1.ok());
    for reply in [lost.0, lost.1] {
        assert_refused(&reply, 409, "evidence-already-used");
    }
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
