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
    Mrz::parse_lines(&[upper, lower], today()).expect_err("must be refused")
}

/// Replaces the characters from `place` and makes every check digit fit again.
fn with_fitting_digits(place: usize, text: &str) -> String {
    let mut zone = format!("{UPPER}{LOWER}").into_bytes();
    zone[place..place + text.len()].copy_from_slice(text.as_bytes());
    for (from, to) in [(44, 53), (57, 63), (65, 71), (72, 86)] {
        zone[to] = b'0' + check_digit(&zone[from..to]).unwrap();
    }
    let (_, spans) = Format::Td3.layout().composite.unwrap();
    zone[87] = b'0' + field::composite(&zone, spans).unwrap();
    String::from_utf8(zone).unwrap()
}

fn changed(place: usize, text: &str) -> Result<Mrz, MrzError> {
    Mrz::parse(with_fitting_digits(place, text).as_bytes(), today())
}

#[test]
fn the_published_example_is_read() {
    let mrz = Mrz::parse_lines(&[UPPER, LOWER], today()).unwrap();
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
    assert_eq!(mrz.optional_data().collect::<Vec<_>>(), ["ZE184226B"]);
    assert_eq!((mrz.format(), mrz.native_name()), (Format::Td3, None));
    assert_eq!(format!("{mrz:?}"), "Mrz(..)");
}

#[test]
fn the_published_example_is_written() {
    let zone = Mrz::compose(&example()).unwrap();
    assert_eq!(zone.as_slice(), format!("{UPPER}{LOWER}").as_bytes());
}

fn example() -> MrzFields<'static> {
    MrzFields {
        format: Format::Td3,
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
        let mrz = Mrz::parse(zone.as_bytes(), today()).unwrap();
        assert_eq!(mrz.optional_data().count(), 0);
    }
}

#[test]
fn a_filler_is_no_digit_of_a_personal_number_that_is_there() {
    let mut lower = LOWER.to_owned();
    lower.replace_range(42..43, "<");
    assert_eq!(
        refusal(UPPER, &lower),
        MrzError::CheckDigit(Field::OptionalData)
    );
}

#[test]
fn other_lengths_are_refused() {
    assert_eq!(refusal(&UPPER[1..], LOWER), MrzError::Length(87));
    assert_eq!(refusal(UPPER, &format!("{LOWER}<")), MrzError::Length(89));
    for length in [0, 30, 71, 87, 89, 91] {
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
        (0, "I", MrzError::OtherDocument),
        (0, "V", MrzError::OtherDocument),
        (1, "1", MrzError::OtherDocument),
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
    let personal = Field::OptionalData;
    assert_eq!(
        refused(&|f| f.personal_number = Some("123456789012345")),
        MrzError::TooLong(personal)
    );
}

/// Format, lines, number, names, birth date, expiry date, optional data. Sources: appendices of ICAO
/// Doc 9303-4, -5, -6 and -11.
type Example = (
    Format,
    &'static [&'static str],
    &'static str,
    (&'static str, &'static str),
    (u16, u8, u8),
    (u16, u8, u8),
    &'static [&'static str],
);

const ICAO: [Example; 6] = [
    (
        Format::Td1,
        &[
            "I<UTOD231458907<<<<<<<<<<<<<<<",
            "7408122F1204159UTO<<<<<<<<<<<6",
            "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        ],
        "D23145890",
        ("ERIKSSON", "ANNA MARIA"),
        (1974, 8, 12),
        (2012, 4, 15),
        &[],
    ),
    // A number of eleven characters.
    (
        Format::Td1,
        &[
            "I<UTOD23145890<7349<<<<<<<<<<<",
            "3407127M9507122UTO<<<<<<<<<<<2",
            "STEVENSON<<PETER<JOHN<<<<<<<<<",
        ],
        "D23145890734",
        ("STEVENSON", "PETER JOHN"),
        (1934, 7, 12),
        (1995, 7, 12),
        &[],
    ),
    (
        Format::Td2,
        &[
            "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
            "D231458907UTO7408122F1204159<<<<<<<6",
        ],
        "D23145890",
        ("ERIKSSON", "ANNA MARIA"),
        (1974, 8, 12),
        (2012, 4, 15),
        &[],
    ),
    // The standard prints another last digit, 8, than its own rule gives.
    (
        Format::Td2,
        &[
            "I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<",
            "D23145890<UTO3407127M95071227349<<<8",
        ],
        "D23145890734",
        ("STEVENSON", "PETER JOHN"),
        (1934, 7, 12),
        (1995, 7, 12),
        &[],
    ),
    (
        Format::Td3,
        &[
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C<3UTO6908061F9406236ZE184226B<<<<<14",
        ],
        "L898902C",
        ("ERIKSSON", "ANNA MARIA"),
        (1969, 8, 6),
        (1994, 6, 23),
        &["ZE184226B"],
    ),
    // A passport of Hong Kong: its number stands where others of China have the name.
    (
        Format::Td3,
        &[
            "P<CHNCHUNG<<KWOK<SUM<<<<<<<<<<<<<<<<<<<<<<<<",
            "K000000000CHN8008080F1702057HK8888888<<<<<34",
        ],
        "K00000000",
        ("CHUNG", "KWOK SUM"),
        (1980, 8, 8),
        (2017, 2, 5),
        &["HK8888888"],
    ),
];

#[test]
fn published_examples_of_all_formats_are_read_and_written() {
    for (format, lines, number, names, birth, expiry, optional) in ICAO {
        let mrz = Mrz::parse_lines(lines, today()).unwrap_or_else(|e| panic!("{lines:?}: {e}"));
        assert_eq!(mrz.format(), format);
        assert_eq!(mrz.document_number(), number);
        assert_eq!((mrz.family_name(), mrz.given_names()), names);
        assert!(mrz.birth_date() == day(birth.0, birth.1, birth.2));
        assert!(mrz.expiry() == day(expiry.0, expiry.1, expiry.2));
        assert_eq!(mrz.optional_data().collect::<Vec<_>>(), optional);
        assert_eq!(mrz.native_name(), None);
        let zone = Mrz::compose(&MrzFields {
            format,
            issuing_state: mrz.issuing_state(),
            family_name: mrz.family_name(),
            given_names: mrz.given_names(),
            document_number: number,
            nationality: mrz.nationality(),
            birth_date: mrz.birth_date(),
            sex: mrz.sex(),
            expiry: mrz.expiry(),
            personal_number: optional.first().copied(),
        });
        assert_eq!(*zone.unwrap(), lines.concat().into_bytes());
    }
}

/// Format, lines, code, number, names in Latin letters and in Chinese characters.
type Permit = (
    Format,
    &'static [&'static str],
    &'static str,
    &'static str,
    (&'static str, &'static str),
    &'static str,
);

/// Specimens whose numbers are all zeros or a row, and one made here for lines that cards do not
/// show. The lines of 1999 are made here too.
const CHINESE: [Permit; 7] = [
    (
        Format::ExitEntryPermit,
        &[
            "CSCA00000015<3401011<9002281<6",
            "NFMFMIPN<<<<ZHANG<<SAN<<<<<<<<",
            "M<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
        ],
        "CS",
        "CA0000001",
        ("ZHANG", "SAN"),
        "张三",
    ),
    (
        Format::ExitEntryPermit,
        &[
            "CDL000000007<2508197<8208031<6",
            "NFMFMIPN<<<<ZHANG<<SAN<<<<<<<<",
            "M<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
        ],
        "CD",
        "L00000000",
        ("ZHANG", "SAN"),
        "张三",
    ),
    (
        Format::MainlandTravelPermit,
        &[
            "CRH1234567830002212119F8108038",
            "NGKELMPONBPJLBLOAABA1234567842",
            "ZHENG<JIAN<<YANG<BEN<<<<<<<<<<",
        ],
        "CR",
        "H12345678",
        ("ZHENG JIAN", "YANG BEN"),
        "证件样本",
    ),
    (
        Format::MainlandTravelPermit,
        &[
            "CT00000000<00262006084F8108038",
            "NGKELMPONBPJLBLOAABR0000000001",
            "ZHENG<JIAN<<YANG<BEN<<<<<<3500",
        ],
        "CT",
        "00000000",
        ("ZHENG JIAN", "YANG BEN"),
        "证件样本",
    ),
    (
        Format::HomeReturnPermit,
        &[
            "C<CHN5404289449891730<<<<05<<4",
            "8108038F0901015H12345678003120",
            "ZHENG<JIAN<<YANG<BEN<<<<<<<<<<",
        ],
        "C<",
        "H12345678",
        ("ZHENG JIAN", "YANG BEN"),
        "证件样本",
    ),
    (
        Format::Td3,
        &[
            "POCHNZHENGJIAN<<YANGBEN<<<<<<<<<<<<<<<<<<<<<",
            "E000000008CHN8310291F2202059NGKELMPONBPJB972",
        ],
        "PO",
        "E00000000",
        ("ZHENGJIAN", "YANGBEN"),
        "证件样",
    ),
    (
        Format::Td3,
        &[
            "PDCHNYANG<<ZHAO<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
            "DE00000003CHN8509037F2611158NBOONFNB<<<<A912",
        ],
        "PD",
        "DE0000000",
        ("YANG", "ZHAO"),
        "杨昭",
    ),
];

#[test]
fn chinese_permits_and_passports_are_read() {
    for (format, lines, code, number, names, native) in CHINESE {
        let mrz =
            Mrz::parse_lines(lines, day(2026, 6, 1)).unwrap_or_else(|e| panic!("{lines:?}: {e}"));
        assert_eq!(mrz.format(), format);
        assert_eq!(mrz.class() == "P", code.starts_with('P'));
        assert_eq!(
            mrz.subclass(),
            code[1..].chars().find(char::is_ascii_alphabetic)
        );
        assert_eq!(mrz.issuing_state(), StateCode::CHINA);
        assert_eq!(mrz.nationality(), StateCode::CHINA);
        assert_eq!(mrz.document_number(), number);
        assert_eq!((mrz.family_name(), mrz.given_names()), names);
        assert_eq!(mrz.native_name(), Some(native));
    }
}

/// Every digit that stands under a check digit, with the digits of all formats changed one by one.
#[test]
fn every_wrong_digit_under_a_check_digit_is_noticed_in_every_format() {
    let all = ICAO.map(|example| (example.0, example.1));
    let all = all
        .into_iter()
        .chain(CHINESE.map(|example| (example.0, example.1)));
    for (format, lines) in all {
        let layout = format.layout();
        let mut under = vec![layout.number, layout.birth, layout.expiry];
        under.extend(layout.others);
        let zone = lines.concat().into_bytes();
        let fields = under
            .iter()
            .flat_map(|checked| checked.field.0..checked.field.1);
        let spans = layout.composite.map_or(&[][..], |(_, spans)| spans);
        let spans = spans.iter().flat_map(|span| span.0..span.1);
        for place in fields.chain(spans) {
            // The sex of a card stands in the span of its composite digit.
            if !zone[place].is_ascii_digit() {
                continue;
            }
            let mut changed = zone.clone();
            changed[place] = b'0' + (changed[place] - b'0' + 1) % 10;
            let refused = Mrz::parse(&changed, day(2026, 6, 1)).err();
            assert!(
                matches!(refused, Some(MrzError::CheckDigit(_))),
                "{format:?} {place} {refused:?}"
            );
        }
    }
}

#[test]
fn a_century_that_the_document_names_counts() {
    let with = |century: &str| {
        let mut lines = CHINESE[2].1.concat();
        lines.replace_range(48..49, century);
        Mrz::parse(lines.as_bytes(), day(2026, 6, 1)).map(|mrz| mrz.birth_date().year())
    };
    assert_eq!(with("B"), Ok(1981));
    assert_eq!(with("A"), Ok(1881));
    let malformed = Err(MrzError::Date(Field::BirthDate));
    // 2081 is not yet, and D stands for nothing.
    for century in ["C", "D", "<", "0"] {
        assert_eq!(with(century), malformed, "{century}");
    }
}

#[test]
fn long_numbers_need_their_digit_and_room() {
    let line = |first: &str| {
        let rest = [
            "3407127M9507122UTO<<<<<<<<<<<2",
            "STEVENSON<<PETER<JOHN<<<<<<<<<",
        ];
        Mrz::parse_lines(&[first, rest[0], rest[1]], today()).err()
    };
    let wrong = Some(MrzError::CheckDigit(Field::DocumentNumber));
    for first in [
        "I<UTOD23145890<<<<<<<<<<<<<<<<",
        "I<UTOD23145890<9<<<<<<<<<<<<<<",
        "I<UTOD23145890<7348<<<<<<<<<<<",
        "I<UTOD23145890<734734734734734",
    ] {
        assert_eq!(line(first), wrong, "{first}");
    }
    let mut fields = example();
    fields.document_number = "1234567890";
    assert_eq!(
        Mrz::compose(&fields).unwrap_err(),
        MrzError::TooLong(Field::DocumentNumber)
    );
    fields.format = Format::ExitEntryPermit;
    assert_eq!(Mrz::compose(&fields).unwrap_err(), MrzError::OtherDocument);
}

#[test]
fn lines_of_different_lengths_are_no_zone() {
    let refused = |lines: &[&str]| Mrz::parse_lines(lines, today()).unwrap_err();
    let zone = format!("{UPPER}{LOWER}");
    assert_eq!(refused(&[&zone[..40], &zone[40..]]), MrzError::Length(40));
    assert_eq!(refused(&[&zone]), MrzError::Length(88));
    assert_eq!(refused(&[]), MrzError::Length(0));
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
    fn no_text_of_the_alphabet_panics_in_any_format(zone in "[PIAC][SDRT<A-Z][0-9A-Z<]{70,88}") {
        let _ = Mrz::parse(zone.as_bytes(), today());
        let _ = Mrz::parse(format!("C<CHN{zone}").as_bytes(), today());
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
        prop_assert_eq!(mrz.optional_data().next(), personal.as_deref());
        prop_assert!(mrz.birth_date() == fields.birth_date);
        prop_assert!(mrz.expiry() == fields.expiry);
    }
}
