use proptest::prelude::*;

use super::*;

const KINDS: [NumberKind; 5] = [
    NumberKind::Resident,
    NumberKind::HongKongPermit,
    NumberKind::MacauPermit,
    NumberKind::TaiwanPermit,
    NumberKind::PermanentResident,
];

fn day(year: u16, month: u8, day: u8) -> CalendarDate {
    CalendarDate::new(year, month, day).unwrap()
}

fn parse(kind: NumberKind, text: &str) -> Result<ResidentNumber, NumberError> {
    ResidentNumber::parse(kind, text, day(2027, 1, 15))
}

fn read(kind: NumberKind, text: &str) -> ResidentNumber {
    parse(kind, text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(kind: NumberKind, text: &str) -> Option<NumberError> {
    parse(kind, text).err()
}

/// 17 digits with the check character that belongs to them.
fn checked(digits: &str) -> String {
    let check = gb11643::check_character(digits.as_bytes()).unwrap();
    format!("{digits}{}", char::from(check))
}

/// 14 characters with the digit that belongs to them.
fn checked_old(characters: &str) -> String {
    format!(
        "{characters}{}",
        check_digit(characters.as_bytes()).unwrap()
    )
}

#[test]
fn a_resident_number_says_birth_date_and_sex() {
    let woman = read(NumberKind::Resident, "11010519491231002X");
    assert!(woman.birth() == Some(day(1949, 12, 31)) && woman.sex() == Sex::Female);
    assert!(woman.fits_birth(day(1949, 12, 31)) && !woman.fits_birth(day(1949, 12, 30)));
    assert_eq!(woman.nationality(), Some(StateCode::CHINA));
    let man = read(NumberKind::Resident, "440524188001010014");
    assert!(man.birth() == Some(day(1880, 1, 1)) && man.sex() == Sex::Male);
}

#[test]
fn spellings_of_one_number_become_one() {
    for text in [
        "11010519491231002x",
        " 110105 19491231 002X",
        "110105491231002",
    ] {
        let number = read(NumberKind::Resident, text);
        assert_eq!(number.expose(), "11010519491231002X");
    }
}

#[test]
fn permits_begin_with_the_code_of_their_region() {
    let regions = [
        (NumberKind::HongKongPermit, "810000199002030011"),
        (NumberKind::MacauPermit, "820000199002030021"),
        (NumberKind::TaiwanPermit, "830000199002030138"),
    ];
    for (kind, number) in regions {
        let read = read(kind, number);
        assert!(read.birth() == Some(day(1990, 2, 3)) && read.kind() == kind);
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            assert_eq!(
                error(other, number),
                Some(NumberError::Division),
                "{other:?}"
            );
        }
        let short = "810000900203001";
        assert_eq!(error(kind, short), Some(NumberError::Length));
    }
}

#[test]
fn a_permanent_residents_card_says_a_nationality() {
    // The three digits are given to no state.
    let new = read(NumberKind::PermanentResident, "931123198506070010");
    assert_eq!(new.nationality(), None);
    let french = read(NumberKind::PermanentResident, &checked("93125019850607001"));
    let nationality = french.nationality();
    assert!(nationality.is_some_and(|state| state.alpha3() == "FRA"));
    assert!(new.birth() == Some(day(1985, 6, 7)) && new.sex() == Sex::Male);
    assert_eq!(
        error(NumberKind::Resident, new.expose()),
        Some(NumberError::Division)
    );

    let old = read(
        NumberKind::PermanentResident,
        &checked_old("UTO31008506071").to_lowercase(),
    );
    assert_eq!(old.nationality(), Some(StateCode::UTOPIA));
    assert!(old.birth() == Some(day(1985, 6, 7)) && old.sex() == Sex::Male);
    assert_eq!(
        error(NumberKind::Resident, old.expose()),
        Some(NumberError::Character)
    );
}

#[test]
fn an_old_card_may_leave_the_century_open() {
    let old = read(
        NumberKind::PermanentResident,
        &checked_old("UTO31002001020"),
    );
    assert!(old.birth().is_none());
    assert!(old.fits_birth(day(2020, 1, 2)) && old.fits_birth(day(1920, 1, 2)));
    // 2000 has this day, 1900 has not.
    let leap = read(
        NumberKind::PermanentResident,
        &checked_old("UTO31000002290"),
    );
    assert!(leap.birth() == Some(day(2000, 2, 29)));
}

#[test]
fn each_slip_has_its_error() {
    let resident = |text: &str| error(NumberKind::Resident, text);
    assert_eq!(resident(""), Some(NumberError::Length));
    assert_eq!(resident("1101051949123100"), Some(NumberError::Length));
    assert_eq!(resident("11010519491231002X0"), Some(NumberError::Length));
    for text in [
        "11010519491231002A",
        "1101051949123100XX",
        "11010549123100X",
        "11010519491231００",
    ] {
        assert_eq!(resident(text), Some(NumberError::Character), "{text}");
    }
    assert_eq!(resident("110105194912310021"), Some(NumberError::Check));
    assert_eq!(resident("11010519491231003X"), Some(NumberError::Check));
    for digits in [
        "71010519491231002",
        "00010519491231002",
        "91010519491231002",
    ] {
        assert_eq!(
            resident(&checked(digits)),
            Some(NumberError::Division),
            "{digits}"
        );
    }
    for birth in [
        "19490231", "19001301", "20270116", "17991231", "19000229", "00000000",
    ] {
        let number = checked(&format!("110105{birth}002"));
        assert_eq!(resident(&number), Some(NumberError::BirthDate), "{birth}");
    }
    let old = |text: &str| error(NumberKind::PermanentResident, text);
    assert_eq!(old("UTO310085060710"), Some(NumberError::Check));
    assert_eq!(old("U1O310085060711"), Some(NumberError::Character));
    assert_eq!(
        old(&checked_old("UTO99008506071")),
        Some(NumberError::Division)
    );
    assert_eq!(
        old(&checked_old("UTO31008513071")),
        Some(NumberError::BirthDate)
    );
}

#[test]
fn of_one_number_there_is_one_tag_however_it_was_written() {
    let tag = |text: &str| {
        let number = read(NumberKind::Resident, text);
        number.evidence().unwrap().expose().to_vec()
    };
    assert_eq!(tag("110105491231002"), tag("11010519491231002x"));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,24}", digits in "[0-9X]{13,19}", old in "[A-Z]{3}[0-9]{12}") {
        for kind in KINDS {
            for text in [&text, &digits, &old] {
                if let Ok(number) = parse(kind, text) {
                    let _said = (number.nationality(), number.evidence().unwrap());
                }
            }
        }
    }

    #[test]
    fn a_number_with_its_check_character_is_read_and_with_another_is_not(
        at in 0_usize..17,
        change in 1_u8..10,
        order in 0_u16..1000,
        days in (1900_u16..2027, 1_u8..13, 1_u8..29),
    ) {
        let (year, month, date) = days;
        let digits = format!("110105{year}{month:02}{date:02}{order:03}");
        let number = checked(&digits);
        let read = parse(NumberKind::Resident, &number).unwrap_or_else(|error| panic!("{error}"));
        prop_assert_eq!(read.expose(), &number);
        prop_assert!(read.birth() == Some(day(year, month, date)));
        let again = parse(NumberKind::Resident, read.expose());
        prop_assert!(again.is_ok_and(|again| again.expose() == read.expose()));
        // One wrong digit is always noticed.
        let mut slip = number.into_bytes();
        slip[at] = b'0' + (slip[at] - b'0' + change) % 10;
        prop_assert!(parse(NumberKind::Resident, std::str::from_utf8(&slip).unwrap()).is_err());
    }
}
