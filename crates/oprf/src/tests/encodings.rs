use proptest::prelude::*;
use serde_json::{Value, json};

use super::{evaluate_all, seeded};
use crate::{
    Blind, BlindedElement, DecodeError, Evaluation, GroupKey, InputTooLong, ShareKey, Tag, blind,
    deal, finalize,
};

/// The order of the group, 2^252 + 27742317777372353535851937790883648493, little-endian.
/// Source: RFC 9496 §4.4.
const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

/// Encodings of nothing: the identity, a field element at or above 2^255 - 19 (which would be zero,
/// or one), a negative field element (one, also above it), the highest bit set.
const NOT_ELEMENTS: [&str; 6] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000080",
];

fn decode(hex_text: &str) -> Vec<u8> {
    hex::decode(hex_text).unwrap()
}

fn an_evaluation() -> [u8; Evaluation::LENGTH] {
    let (keys, _) = deal(2, 3, &mut seeded(1)).unwrap();
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    evaluate_all(&keys, &blinded, 3)[0].to_bytes()
}

#[test]
fn what_is_not_an_element_is_refused_everywhere() {
    for bad in NOT_ELEMENTS.map(decode) {
        assert_eq!(BlindedElement::from_bytes(&bad), Err(DecodeError::Element));
        assert_eq!(Tag::from_bytes(&bad).err(), Some(DecodeError::Element));
        let mut evaluation = an_evaluation();
        evaluation[1..33].copy_from_slice(&bad);
        assert_eq!(
            Evaluation::from_bytes(&evaluation),
            Err(DecodeError::Element)
        );
    }
}

#[test]
fn a_negated_field_element_is_refused() {
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    // p - s, byte by byte: the same element's other field element, which is odd.
    let mut borrow = 0;
    let p = decode(NOT_ELEMENTS[1]);
    let negated: Vec<u8> = p
        .iter()
        .zip(blinded.to_bytes())
        .map(|(p, s)| {
            let difference = i16::from(*p) - i16::from(s) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    assert_eq!(
        BlindedElement::from_bytes(&negated),
        Err(DecodeError::Element)
    );
}

#[test]
fn scalars_at_or_above_the_order_are_refused() {
    for bad in [decode(ORDER), vec![0xff; 32]] {
        for place in [33, 65] {
            let mut evaluation = an_evaluation();
            evaluation[place..place + 32].copy_from_slice(&bad);
            assert_eq!(
                Evaluation::from_bytes(&evaluation),
                Err(DecodeError::Scalar)
            );
        }
        let key = [&[1][..], &bad].concat();
        assert_eq!(ShareKey::from_bytes(&key).err(), Some(DecodeError::Scalar));
    }
}

#[test]
fn a_share_key_of_zero_is_refused() {
    let mut key = [0; ShareKey::LENGTH];
    key[0] = 1;
    assert_eq!(ShareKey::from_bytes(&key).err(), Some(DecodeError::Scalar));
}

#[test]
fn a_stored_blind_that_is_not_one_is_refused() {
    let (blind, _) = blind(b"number", &mut seeded(2)).unwrap();
    for bad in [decode(ORDER), vec![0xff; 32], vec![0; 32]] {
        let mut bytes = *blind.expose();
        bytes[..32].copy_from_slice(&bad);
        assert_eq!(Blind::from_bytes(&bytes).err(), Some(DecodeError::Scalar));
    }
    for bad in NOT_ELEMENTS.map(decode) {
        let mut bytes = *blind.expose();
        bytes[32..].copy_from_slice(&bad);
        assert_eq!(Blind::from_bytes(&bytes).err(), Some(DecodeError::Element));
    }
    for length in 0..Blind::LENGTH {
        let refused = Blind::from_bytes(&blind.expose()[..length]).err();
        assert_eq!(refused, Some(DecodeError::Length));
    }
    let longer = [blind.expose().as_slice(), &[0]].concat();
    assert_eq!(Blind::from_bytes(&longer).err(), Some(DecodeError::Length));
}

#[test]
fn indices_out_of_range_are_refused() {
    let (keys, _) = deal(1, 1, &mut seeded(1)).unwrap();
    for bad in [0, 65, 255] {
        let mut evaluation = an_evaluation();
        evaluation[0] = bad;
        assert_eq!(Evaluation::from_bytes(&evaluation), Err(DecodeError::Index));
        let mut key = *keys[0].expose();
        key[0] = bad;
        assert_eq!(ShareKey::from_bytes(&key).err(), Some(DecodeError::Index));
    }
}

#[test]
fn other_lengths_are_refused() {
    let (keys, _) = deal(1, 1, &mut seeded(1)).unwrap();
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    let evaluation = an_evaluation();
    let longer = |bytes: &[u8]| [bytes, &[0]].concat();
    for length in 0..BlindedElement::LENGTH {
        let short = &blinded.to_bytes()[..length];
        assert_eq!(BlindedElement::from_bytes(short), Err(DecodeError::Length));
        assert_eq!(Tag::from_bytes(short).err(), Some(DecodeError::Length));
    }
    for length in 0..Evaluation::LENGTH {
        assert_eq!(
            Evaluation::from_bytes(&evaluation[..length]),
            Err(DecodeError::Length)
        );
    }
    for length in 0..ShareKey::LENGTH {
        let short = &keys[0].expose()[..length];
        assert_eq!(ShareKey::from_bytes(short).err(), Some(DecodeError::Length));
    }
    let element = longer(&blinded.to_bytes());
    assert_eq!(
        BlindedElement::from_bytes(&element),
        Err(DecodeError::Length)
    );
    assert_eq!(Tag::from_bytes(&element).err(), Some(DecodeError::Length));
    assert_eq!(
        Evaluation::from_bytes(&longer(&evaluation)),
        Err(DecodeError::Length)
    );
    let key = longer(keys[0].expose());
    assert_eq!(ShareKey::from_bytes(&key).err(), Some(DecodeError::Length));
}

#[test]
fn what_is_written_is_read_back() {
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    assert_eq!(BlindedElement::from_bytes(&blinded.to_bytes()), Ok(blinded));
    let tag = Tag::from_bytes(&blinded.to_bytes()).unwrap();
    assert_eq!(tag.expose(), &blinded.to_bytes());
    let evaluation = Evaluation::from_bytes(&an_evaluation()).unwrap();
    assert_eq!(evaluation.to_bytes(), an_evaluation());
}

#[test]
fn the_output_takes_inputs_up_to_the_length_that_two_bytes_hold() {
    let (_, blinded) = blind(b"number", &mut seeded(2)).unwrap();
    let tag = Tag::from_bytes(&blinded.to_bytes()).unwrap();
    assert!(finalize(&[0; 65_535], &tag).is_ok());
    assert_eq!(finalize(&[0; 65_536], &tag), Err(InputTooLong));
}

fn group_key_json() -> Value {
    serde_json::to_value(deal(2, 3, &mut seeded(1)).unwrap().1).unwrap()
}

fn refusal(json: Value) -> String {
    serde_json::from_value::<GroupKey>(json)
        .unwrap_err()
        .to_string()
}

#[test]
fn a_group_key_in_json_has_the_documented_members() {
    let json = group_key_json();
    assert_eq!(json["threshold"], 2);
    assert_eq!(json["public_key"].as_str().unwrap().len(), 64);
    assert_eq!(json["shares"].as_array().unwrap().len(), 3);
    assert_eq!(json["shares"][2]["index"], 3);
    assert_eq!(json["shares"][2]["public_key"].as_str().unwrap().len(), 64);
    assert_eq!(json.as_object().unwrap().len(), 3);
}

#[test]
fn a_group_key_that_contradicts_itself_is_refused() {
    let (_, other) = deal(2, 3, &mut seeded(2)).unwrap();
    let other = serde_json::to_value(other).unwrap();

    let mut json = group_key_json();
    json["public_key"] = other["public_key"].clone();
    assert_eq!(refusal(json), "shares do not lead to the joint public key");

    let mut json = group_key_json();
    json["shares"][0]["public_key"] = other["shares"][0]["public_key"].clone();
    assert_eq!(refusal(json), "shares do not lead to the joint public key");

    let mut json = group_key_json();
    json["shares"][2]["public_key"] = other["shares"][2]["public_key"].clone();
    assert_eq!(refusal(json), "share 3 does not belong to the others");

    let mut json = group_key_json();
    json["threshold"] = json!(1);
    assert_eq!(refusal(json), "shares do not lead to the joint public key");
}

#[test]
fn a_group_key_with_swapped_shares_is_refused() {
    let mut json = group_key_json();
    let first = json["shares"][0]["public_key"].take();
    let second = std::mem::replace(&mut json["shares"][1]["public_key"], first);
    json["shares"][0]["public_key"] = second;
    assert_eq!(refusal(json), "shares do not lead to the joint public key");
}

#[test]
fn a_group_key_with_an_impossible_threshold_is_refused() {
    for threshold in [0, 4, 255] {
        let mut json = group_key_json();
        json["threshold"] = json!(threshold);
        assert_eq!(
            refusal(json),
            format!("threshold {threshold} of 3 shares is out of range")
        );
    }
    let mut json = group_key_json();
    json["shares"] = json!([]);
    assert_eq!(refusal(json), "threshold 2 of 0 shares is out of range");
    let mut json = group_key_json();
    json["shares"] = Value::from(vec![json["shares"][0].clone(); 65]);
    assert_eq!(refusal(json), "threshold 2 of 65 shares is out of range");
}

#[test]
fn a_group_key_with_other_indices_is_refused() {
    for indices in [[1, 1, 2], [1, 3, 2], [2, 3, 4]] {
        let mut json = group_key_json();
        for (place, index) in indices.into_iter().enumerate() {
            json["shares"][place]["index"] = json!(index);
        }
        assert_eq!(refusal(json), "share indices are not 1, 2, … in order");
    }
    let mut json = group_key_json();
    json["shares"][0]["index"] = json!(0);
    assert_eq!(refusal(json), "share index is out of range");
}

#[test]
fn a_group_key_with_bad_elements_or_unknown_members_is_refused() {
    for bad in NOT_ELEMENTS {
        let mut json = group_key_json();
        json["public_key"] = json!(bad);
        assert_eq!(
            refusal(json),
            "not a canonical group element other than the identity"
        );
    }
    for bad in ["", "zz", &"0".repeat(66), &"g".repeat(64)] {
        let mut json = group_key_json();
        json["shares"][1]["public_key"] = json!(bad);
        assert_eq!(refusal(json), "not hexadecimal of 32 bytes");
    }
    let mut json = group_key_json();
    json["secret"] = json!("");
    assert!(refusal(json).starts_with("unknown field"));
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(blinded) = BlindedElement::from_bytes(&bytes) {
            prop_assert_eq!(blinded.to_bytes().to_vec(), bytes.clone());
        }
        if let Ok(evaluation) = Evaluation::from_bytes(&bytes) {
            prop_assert_eq!(evaluation.to_bytes().to_vec(), bytes.clone());
        }
        if let Ok(blind) = Blind::from_bytes(&bytes) {
            prop_assert_eq!(blind.expose().as_slice(), &bytes);
        }
        if let Ok(key) = ShareKey::from_bytes(&bytes) {
            prop_assert_eq!(key.expose().as_slice(), &bytes);
        }
        if let Ok(tag) = Tag::from_bytes(&bytes) {
            prop_assert_eq!(tag.expose().as_slice(), &bytes);
        }
    }

    #[test]
    fn bytes_of_the_right_length_are_refused_or_read_as_they_are(
        element: [u8; 32],
        index: u8,
        scalar: [u8; 32],
    ) {
        if let Ok(blinded) = BlindedElement::from_bytes(&element) {
            prop_assert_eq!(blinded.to_bytes(), element);
        }
        let key = [&[index][..], &scalar].concat();
        if let Ok(read) = ShareKey::from_bytes(&key) {
            prop_assert_eq!(read.expose().as_slice(), &key);
        }
    }

    #[test]
    fn an_evaluation_with_a_byte_changed_is_refused_or_read_as_it_is(
        place in 0..Evaluation::LENGTH,
        change in 1_u8..,
    ) {
        let mut bytes = an_evaluation();
        bytes[place] ^= change;
        if let Ok(evaluation) = Evaluation::from_bytes(&bytes) {
            prop_assert_eq!(evaluation.to_bytes(), bytes);
        }
    }

    #[test]
    fn no_text_makes_the_group_key_parser_panic(
        threshold: u8,
        indices in proptest::collection::vec(any::<u8>(), 0..5),
        key in "[0-9a-f]{0,66}",
    ) {
        let shares: Vec<Value> =
            indices.iter().map(|index| json!({"index": index, "public_key": key})).collect();
        let json = json!({"threshold": threshold, "public_key": key, "shares": shares});
        if let Ok(read) = serde_json::from_value::<GroupKey>(json.clone()) {
            prop_assert_eq!(serde_json::to_value(read).unwrap(), json);
        }
    }
}
