use proptest::prelude::*;

use super::{evaluate_all, seeded, subsets, tag_of};
use crate::{Blind, GroupKey, ShareKey, Tag, blind, deal};

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

/// Rows are found by it for as long as there are rows: computed once by another program, it must
/// never change. The tag is the group's base point, RFC 9496 §A.1.
#[test]
fn the_index_of_a_tag_stays_what_it_was() {
    let base = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
    let tag = Tag::from_bytes(&hex::decode(base).unwrap()).unwrap();
    let index = "579d03c953ef9bc8573960fa42a12e563ece941e6a054795c624fa6dc881424e";
    assert_eq!(hex::encode(tag.index().as_bytes()), index);
}

#[test]
fn a_blind_that_was_stored_takes_off_what_it_put_on() {
    let (keys, group_key) = deal(2, 3, &mut seeded(1)).unwrap();
    let (stored, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    let read = Blind::from_bytes(stored.expose()).unwrap();
    assert_eq!(read.blinded(), blinded);
    let evaluated = group_key
        .combine(&blinded, &evaluate_all(&keys, &blinded, 3))
        .unwrap();
    assert!(read.unblind(&evaluated).unwrap() == tag_of(b"number", &keys, &group_key, 4));
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
