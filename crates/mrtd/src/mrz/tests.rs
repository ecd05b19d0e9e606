use proptest::prelude::*;

use super::*;

/// The published example of ICAO Doc 9303-4, appendix B.
const UPPER: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
const LOWER: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

fn day(year: u16, month: u8, day: u8) -> CalendarDate {
    CalendarDate::new(year, month, day).unwrap()
}

fn today() -> CalendarDate {
    day(2011, 6, 1)
}

fn refusal(upper: &str, lower: &str) -> MrzError {
    Mrz::parse_lines(upper, lower, today()).expect_err("must be refused")
}

/// Replaces the characters from `place` and makes every check digit fit again.
fn with_fitting_digits(place: usize, text: &str) -> String {
    let mut zone: [u8; 88] = format!("{UPPER}{LOWER}").into_bytes().try_into().unwrap();
    zone[place..place + text.len()].copy_from_slice(text.as_bytes());
    for (from, to) in [(44, 53), (57, 63), (65, 71), (72, 86)] {
        zone[to] = b'0' + check_digit(&zone[from..to]).unwrap();
    }
    zone[87] = b'0' + field::composite(&zone).unwrap();
    String::from_utf8(zone.to_vec()).unwrap()
}

fn changed(place: usize, text: &str) -> Result<Mrz, MrzError> {
    Mrz::parse(with_fitting_digits(place, text).as_bytes(), today())
}

#[test]
fn the_published_example_is_read() {
    let mrz = Mrz::parse_lines(UPPER, LOWER, today()).unwrap();
    assert_eq!(mrz.class(), "P");
    assert_eq!(mrz.subclass(), None);
    assert_eq!(mrz.issuing_state().alpha3(), "UTO");
    assert_eq!(mrz.family_name(), "ERIKSSON");
    assert_eq!(mrz.given_names(), "ANNA MARIA");
    assert_eq!(mrz.document_number(), "L898902C3");
    assert_eq!(mrz.nationality().alpha3(), "UTO");
    assert!(mrz.birth_date() == day(1974, 8, 12));
    assert_eq!(mrz.sex(), Sex::Female);
    assert!(mrz.expiry() == day(2012, 4, 15));
    assert_eq!(mrz.personal_number(), Some("ZE184226B"));
    assert_eq!(format!("{mrz:?}"), "Mrz(..)");
}

#[test]
fn the_published_example_is_written() {
    let zone = Mrz::compose(&example()).unwrap();
    assert_eq!(zone.as_slice(), format!("{UPPER}{LOWER}").as_bytes());
}

fn example() -> MrzFields<'static> {
    MrzFields {
        issuing_state: "UTO".parse().unwrap(),
        family_name: "Eriksson",
        given_names: "Anna Maria",
        document_number: "L898902C3",
        nationality: "UTO".parse().unwrap(),
        birth_date: day(1974, 8, 12),
        sex: Sex::Female,
        expiry: day(2012, 4, 15),
        personal_number: Some("ZE184226B"),
    }
}

#[test]
fn every_single_wrong_digit_of_the_second_line_is_noticed() {
    for place in 0..44 {
        let old = LOWER.as_bytes()[place];
        // Nationality and sex stand outside every check digit.
        if !old.is_ascii_digit() || (10..13).contains(&place) || place == 20 {
            continue;
        }
        let mut lower = LOWER.as_bytes().to_vec();
        lower[place] = b'0' + (old - b'0' + 1) % 10;
        let error = refusal(UPPER, core::str::from_utf8(&lower).unwrap());
        assert!(matches!(error, MrzError::CheckDigit(_)), "{place}: {error}");
    }
}

#[test]
fn an_empty_personal_number_may_have_a_filler_or_a_zero_as_digit() {
    let zero = with_fitting_digits(72, "<<<<<<<<<<<<<<");
    let mut filler = zero.clone();
    filler.replace_range(86..87, "<");
    for zone in [zero, filler] {
        assert_eq!(
            Mrz::parse(zone.as_bytes(), today())
                .unwrap()
                .personal_number(),
            None
        );
    }
}

#[test]
fn a_filler_is_no_digit_of_a_personal_number_that_is_there() {
    let mut lower = LOWER.to_owned();
    lower.replace_range(42..43, "<");
    assert_eq!(
        refusal(UPPER, &lower),
        MrzError::CheckDigit(Field::PersonalNumber)
    );
}

#[test]
fn other_lengths_are_refused() {
    assert_eq!(refusal(&UPPER[1..], LOWER), MrzError::Length(43));
    assert_eq!(refusal(UPPER, &format!("{LOWER}<")), MrzError::Length(45));
    for length in [0, 87, 89, 90, 72] {
        let zone = vec![b'<'; length];
        assert_eq!(
            Mrz::parse(&zone, today()).unwrap_err(),
            MrzError::Length(length)
        );
    }
}

#[test]
fn characters_outside_the_alphabet_are_refused() {
    for (place, text) in [(0, "p"), (9, " "), (43, "\n"), (87, "é"), (60, "-")] {
        let mut zone = format!("{UPPER}{LOWER}").into_bytes();
        zone[place] = text.as_bytes()[0];
        assert_eq!(
            Mrz::parse(&zone, today()).unwrap_err(),
            MrzError::Character(place)
        );
    }
}

#[test]
fn other_documents_and_malformed_fields_are_refused() {
    let cases = [
        (0, "I", MrzError::NotAPassport),
        (0, "V", MrzError::NotAPassport),
        (1, "1", MrzError::NotAPassport),
        (2, "<UT", MrzError::State(Field::IssuingState)),
        (54, "U1O", MrzError::State(Field::Nationality)),
        (5, "3RIKSSON", MrzError::Name),
        (5, "<<", MrzError::Name),
        (44, "<<<<<<<<<", MrzError::Empty(Field::DocumentNumber)),
        (57, "740230", MrzError::Date(Field::BirthDate)),
        (57, "74A812", MrzError::Date(Field::BirthDate)),
        (57, "7408<<", MrzError::UnknownBirthDate),
        (64, "X", MrzError::Sex),
        (65, "121304", MrzError::Date(Field::Expiry)),
        (65, "12<<15", MrzError::Date(Field::Expiry)),
    ];
    for (place, text, wanted) in cases {
        assert_eq!(changed(place, text).unwrap_err(), wanted, "{place} {text}");
    }
}

#[test]
fn a_birth_date_is_the_last_one_that_is_not_after_today() {
    assert!(changed(57, "110601").unwrap().birth_date() == day(2011, 6, 1));
    assert!(changed(57, "110602").unwrap().birth_date() == day(1911, 6, 2));
    assert!(changed(57, "000229").unwrap().birth_date() == day(2000, 2, 29));
}

#[test]
fn an_expiry_date_is_sought_fifty_years_around_today() {
    assert!(changed(65, "600101").unwrap().expiry() == day(2060, 1, 1));
    assert!(changed(65, "610101").unwrap().expiry() == day(1961, 1, 1));
    assert!(changed(65, "990101").unwrap().expiry() == day(1999, 1, 1));
}

#[test]
fn a_person_may_have_one_name_or_several() {
    let one = changed(5, "ARKFREITH<<<<<<<<<<<<<").unwrap();
    assert_eq!((one.family_name(), one.given_names()), ("ARKFREITH", ""));
    let several = changed(5, "VAN<DER<MUSTER<<BERO<CYLA<").unwrap();
    assert_eq!(
        (several.family_name(), several.given_names()),
        ("VAN DER MUSTER", "BERO CYLA")
    );
}

#[test]
fn names_are_transliterated_and_never_truncated() {
    let mut fields = example();
    fields.family_name = "Größe-d'Île";
    fields.given_names = "Åsa  Ñ";
    let zone = Mrz::compose(&fields).unwrap();
    assert!(zone.starts_with(b"P<UTOGROESSE<DILE<<AASA<N<<"));
    let long = "A".repeat(40);
    fields.family_name = &long;
    assert_eq!(
        Mrz::compose(&fields).unwrap_err(),
        MrzError::TooLong(Field::Name)
    );
    let longer = "ß".repeat(100_000);
    fields.family_name = &longer;
    assert_eq!(
        Mrz::compose(&fields).unwrap_err(),
        MrzError::TooLong(Field::Name)
    );
}

#[test]
fn fields_that_cannot_be_written_are_refused() {
    let refused = |change: &dyn Fn(&mut MrzFields<'static>)| {
        let mut fields = example();
        change(&mut fields);
        Mrz::compose(&fields).unwrap_err()
    };
    assert_eq!(
        refused(&|f| f.family_name = "李"),
        MrzError::Unwritable(Field::Name)
    );
    assert_eq!(
        refused(&|f| f.family_name = " - "),
        MrzError::Empty(Field::Name)
    );
    let number = Field::DocumentNumber;
    assert_eq!(
        refused(&|f| f.document_number = ""),
        MrzError::Empty(number)
    );
    assert_eq!(
        refused(&|f| f.document_number = "a1"),
        MrzError::Unwritable(number)
    );
    assert_eq!(
        refused(&|f| f.document_number = "1234567890"),
        MrzError::TooLong(number)
    );
    let personal = Field::PersonalNumber;
    assert_eq!(
        refused(&|f| f.personal_number = Some("123456789012345")),
        MrzError::TooLong(personal)
    );
}

proptest! {
    #[test]
    fn no_input_panics(zone in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = Mrz::parse(&zone, today());
    }

    #[test]
    fn no_text_of_the_alphabet_panics(zone in "P[A-Z<]{4}[A-Z<]{39}[0-9A-Z<]{44}") {
        let _ = Mrz::parse(with_fitting_digits(0, &zone).as_bytes(), today());
        let _ = Mrz::parse(zone.as_bytes(), today());
    }

    #[test]
    fn what_is_written_is_read_again(
        family in "[A-Z]{1,9}( [A-Z]{1,9})?",
        given in "([A-Z]{1,8}( [A-Z]{1,8})?)?",
        number in "[0-9A-Z]{1,9}",
        personal in proptest::option::of("[0-9A-Z]{1,14}"),
        birth in (1912_u16..2011, 1_u8..13, 1_u8..29),
        expiry in (1970_u16..2060, 1_u8..13, 1_u8..29),
    ) {
        let fields = MrzFields {
            family_name: &family,
            given_names: &given,
            document_number: &number,
            personal_number: personal.as_deref(),
            birth_date: day(birth.0, birth.1, birth.2),
            expiry: day(expiry.0, expiry.1, expiry.2),
            ..example()
        };
        let zone = Mrz::compose(&fields).unwrap();
        let mrz = Mrz::parse(zone.as_slice(), today()).unwrap();
        prop_assert_eq!(mrz.family_name(), family.as_str());
        prop_assert_eq!(mrz.given_names(), given.as_str());
        prop_assert_eq!(mrz.document_number(), number.as_str());
        prop_assert_eq!(mrz.personal_number(), personal.as_deref());
        prop_assert!(mrz.birth_date() == fields.birth_date);
        prop_assert!(mrz.expiry() == fields.expiry);
    }
}
