use proptest::prelude::*;

use super::*;
use crate::security_info::DG14_TAG;

const GM_AES128: &[u8] = &[0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04, 0x02, 0x02];
const IM_AES256: &[u8] = &[0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04, 0x04, 0x04];
/// Parameters of PACE that are spelled out.
const GM_PARAMETERS: &[u8] = &[0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x04, 0x02];
const TERMINAL_AUTHENTICATION: &[u8] = &[0x04, 0x00, 0x7F, 0x00, 0x07, 0x02, 0x02, 0x02];

fn entry(protocol: &[u8], numbers: &[&[u8]]) -> Vec<u8> {
    let numbers: Vec<_> = numbers
        .iter()
        .map(|number| tlv::element(INTEGER, &[number]))
        .collect();
    let protocol = tlv::element(OID, &[protocol]);
    tlv::element(SEQUENCE, &[&protocol, &numbers.concat()])
}

fn list(entries: &[Vec<u8>]) -> Vec<u8> {
    tlv::element(SET, &[&entries.concat()])
}

fn compare(offered: &[Vec<u8>], signed: &[Vec<u8>]) -> Result<CardAccess, CardAccessError> {
    let group = tlv::element(DG14_TAG, &[&list(signed)]);
    CardAccess::compare(Some(&list(offered)), &group)
}

fn gm() -> Vec<u8> {
    entry(GM_AES128, &[&[2], &[13]])
}

#[test]
fn order_encodings_of_numbers_and_entries_of_other_protocols_make_no_difference() {
    let im = entry(IM_AES256, &[&[2], &[12]]);
    let other = entry(TERMINAL_AUTHENTICATION, &[&[1]]);
    let padded = entry(GM_AES128, &[&[0, 2], &[0, 0, 13]]);
    let compared = compare(&[padded, im.clone()], &[other, im, gm()]);
    assert_eq!(compared, Ok(CardAccess::Signed));
}

#[test]
fn whatever_is_not_signed_is_found() {
    let named = |name: &str| Err(CardAccessError::NotSigned(name.to_owned()));
    let cases = [
        (
            entry(IM_AES256, &[&[2], &[13]]),
            "PACE ECDH-IM brainpoolP256r1 with AES-256",
        ),
        // The same protocol with other parameters, version or field.
        (
            entry(GM_AES128, &[&[2], &[12]]),
            "PACE ECDH-GM P-256 with AES-128",
        ),
        (
            entry(GM_AES128, &[&[2], &[0]]),
            "PACE ECDH-GM parameters 0 with AES-128",
        ),
        (
            entry(GM_AES128, &[&[2]]),
            "the protocol 0.4.0.127.0.7.2.2.4.2.2",
        ),
        (
            entry(GM_PARAMETERS, &[&[1]]),
            "the protocol 0.4.0.127.0.7.2.2.4.2",
        ),
        (
            entry(TERMINAL_AUTHENTICATION, &[&[1]]),
            "the protocol 0.4.0.127.0.7.2.2.2",
        ),
        (vec![0x05, 0x00], "an entry without a protocol"),
        (vec![0x30, 0x01, 0x06], "an entry without a protocol"),
    ];
    for (more, name) in cases {
        assert_eq!(compare(&[gm(), more], &[gm()]), named(name));
    }
}

#[test]
fn a_protocol_that_is_signed_and_not_offered_is_found() {
    let im = entry(IM_AES256, &[&[2], &[13]]);
    let name = "PACE ECDH-IM brainpoolP256r1 with AES-256".to_owned();
    let hidden = Err(CardAccessError::Hidden(name));
    assert_eq!(compare(&[gm()], &[gm(), im.clone()]), hidden);
    let group = tlv::element(DG14_TAG, &[&list(&[im])]);
    assert_eq!(CardAccess::compare(None, &group), hidden);
}

#[test]
fn a_group_without_pace_leaves_nothing_to_compare_with() {
    let other = entry(TERMINAL_AUTHENTICATION, &[&[1]]);
    let nothing = Ok(CardAccess::NothingSigned);
    assert_eq!(compare(&[gm()], std::slice::from_ref(&other)), nothing);
    assert_eq!(compare(&[], &[]), nothing);
    let group = tlv::element(DG14_TAG, &[&list(&[other])]);
    assert_eq!(CardAccess::compare(None, &group), nothing);
}

#[test]
fn lists_that_cannot_be_read_are_no_agreement() {
    let group = tlv::element(DG14_TAG, &[&list(&[gm()])]);
    for file in [&[][..], &[0x31], &[0x30, 0x00], &[0x31, 0x01, 0x30]] {
        let compared = CardAccess::compare(Some(file), &group);
        assert!(
            matches!(compared, Err(CardAccessError::Form(_))),
            "{file:?}"
        );
    }
    let compared = CardAccess::compare(Some(&list(&[gm()])), &[0x6E, 0x00]);
    assert!(matches!(compared, Err(CardAccessError::Form(_))));
}

proptest! {
    #[test]
    fn no_octets_panic(
        file in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100)),
        inside in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let group = tlv::element(DG14_TAG, &[&tlv::element(SET, &[&inside])]);
        let _ = CardAccess::compare(file.as_deref(), &group);
        // What is signed agrees with itself.
        let list = tlv::element(SET, &[&inside]);
        let compared = CardAccess::compare(Some(&list), &group);
        prop_assert!(matches!(compared, Ok(_) | Err(CardAccessError::Form(_))));
    }
}
