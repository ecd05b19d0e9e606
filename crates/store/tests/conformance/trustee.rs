use std::sync::Arc;

use credential::time::UnixTime;
use store::{Evaluation, EvaluationRecord, EvidenceHash, RateLimit, TrusteeStore};

const NOW: UnixTime = UnixTime(1_800_000_000);
const WIDE: RateLimit = RateLimit {
    evaluations: 1000,
    seconds: 60,
};

fn evaluation(n: u8) -> Evaluation {
    Evaluation {
        evidence: EvidenceHash([n; 32]),
        elements: [n; 32],
        answer: vec![n; 97],
        retry_until: NOW.plus_secs(600),
        kind: "passport".to_owned(),
        level: "substantial".to_owned(),
    }
}

pub(crate) async fn all(one: Arc<dyn TrusteeStore>, two: Arc<dyn TrusteeStore>) {
    evidence_is_evaluated_once_and_a_retry_gets_the_first_answer(&*one).await;
    other_elements_for_the_same_evidence_are_refused(&*one).await;
    a_retry_is_refused_when_its_time_is_over_even_after_forgetting(&*one).await;
    the_limit_holds_for_new_evidence_and_ends_with_its_span(&*one).await;
    the_log_counts_each_evidence_once(&*one).await;
    of_racing_evaluations_exactly_one_answer_leaves(one, two).await;
}

async fn evidence_is_evaluated_once_and_a_retry_gets_the_first_answer(store: &dyn TrusteeStore) {
    let first = store.record(&evaluation(1), WIDE, NOW).await.unwrap();
    assert_eq!(first, EvaluationRecord::Recorded);
    let other_proof = Evaluation {
        answer: vec![77; 97],
        ..evaluation(1)
    };
    let retry = store
        .record(&other_proof, WIDE, NOW.plus_secs(599))
        .await
        .unwrap();
    assert_eq!(retry, EvaluationRecord::Repeated(evaluation(1).answer));
}

async fn other_elements_for_the_same_evidence_are_refused(store: &dyn TrusteeStore) {
    let other = Evaluation {
        elements: [9; 32],
        ..evaluation(1)
    };
    let refused = store.record(&other, WIDE, NOW).await.unwrap();
    assert_eq!(refused, EvaluationRecord::AlreadyUsed);
}

async fn a_retry_is_refused_when_its_time_is_over_even_after_forgetting(store: &dyn TrusteeStore) {
    let late = evaluation(1).retry_until;
    let refused = store.record(&evaluation(1), WIDE, late).await.unwrap();
    assert_eq!(refused, EvaluationRecord::AlreadyUsed);
    store.forget_expired(late).await.unwrap();
    let refused = store.record(&evaluation(1), WIDE, NOW).await.unwrap();
    assert_eq!(refused, EvaluationRecord::AlreadyUsed);
}

async fn the_limit_holds_for_new_evidence_and_ends_with_its_span(store: &dyn TrusteeStore) {
    let limit = RateLimit {
        evaluations: 2,
        seconds: 60,
    };
    let start = UnixTime(NOW.0 + 6_000);
    for n in [2, 3] {
        let recorded = store.record(&evaluation(n), limit, start).await.unwrap();
        assert_eq!(recorded, EvaluationRecord::Recorded);
    }
    let refused = store
        .record(&evaluation(4), limit, start.plus_secs(59))
        .await
        .unwrap();
    assert_eq!(refused, EvaluationRecord::RateLimited);
    let retry = Evaluation {
        retry_until: start.plus_secs(600),
        ..evaluation(5)
    };
    let next_span = start.plus_secs(60);
    let recorded = store.record(&retry, limit, next_span).await.unwrap();
    assert_eq!(recorded, EvaluationRecord::Recorded);
    store
        .record(&evaluation(4), limit, next_span)
        .await
        .unwrap();
    let repeated = store.record(&retry, limit, next_span).await.unwrap();
    assert_eq!(repeated, EvaluationRecord::Repeated(retry.answer));
}

async fn the_log_counts_each_evidence_once(store: &dyn TrusteeStore) {
    let counts = store.count_by_day().await.unwrap();
    assert_eq!(counts, [(NOW.day(), 5)]);
}

async fn of_racing_evaluations_exactly_one_answer_leaves(
    one: Arc<dyn TrusteeStore>,
    two: Arc<dyn TrusteeStore>,
) {
    for n in 20..40 {
        let attempt = |store: Arc<dyn TrusteeStore>, elements: [u8; 32]| {
            let evaluation = Evaluation {
                elements,
                ..evaluation(n)
            };
            tokio::spawn(async move { store.record(&evaluation, WIDE, NOW).await.unwrap() })
        };
        let (left, right) =
            tokio::join!(attempt(one.clone(), [1; 32]), attempt(two.clone(), [2; 32]));
        let outcomes = [left.unwrap(), right.unwrap()];
        assert!(outcomes.contains(&EvaluationRecord::Recorded));
        assert!(outcomes.contains(&EvaluationRecord::AlreadyUsed));
    }
}
