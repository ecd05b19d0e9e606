use super::*;
use crate::testing::{Group, NOW};

fn number(text: &str) -> BlindedNumber {
    let state = "UTO".parse().unwrap();
    let number = EvidenceNumber::new(TagKind::DocumentNumber, state, text).unwrap();
    BlindedNumber::new(&number).unwrap()
}

fn evidence() -> EvidenceReference {
    EvidenceReference {
        id: secret::random(),
        kind: EvidenceKind::Passport,
        level: EvidenceLevel::LowOfficer,
        expires: NOW.plus_secs(900),
    }
}

/// Changes the answer of the trustee behind it.
struct Liar {
    honest: Arc<dyn TrusteeClient>,
    index: ShareIndex,
    lie: fn(EvaluationResponse) -> EvaluationResponse,
}

#[async_trait]
impl TrusteeClient for Liar {
    fn index(&self) -> ShareIndex {
        self.index
    }

    async fn evaluate(
        &self,
        request: &EvaluationRequest,
    ) -> Result<EvaluationResponse, TrusteeFailure> {
        self.honest.evaluate(request).await.map(self.lie)
    }
}

#[tokio::test]
async fn whichever_trustees_answer_the_tags_are_the_same() {
    let group = Group::of(2, 3).await;
    let quorum = group.quorum(group.clients());
    let mut indices = Vec::new();
    for off in &group.trustees {
        off.switch_off();
        let numbers = [number("A1"), number("B2")];
        let tags = quorum.tags(&evidence(), &numbers, NOW).await.unwrap();
        indices.push([tags[0].index, tags[1].index]);
        off.switch_on();
    }
    assert!(indices[0][0] != indices[0][1]);
    assert!(indices.iter().all(|found| *found == indices[0]));
}

#[tokio::test]
async fn a_failure_can_be_repeated_with_the_same_evidence_and_numbers() {
    let group = Group::of(2, 2).await;
    let quorum = group.quorum(group.clients());
    let (evidence, numbers) = (evidence(), [number("A1")]);
    group.trustees[1].switch_off();
    let failed = quorum.tags(&evidence, &numbers, NOW).await.unwrap_err();
    assert_eq!(
        failed,
        QuorumError::TooFew {
            answered: 1,
            needed: 2
        }
    );
    group.trustees[1].switch_on();
    let tags = quorum.tags(&evidence, &numbers, NOW).await.unwrap();
    let again = quorum.tags(&evidence, &numbers, NOW).await.unwrap();
    assert_eq!(tags[0].index, again[0].index);
    assert_ne!(tags[0].sealed, again[0].sealed);
    // Other numbers under the same evidence are not evaluated.
    let other = quorum
        .tags(&evidence, &[number("C3")], NOW)
        .await
        .unwrap_err();
    assert_eq!(
        other,
        QuorumError::TooFew {
            answered: 0,
            needed: 2
        }
    );
}

#[tokio::test]
async fn answers_that_do_not_hold_do_not_count() {
    let group = Group::of(2, 2).await;
    let lies: [fn(EvaluationResponse) -> EvaluationResponse; 5] = [
        |_| EvaluationResponse {
            evaluations: Vec::new(),
        },
        |_| EvaluationResponse {
            evaluations: vec![String::new()],
        },
        |answer| EvaluationResponse {
            evaluations: [answer.evaluations.clone(), answer.evaluations].concat(),
        },
        |mut answer| {
            let mut bytes = jose::decode(&answer.evaluations[0]).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            answer.evaluations[0] = jose::encode(bytes);
            answer
        },
        |mut answer| {
            answer.evaluations[0] = answer.evaluations[0].to_lowercase();
            answer
        },
    ];
    for lie in lies {
        let honest = group.clients();
        let liar = Liar {
            honest: honest[1].clone(),
            index: honest[1].index(),
            lie,
        };
        let quorum = group.quorum(vec![honest[0].clone(), Arc::new(liar)]);
        let failed = quorum
            .tags(&evidence(), &[number("A1")], NOW)
            .await
            .unwrap_err();
        assert_eq!(
            failed,
            QuorumError::TooFew {
                answered: 1,
                needed: 2
            }
        );
    }
}

#[tokio::test]
async fn a_trustee_cannot_pass_on_the_answer_of_another() {
    let group = Group::of(2, 2).await;
    let honest = group.clients();
    let index = honest[1].index();
    let impostor = Liar {
        honest: honest[0].clone(),
        index,
        lie: |answer| answer,
    };
    let quorum = group.quorum(vec![honest[0].clone(), Arc::new(impostor)]);
    let failed = quorum
        .tags(&evidence(), &[number("A1")], NOW)
        .await
        .unwrap_err();
    assert_eq!(
        failed,
        QuorumError::TooFew {
            answered: 1,
            needed: 2
        }
    );
}

#[tokio::test]
async fn every_share_needs_its_trustee() {
    let group = Group::of(2, 3).await;
    let key = || ("enrolment".to_owned(), Arc::clone(&group.attester_key));
    let tag_key = || TagKey::from_bytes(&[7; 32]).unwrap();
    let all = group.clients();
    let wrong = [
        all[..2].to_vec(),
        vec![all[0].clone(), all[1].clone(), all[1].clone()],
        [all.clone(), all[..1].to_vec()].concat(),
        Vec::new(),
    ];
    for trustees in wrong {
        assert!(Quorum::new(group.group.clone(), trustees, key(), tag_key()).is_err());
    }
}
