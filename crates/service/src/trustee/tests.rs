use credential::jose::SigningKey;
use store::sqlite::SqliteTrustee;
use tempfile::TempDir;

use super::*;
use crate::attestation::{EvidenceKind, EvidenceLevel};
use crate::testing::NOW;

struct Fixture {
    _folder: TempDir,
    key: SigningKey,
    trustee: Trustee,
}

async fn fixture(evaluations: u32) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteTrustee::open(&folder.path().join("t.sqlite"))
        .await
        .unwrap();
    let key = SigningKey::generate();
    let (mut shares, group) = oprf::deal(1, 1, &mut secret::rng()).unwrap();
    let attester = ("enrolment".to_owned(), *key.public());
    let limit = RateLimit {
        evaluations,
        seconds: 60,
    };
    let share = shares.remove(0);
    let trustee = Trustee::new(share, group, attester, limit, Arc::new(store)).unwrap();
    Fixture {
        _folder: folder,
        key,
        trustee,
    }
}

fn element() -> [u8; 32] {
    oprf::blind(b"x", &mut secret::rng()).unwrap().1.to_bytes()
}

fn attestation(elements: &[[u8; 32]]) -> Attestation {
    Attestation {
        iss: "enrolment".to_owned(),
        evidence_id: jose::encode(secret::random::<16>()),
        kind: EvidenceKind::Passport,
        level: EvidenceLevel::SubstantialOfficer,
        elements_sha256: jose::encode(elements_hash(elements)),
        iat: NOW,
        exp: NOW.plus_secs(900),
    }
}

fn request(key: &SigningKey, claims: &Attestation, elements: &[[u8; 32]]) -> EvaluationRequest {
    EvaluationRequest {
        attestation: claims.sign(key),
        elements: elements.iter().map(jose::encode).collect(),
    }
}

#[tokio::test]
async fn a_retry_gets_the_same_bytes_until_its_attestation_expires() {
    let f = fixture(10).await;
    let elements = [element(), element()];
    let claims = attestation(&elements);
    let request = request(&f.key, &claims, &elements);
    let first = f.trustee.evaluate(&request, NOW).await.unwrap();
    let last_second = NOW.plus_secs(899);
    assert_eq!(
        f.trustee.evaluate(&request, last_second).await.unwrap(),
        first
    );
    let late = f.trustee.evaluate(&request, NOW.plus_secs(900)).await;
    assert!(matches!(
        late,
        Err(TrusteeError::Attestation(AttestationError::Time))
    ));
}

#[tokio::test]
async fn a_fresh_attestation_does_not_make_old_evidence_new() {
    let f = fixture(10).await;
    let elements = [element()];
    let claims = attestation(&elements);
    f.trustee
        .evaluate(&request(&f.key, &claims, &elements), NOW)
        .await
        .unwrap();
    let later = NOW.plus_secs(1000);
    f.trustee.forget_expired(later).await.unwrap();
    let renewed = Attestation {
        iat: later,
        exp: later.plus_secs(900),
        ..claims
    };
    let again = f
        .trustee
        .evaluate(&request(&f.key, &renewed, &elements), later)
        .await;
    assert!(matches!(again, Err(TrusteeError::AlreadyUsed)));
}

#[tokio::test]
async fn what_is_refused_is_not_counted() {
    let f = fixture(1).await;
    let elements = [element()];
    let claims = attestation(&elements);
    let stranger = SigningKey::generate();
    let forged = f
        .trustee
        .evaluate(&request(&stranger, &claims, &elements), NOW)
        .await;
    assert!(matches!(
        forged,
        Err(TrusteeError::Attestation(AttestationError::Signature))
    ));
    let swapped = f
        .trustee
        .evaluate(&request(&f.key, &claims, &[element()]), NOW)
        .await;
    assert!(matches!(swapped, Err(TrusteeError::OtherElements)));
    for elements in [vec![], vec![[0; 32]], vec![element(); ELEMENTS_MAX + 1]] {
        let refused = f
            .trustee
            .evaluate(&request(&f.key, &claims, &elements), NOW)
            .await;
        assert!(matches!(refused, Err(TrusteeError::Elements)));
    }
    f.trustee
        .evaluate(&request(&f.key, &claims, &elements), NOW)
        .await
        .unwrap();
    let second = attestation(&elements);
    let limited = f
        .trustee
        .evaluate(&request(&f.key, &second, &elements), NOW)
        .await;
    assert!(matches!(limited, Err(TrusteeError::RateLimited)));
    let next_minute = NOW.plus_secs(60);
    f.trustee
        .evaluate(&request(&f.key, &second, &elements), next_minute)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_share_of_another_group_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteTrustee::open(&folder.path().join("t.sqlite"))
        .await
        .unwrap();
    let (_, group) = oprf::deal(1, 1, &mut secret::rng()).unwrap();
    let (mut others, _) = oprf::deal(1, 1, &mut secret::rng()).unwrap();
    let attester = ("enrolment".to_owned(), *SigningKey::generate().public());
    let limit = RateLimit {
        evaluations: 1,
        seconds: 60,
    };
    let refused = Trustee::new(others.remove(0), group, attester, limit, Arc::new(store));
    assert_eq!(refused.err(), Some(WrongGroup));
}
