use proptest::prelude::*;

use super::*;
use crate::tlv::{self, TlvError};

fn group(elements: &[(u32, &[u8])]) -> Vec<u8> {
    let elements: Vec<u8> = elements
        .iter()
        .flat_map(|(tag, value)| tlv::element(*tag, &[value]))
        .collect();
    tlv::element(DG12_TAG, &[&elements])
}

fn parsed(elements: &[(u32, &[u8])]) -> DocumentDetails {
    parse_dg12(&group(elements)).unwrap()
}

#[test]
fn authority_day_and_persons_are_read() {
    let persons = [
        &[2, 1, 1][..],
        &tlv::element(OTHER_PERSON, &[b"EXAMPLE<<BERO"]),
    ]
    .concat();
    let details = parsed(&[
        (0x5C, &[0x5F, 0x19, 0x5F, 0x26, 0x5F, 0x1A]),
        (0x5F19, b"UTOPIA<PASSPORT<OFFICE"),
        (0x5F26, b"20240229"),
        (0xA0, &persons),
        (0x5F1B, b"NONE"),
    ]);
    let authority = details.issuing_authority.as_deref();
    assert_eq!(authority, Some("UTOPIA PASSPORT OFFICE"));
    assert!(details.issued == CalendarDate::new(2024, 2, 29).ok());
    assert_eq!(details.other_persons[0].primary, "EXAMPLE");
    assert_eq!(details.other_persons[0].secondary, "BERO");
    assert_eq!(details.endorsements.as_deref(), Some("NONE"));
    assert_eq!(format!("{details:?}"), "DocumentDetails(..)");
}

#[test]
fn times_are_read_in_digits_and_in_half_octets() {
    let wanted = WrittenTime {
        day: CalendarDate::new(2016, 11, 15).unwrap(),
        clock: [1, 36, 12],
    };
    let read = |value: &[u8]| parse_dg12(&group(&[(0x5F55, value)])).map(|read| read.personalised);
    assert!(read(b"20161115013612") == Ok(Some(wanted)));
    assert!(read(&[0x20, 0x16, 0x11, 0x15, 0x01, 0x36, 0x12]) == Ok(Some(wanted)));
    assert!(read(b"00000000000000") == Ok(None));
    assert!(read(b"") == Ok(None));
    for value in [
        "20161115013660",
        "20161115240000",
        "20161115",
        "2016111501361Z",
    ] {
        let refused = Err(DetailsError::Date(PERSONALISED));
        assert!(read(value.as_bytes()) == refused, "{value}");
    }
    assert_eq!(format!("{wanted:?}"), "WrittenTime(..)");
}

#[test]
fn a_day_is_read_in_half_octets_too() {
    let read = |value: &[u8]| parsed(&[(0x5F26, value)]).issued;
    assert!(read(&[0x20, 0x24, 0x02, 0x29]) == CalendarDate::new(2024, 2, 29).ok());
    let refused = parse_dg12(&group(&[(0x5F26, b"20230229")])).err();
    assert_eq!(refused, Some(DetailsError::Date(ISSUED)));
}

#[test]
fn every_truncation_is_refused() {
    let file = group(&[(0x5F56, b"N-4962")]);
    for length in 0..file.len() {
        let error = parse_dg12(&file[..length]).unwrap_err();
        assert_eq!(error, DetailsError::Frame(TlvError::Truncated));
    }
}

prop_compose! {
    fn any_details()(
        texts in prop::collection::vec(prop::option::of("[A-Z0-9]{1,9}( [A-Z]{1,5})?"), 4),
        persons in prop::collection::vec("[A-Z]{1,9}", 0..3),
        images in prop::collection::vec(
            prop::option::of(prop::collection::vec(any::<u8>(), 1..200)), 2),
        issued in prop::option::of((1_u16..=9999, 1_u8..=12, 1_u8..=28)),
        clock in prop::option::of((0_u8..24, 0_u8..60, 0_u8..60)),
    ) -> DocumentDetails {
        let day = issued.and_then(|(y, m, d)| CalendarDate::new(y, m, d).ok());
        let mut details = DocumentDetails::default();
        details.issuing_authority = texts[0].clone();
        details.endorsements = texts[1].clone();
        details.tax_or_exit = texts[2].clone();
        details.personalised_by = texts[3].clone();
        details.front = images[0].clone();
        details.rear = images[1].clone();
        details.issued = day;
        details.personalised = day.zip(clock).map(|(day, (hour, minute, second))| WrittenTime {
            day,
            clock: [hour, minute, second],
        });
        details.other_persons = persons
            .iter()
            .map(|name| WrittenName { primary: name.clone(), secondary: String::new() })
            .collect();
        details
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(details in any_details()) {
        prop_assert!(parse_dg12(&compose_dg12(&details)).unwrap() == details);
    }

    #[test]
    fn no_input_panics(input in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = parse_dg12(&input);
        let _ = parse_dg12(&tlv::element(DG12_TAG, &[&input]));
    }
}
