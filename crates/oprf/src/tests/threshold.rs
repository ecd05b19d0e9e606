use proptest::prelude::*;

use super::{evaluate_all, seeded, subsets, tag_of};
use crate::{GroupKey, ShareKey, blind, deal};

fn assert_every_subset_gives_one_tag(threshold: u8, shares: u8, expected_subsets: usize) {
    let (keys, group_key) = deal(threshold, shares, &mut seeded(1)).unwrap();
    let (first_blind, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    let evaluations = evaluate_all(&keys, &blinded, 3);
    let expected = group_key.combine(&blinded, &evaluations).unwrap();

    let subsets = subsets(&evaluations, usize::from(threshold));
    assert_eq!(subsets.len(), expected_subsets);
    for mut subset in subsets {
        assert_eq!(group_key.combine(&blinded, &subset).unwrap(), expected);
        subset.reverse();
        assert_eq!(group_key.combine(&blinded, &subset).unwrap(), expected);
    }
    let tag = first_blind.unblind(&expected).unwrap();
    assert!(tag == tag_of(b"number", &keys, &group_key, 9));
}

#[test]
fn every_two_of_three_give_the_same_tag() {
    assert_every_subset_gives_one_tag(2, 3, 3);
}

#[test]
fn every_four_of_seven_give_the_same_tag() {
    assert_every_subset_gives_one_tag(4, 7, 35);
}

#[test]
fn one_of_one_and_three_of_three_work() {
    assert_every_subset_gives_one_tag(1, 1, 1);
    assert_every_subset_gives_one_tag(3, 3, 1);
}

#[test]
fn another_input_or_another_key_gives_another_tag() {
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let (other_keys, other_group_key) = deal(2, 3, &mut seeded(2)).unwrap();
    let tag = tag_of(b"number", &keys, &group_key, 3);
    let of_other_input = tag_of(b"numbes", &keys, &group_key, 3);
    let of_other_key = tag_of(b"number", &other_keys, &other_group_key, 3);
    assert!(tag != of_other_input);
    assert!(tag != of_other_key);
    assert!(tag.index() != of_other_input.index());
    assert!(tag.index() == tag_of(b"number", &keys, &group_key, 4).index());
}

#[test]
fn the_index_is_neither_the_tag_nor_a_bare_hash_of_it() {
    use sha2::{Digest, Sha256};
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let tag = tag_of(b"number", &keys, &group_key, 2);
    assert_ne!(tag.index().as_bytes(), tag.expose());
    assert_ne!(
        tag.index().as_bytes().as_slice(),
        Sha256::digest(tag.expose()).as_slice()
    );
}

#[test]
fn one_input_is_blinded_and_evaluated_differently_each_time() {
    let mut rng = seeded(1);
    let (_, first) = blind(b"number", &mut rng).unwrap();
    let (_, second) = blind(b"number", &mut rng).unwrap();
    assert_ne!(first, second);
    let (keys, _) = deal(1, 1, &mut rng).unwrap();
    let once = keys[0].evaluate(&first, &mut rng);
    let twice = keys[0].evaluate(&first, &mut rng);
    assert_eq!(once.element, twice.element);
    assert_ne!(once.proof, twice.proof);
}

#[test]
fn keys_that_were_stored_work_as_before() {
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let read: Vec<ShareKey> = keys
        .iter()
        .map(|key| ShareKey::from_bytes(key.expose()).unwrap())
        .collect();
    let json = serde_json::to_string(&group_key).unwrap();
    let read_group_key: GroupKey = serde_json::from_str(&json).unwrap();
    assert_eq!(read_group_key, group_key);
    for key in &read {
        assert_eq!(
            group_key.share_public_key(key.index()),
            Some(key.public_key())
        );
    }
    assert_eq!(
        group_key.shares().map(u8::from).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert!(
        tag_of(b"number", &read, &read_group_key, 2) == tag_of(b"number", &keys, &group_key, 3)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_tag_depends_on_the_input_alone(
        input in proptest::collection::vec(any::<u8>(), 0..80),
        first: u8,
        second: u8,
        skipped in 0_usize..3,
    ) {
        let (mut keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
        let tag = tag_of(&input, &keys, &group_key, first);
        keys.remove(skipped);
        prop_assert!(tag == tag_of(&input, &keys, &group_key, second));
    }
}
