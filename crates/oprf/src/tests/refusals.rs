use super::{evaluate_all, seeded};
use crate::{
    BlindedElement, CombineError, DealError, EvaluatedElement, Evaluation, GroupKey,
    RefusedEvaluation, ShareIndex, ShareKey, WrongBlind, blind, deal,
};

struct TwoOfThree {
    group_key: GroupKey,
    blinded: BlindedElement,
    evaluations: Vec<Evaluation>,
}

fn two_of_three() -> TwoOfThree {
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    let evaluations = evaluate_all(&keys, &blinded, 3);
    TwoOfThree {
        group_key,
        blinded,
        evaluations,
    }
}

impl TwoOfThree {
    fn combine(&self, evaluations: &[Evaluation]) -> Result<EvaluatedElement, CombineError> {
        self.group_key.combine(&self.blinded, evaluations)
    }

    /// `bad` is refused beside one good evaluation, and dropped beside two.
    fn assert_refused(&self, bad: Evaluation, refusal: RefusedEvaluation) {
        let good = self.evaluations[2];
        let expected = CombineError {
            needed: 2,
            valid: 1,
            refused: vec![refusal],
        };
        assert_eq!(self.combine(&[bad, good]), Err(expected.clone()));
        assert_eq!(self.combine(&[good, bad]), Err(expected));
        let with_enough = [&[bad][..], &self.evaluations].concat();
        assert_eq!(self.combine(&with_enough), self.combine(&self.evaluations));
    }
}

fn index(index: u8) -> ShareIndex {
    ShareIndex::try_from(index).unwrap()
}

fn changed(evaluation: &Evaluation, change: impl FnOnce(&mut [u8])) -> Evaluation {
    let mut bytes = evaluation.to_bytes();
    change(&mut bytes);
    Evaluation::from_bytes(&bytes).unwrap()
}

#[test]
fn a_changed_element_is_refused() {
    let case = two_of_three();
    let other = case.evaluations[1].to_bytes();
    let bad = changed(&case.evaluations[0], |bytes| {
        bytes[1..33].copy_from_slice(&other[1..33])
    });
    case.assert_refused(bad, RefusedEvaluation::WrongProof(index(1)));
}

#[test]
fn a_changed_challenge_or_response_is_refused() {
    let case = two_of_three();
    for place in [33, 65] {
        let bad = changed(&case.evaluations[0], |bytes| bytes[place] ^= 1);
        case.assert_refused(bad, RefusedEvaluation::WrongProof(index(1)));
    }
}

#[test]
fn a_proof_of_zeros_is_refused() {
    let case = two_of_three();
    let bad = changed(&case.evaluations[0], |bytes| bytes[33..].fill(0));
    case.assert_refused(bad, RefusedEvaluation::WrongProof(index(1)));
}

#[test]
fn an_evaluation_under_another_index_is_refused() {
    let case = two_of_three();
    let bad = changed(&case.evaluations[0], |bytes| bytes[0] = 2);
    case.assert_refused(bad, RefusedEvaluation::WrongProof(index(2)));
}

#[test]
fn an_index_beyond_the_group_is_refused() {
    let case = two_of_three();
    let bad = changed(&case.evaluations[0], |bytes| bytes[0] = 4);
    case.assert_refused(bad, RefusedEvaluation::UnknownShare(index(4)));
}

#[test]
fn two_evaluations_with_their_indices_swapped_are_both_refused() {
    let case = two_of_three();
    let first = changed(&case.evaluations[0], |bytes| bytes[0] = 2);
    let second = changed(&case.evaluations[1], |bytes| bytes[0] = 1);
    let refused = vec![
        RefusedEvaluation::WrongProof(index(2)),
        RefusedEvaluation::WrongProof(index(1)),
    ];
    assert_eq!(
        case.combine(&[first, second]),
        Err(CombineError {
            needed: 2,
            valid: 0,
            refused
        })
    );
}

#[test]
fn a_share_of_another_key_is_refused() {
    let case = two_of_three();
    let (other_keys, _) = deal(2, 3, &mut seeded(9)).unwrap();
    let bad = other_keys[0].evaluate(&case.blinded, &mut seeded(4));
    case.assert_refused(bad, RefusedEvaluation::WrongProof(index(1)));
}

#[test]
fn a_share_key_relabelled_in_storage_is_refused() {
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let mut stored = *keys[0].expose();
    stored[0] = 2;
    let relabelled = ShareKey::from_bytes(&stored).unwrap();
    assert_ne!(
        group_key.share_public_key(index(2)),
        Some(relabelled.public_key())
    );
    let case = two_of_three();
    let bad = relabelled.evaluate(&case.blinded, &mut seeded(4));
    case.assert_refused(bad, RefusedEvaluation::WrongProof(index(2)));
}

#[test]
fn an_evaluation_of_another_blinded_element_is_refused() {
    let case = two_of_three();
    let (keys, _) = deal(2, 3, &mut seeded(1)).unwrap();
    let (_, other) = blind(b"number", &mut seeded(5)).unwrap();
    let bad = keys[0].evaluate(&other, &mut seeded(4));
    case.assert_refused(bad, RefusedEvaluation::WrongProof(index(1)));
}

#[test]
fn one_share_counts_once() {
    let case = two_of_three();
    let (keys, _) = deal(2, 3, &mut seeded(1)).unwrap();
    let first = case.evaluations[0];
    let again = keys[0].evaluate(&case.blinded, &mut seeded(8));
    assert_ne!(first, again);
    let refused = vec![RefusedEvaluation::Duplicate(index(1)); 2];
    assert_eq!(
        case.combine(&[first, first, again]),
        Err(CombineError {
            needed: 2,
            valid: 1,
            refused
        })
    );
    assert_eq!(
        case.combine(&[first, first, case.evaluations[1]]),
        case.combine(&case.evaluations)
    );
}

#[test]
fn a_forgery_under_an_index_does_not_shut_out_the_true_share() {
    let case = two_of_three();
    let forged = changed(&case.evaluations[0], |bytes| bytes[65] ^= 1);
    let evaluations = [forged, case.evaluations[0], case.evaluations[1]];
    assert_eq!(case.combine(&evaluations), case.combine(&case.evaluations));
}

#[test]
fn fewer_than_the_threshold_are_refused() {
    let case = two_of_three();
    for evaluation in &case.evaluations {
        let refused = Vec::new();
        assert_eq!(
            case.combine(&[*evaluation]),
            Err(CombineError {
                needed: 2,
                valid: 1,
                refused
            })
        );
    }
    assert_eq!(
        case.combine(&[]),
        Err(CombineError {
            needed: 2,
            valid: 0,
            refused: Vec::new()
        })
    );

    let (keys, group_key) = deal(4, 7, &mut seeded(1)).unwrap();
    let evaluations = evaluate_all(&keys, &case.blinded, 3);
    for subset in super::subsets(&evaluations, 3) {
        let refused = Vec::new();
        assert_eq!(
            group_key.combine(&case.blinded, &subset),
            Err(CombineError {
                needed: 4,
                valid: 3,
                refused
            })
        );
    }
}

#[test]
fn a_blind_takes_off_only_what_it_put_on() {
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    let (other_blind, _) = blind(b"number", &mut seeded(3)).unwrap();
    let evaluated = group_key
        .combine(&blinded, &evaluate_all(&keys, &blinded, 4))
        .unwrap();
    assert!(matches!(other_blind.unblind(&evaluated), Err(WrongBlind)));
}

#[test]
fn impossible_thresholds_are_refused() {
    for (threshold, shares) in [(0, 0), (0, 3), (4, 3), (1, 65), (255, 255)] {
        let refused = deal(threshold, shares, &mut seeded(1)).map(|_| ());
        assert_eq!(refused, Err(DealError::Threshold { threshold, shares }));
    }
    assert!(deal(1, 64, &mut seeded(1)).is_ok());
}

#[test]
fn a_polynomial_with_a_zero_at_the_key_or_at_a_share_is_refused() {
    use curve25519_dalek::Scalar;
    let zero_key = [Scalar::ZERO, Scalar::ONE];
    let zero_at_two = [Scalar::from(2_u8), -Scalar::ONE];
    for polynomial in [zero_key, zero_at_two] {
        let refused = crate::share::deal_polynomial(2, 3, &polynomial).map(|_| ());
        assert_eq!(refused, Err(DealError::Zero));
    }
}
