use proptest::prelude::*;

use super::*;
use crate::tlv::{self, TlvError};

fn name(primary: &str, secondary: &str) -> WrittenName {
    WrittenName {
        primary: primary.to_owned(),
        secondary: secondary.to_owned(),
    }
}

/// A group of these elements, without a list of tags.
fn group(elements: &[(u32, &[u8])]) -> Vec<u8> {
    let elements: Vec<u8> = elements
        .iter()
        .flat_map(|(tag, value)| tlv::element(*tag, &[value]))
        .collect();
    tlv::element(DG11_TAG, &[&elements])
}

fn parsed(elements: &[(u32, &[u8])]) -> PersonalDetails {
    parse_dg11(&group(elements)).unwrap()
}

fn refusal(elements: &[(u32, &[u8])]) -> DetailsError {
    parse_dg11(&group(elements)).expect_err("must be refused")
}

/// The example of the standard, with two lengths in it mended.
/// Source: ICAO Doc 9303-10, 8th edition, appendix A.5.
#[test]
fn the_published_example_is_read() {
    let list = [0x5F, 0x0E, 0x5F, 0x11, 0x5F, 0x42, 0x5F, 0x12, 0x5F, 0x13];
    let details = parsed(&[
        (0x5C, &list),
        (0x5F0E, b"SMITH<<JOHN<J"),
        (0x5F11, b"ANYTOWN<MN"),
        (0x5F42, b"123 MAPLE RD<ANYTOWN<MN"),
        (0x5F12, b"16125551212"),
        (0x5F13, b"TRAVEL<AGENT"),
    ]);
    assert!(details.full_name == Some(name("SMITH", "JOHN J")));
    assert_eq!(details.place_of_birth, ["ANYTOWN", "MN"]);
    assert_eq!(details.address, ["123 MAPLE RD", "ANYTOWN", "MN"]);
    assert_eq!(details.telephone.as_deref(), Some("16125551212"));
    assert_eq!(details.profession.as_deref(), Some("TRAVEL AGENT"));
    assert!(details.birth_date.is_none() && details.other_documents.is_empty());
}

#[test]
fn other_names_are_found_with_and_without_their_template() {
    let one = tlv::element(0x5F0F, &[b"EXAMPLE<<ADA"]);
    let two = tlv::element(0x5F0F, &["示例<<爱达".as_bytes()]);
    let names = [name("EXAMPLE", "ADA"), name("示例", "爱达")];
    for count in [&[2, 1, 2][..], &[2, 1, 9], &[]] {
        let inside = [count, &one, &two].concat();
        let list: (u32, &[u8]) = (0x5C, &[0xA0]);
        assert!(parsed(&[list, (0xA0, &inside)]).other_names == names);
    }
    let bare = tlv::element(DG11_TAG, &[&one, &two]);
    assert!(parse_dg11(&bare).unwrap().other_names == names);
}

#[test]
fn a_date_is_read_in_digits_and_in_half_octets() {
    let wanted = CalendarDate::new(1992, 1, 15).ok();
    let read = |value: &[u8]| parsed(&[(0x5F2B, value)]).birth_date;
    assert!(read(b"19920115") == wanted);
    assert!(read(&[0x19, 0x92, 0x01, 0x15]) == wanted);
    let unknown: [&[u8]; 7] = [
        b"1992<<<<",
        b"19920100",
        b"19920000",
        b"00000000",
        b"        ",
        &[0x19, 0x92, 0, 0],
        b"",
    ];
    for value in unknown {
        assert!(read(value).is_none(), "{value:?}");
    }
    let wrong: [&[u8]; 7] = [
        b"19920230",
        b"920115",
        b"1992-01-15",
        b"1992O115",
        &[0x19, 0x92, 0x01, 0x3A],
        &[0x19, 0x92, 0x13, 0x01],
        &[1, 9, 9, 2, 0, 1, 1, 5],
    ];
    for value in wrong {
        assert_eq!(
            refusal(&[(0x5F2B, value)]),
            DetailsError::Date(0x5F2B),
            "{value:?}"
        );
    }
}

#[test]
fn texts_are_utf_8_or_else_iso_8859_1() {
    for place in ["MÜNCHEN".as_bytes(), b"M\xDCNCHEN"] {
        assert_eq!(parsed(&[(0x5F11, place)]).place_of_birth, ["MÜNCHEN"]);
    }
}

#[test]
fn fillers_spaces_and_zeros_around_values_are_dropped() {
    let details = parsed(&[
        (0x5F10, b" 12345678<<<"),
        (0x5F42, b"<1 RUE  DE L'EXEMPLE<<PARIS<"),
        (0x5F17, b"X1234567<<Y7654321\0"),
        (0x5F13, b"<<<"),
        (0x5F14, b""),
    ]);
    assert_eq!(details.personal_number.as_deref(), Some("12345678"));
    assert_eq!(details.address, ["1 RUE DE L'EXEMPLE", "PARIS"]);
    assert_eq!(details.other_documents, ["X1234567", "Y7654321"]);
    assert!(details.profession.is_none() && details.title.is_none());
}

#[test]
fn unknown_elements_are_left_out_and_repeated_ones_refused() {
    assert!(parsed(&[(0x5F7F, b"x"), (0x80, b"y")]) == PersonalDetails::default());
    for tag in [PERSONAL_NUMBER, BIRTH_DATE, OTHER_DOCUMENTS] {
        let value: &[u8] = b"19920115";
        assert_eq!(
            refusal(&[(tag, value), (tag, value)]),
            DetailsError::Repeated(tag)
        );
    }
}

#[test]
fn broken_frames_and_oversized_files_are_refused() {
    let file = group(&[(0x5F10, b"12345678")]);
    for length in 0..file.len() {
        let error = parse_dg11(&file[..length]).unwrap_err();
        assert_eq!(error, DetailsError::Frame(TlvError::Truncated));
    }
    let other = DetailsError::Frame(TlvError::Tag(DG11_TAG));
    assert_eq!(parse_dg11(&[0x6C, 0]).err(), Some(other));
    let template = (0xA0, &[0x5F, 0x0F, 9][..]);
    assert_eq!(
        refusal(&[template]),
        DetailsError::Frame(TlvError::Truncated)
    );
    let names = vec![(0x5F0F, &b"A"[..]); 100];
    assert_eq!(refusal(&names), DetailsError::TooLarge);
    assert_eq!(parsed(&names[1..]).other_names.len(), 99);
    let large = vec![0x6B; (1 << 20) + 1];
    assert_eq!(parse_dg11(&large).err(), Some(DetailsError::TooLarge));
}

#[test]
fn debug_output_shows_nothing() {
    let details = parsed(&[(0x5F0E, b"SMITH<<JOHN"), (0x5F10, b"12345678")]);
    assert_eq!(format!("{details:?}"), "PersonalDetails(..)");
    assert_eq!(format!("{:?}", details.full_name), "Some(WrittenName(..))");
}

fn line() -> impl Strategy<Value = String> {
    "[A-ZÄÖ示0-9.,']{1,8}( [A-Z0-9]{1,6}){0,2}"
}

fn names() -> impl Strategy<Value = WrittenName> {
    let secondary = prop_oneof![Just(String::new()), line()];
    (line(), secondary).prop_map(|(primary, secondary)| WrittenName { primary, secondary })
}

prop_compose! {
    fn any_details()(
        full_name in prop::option::of(names()),
        other_names in prop::collection::vec(names(), 0..4),
        texts in prop::collection::vec(prop::option::of(line()), 6),
        lists in prop::collection::vec(prop::collection::vec(line(), 0..4), 3),
        birth in prop::option::of((1_u16..=9999, 1_u8..=12, 1_u8..=28)),
        proof in prop::option::of(prop::collection::vec(any::<u8>(), 1..200)),
    ) -> PersonalDetails {
        let mut details = PersonalDetails::default();
        details.full_name = full_name;
        details.other_names = other_names;
        details.personal_number = texts[0].clone();
        details.telephone = texts[1].clone();
        details.profession = texts[2].clone();
        details.title = texts[3].clone();
        details.summary = texts[4].clone();
        details.custody = texts[5].clone();
        details.place_of_birth = lists[0].clone();
        details.address = lists[1].clone();
        details.other_documents = lists[2].clone();
        details.birth_date = birth.and_then(|(y, m, d)| CalendarDate::new(y, m, d).ok());
        details.proof_of_citizenship = proof;
        details
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(details in any_details()) {
        prop_assert!(parse_dg11(&compose_dg11(&details)).unwrap() == details);
    }

    #[test]
    fn no_input_panics(input in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = parse_dg11(&input);
        let _ = parse_dg11(&tlv::element(DG11_TAG, &[&input]));
    }

    #[test]
    fn no_value_panics(
        tag in prop::sample::select(vec![0x5F0E, 0x5F0F, 0xA0, 0x5F10, 0x5F2B, 0x5F11]),
        value in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        if let Ok(details) = parse_dg11(&group(&[(tag, &value)])) {
            prop_assert!(parse_dg11(&compose_dg11(&details)).unwrap() == details);
        }
    }
}
