use super::*;

const FIRST: &str = "1900-01-01";
const LAST: &str = "2079-06-06";

fn asked(years: u8, on: &str) -> AgeAsked {
    let text = format!("{{\"years\":{years},\"on\":\"{on}\"}}");
    serde_json::from_str(&text).unwrap()
}

fn born_by(years: u8, on: &str) -> String {
    asked(years, on).born_by().unwrap().to_iso().to_string()
}

fn reached(years: u8, on: &str, birth: &str) -> bool {
    let birth = BirthDate::parse_iso(birth).unwrap();
    asked(years, on).is_reached_by(birth).unwrap()
}

#[test]
fn the_latest_day_of_birth_is_the_same_day_so_many_years_before() {
    assert_eq!(born_by(18, "2026-11-22"), "2008-11-22");
    assert_eq!(born_by(1, "2027-01-01"), "2026-01-01");
    assert_eq!(born_by(120, "2026-11-22"), "1906-11-22");
    assert!(reached(18, "2026-11-22", "2008-11-22"));
    assert!(!reached(18, "2026-11-22", "2008-11-23"));
}

#[test]
fn a_29_february_that_the_year_does_not_have_becomes_the_28th() {
    // 2006 is no leap year, 2004 and 2000 are, 1900 is none.
    assert_eq!(born_by(18, "2024-02-29"), "2006-02-28");
    assert_eq!(born_by(20, "2024-02-29"), "2004-02-29");
    assert_eq!(born_by(24, "2024-02-29"), "2000-02-29");
    assert_eq!(born_by(72, "1972-02-29"), "1900-02-28");
    assert_eq!(born_by(18, "2024-02-28"), "2006-02-28");
    assert_eq!(born_by(18, "2024-03-01"), "2006-03-01");
}

#[test]
fn who_was_born_on_29_february_is_never_too_early() {
    let birth = "2004-02-29";
    // 2022 has none: the day is 1 March. 2024 has one.
    assert!(!reached(18, "2022-02-28", birth));
    assert!(reached(18, "2022-03-01", birth));
    assert!(!reached(20, "2024-02-28", birth));
    assert!(reached(20, "2024-02-29", birth));
    // 2100 would be the next year without one; 2000 had one.
    assert!(!reached(70, "1974-02-28", "1904-02-29"));
    assert!(reached(96, "2000-02-29", "1904-02-29"));
    // Others born around it.
    assert!(reached(18, "2024-02-29", "2006-02-28"));
    assert!(!reached(18, "2024-02-29", "2006-03-01"));
    assert!(reached(18, "2024-03-01", "2006-03-01"));
}

#[test]
fn days_of_birth_outside_the_slot_are_refused() {
    assert_eq!(born_by(70, "1970-01-01"), FIRST);
    assert_eq!(asked(71, "1970-01-01").born_by().err(), Some(AgeOutOfRange));
    assert_eq!(born_by(120, "2020-01-01"), FIRST);
    let on = AgeAsked {
        on: Day(asked(120, "2020-01-01").on.0 - 1),
        ..asked(120, "2020-01-01")
    };
    assert_eq!(on.born_by().err(), Some(AgeOutOfRange));
    assert_eq!(
        on.is_reached_by(BirthDate::of_day_number(0)).err(),
        Some(AgeOutOfRange)
    );

    // 2080-06-06 is a year after the last day that the slot can hold.
    let last = AgeAsked {
        on: Day(asked(1, LAST).on.0 + 366),
        ..asked(1, LAST)
    };
    assert_eq!(last.on_iso(), "2080-06-06");
    assert_eq!(last.born_by().unwrap().to_iso().as_str(), LAST);
    let later = AgeAsked {
        on: Day(last.on.0 + 1),
        ..last
    };
    assert_eq!(later.born_by().err(), Some(AgeOutOfRange));
    let never = AgeAsked {
        on: Day(u32::MAX),
        ..last
    };
    assert_eq!(never.born_by().err(), Some(AgeOutOfRange));
}

#[test]
fn an_age_is_from_1_to_120_and_a_day_is_a_date() {
    let read = |text: &str| serde_json::from_str::<AgeAsked>(text).is_ok();
    assert!(read(r#"{"years":1,"on":"1970-01-01"}"#));
    assert!(read(r#"{"years":120,"on":"2079-06-06"}"#));
    for text in [
        r#"{"years":0,"on":"2026-11-22"}"#,
        r#"{"years":121,"on":"2026-11-22"}"#,
        r#"{"years":-1,"on":"2026-11-22"}"#,
        r#"{"years":"18","on":"2026-11-22"}"#,
        r#"{"years":18.5,"on":"2026-11-22"}"#,
        r#"{"years":[16,18],"on":"2026-11-22"}"#,
        r#"{"years":18,"on":"2026-02-29"}"#,
        r#"{"years":18,"on":"1969-12-31"}"#,
        r#"{"years":18,"on":"2080-01-01"}"#,
        r#"{"years":18,"on":20000}"#,
        r#"{"years":18}"#,
        r#"{"years":18,"on":"2026-11-22","born_by":1}"#,
    ] {
        assert!(!read(text), "{text}");
    }
    let text = r#"{"years":18,"on":"2026-11-22"}"#;
    let asked = asked(18, "2026-11-22");
    assert_eq!(serde_json::to_string(&asked).unwrap(), text);
    assert_eq!(asked.years.claim(), "age_over_18");
}

/// A day counted on from another one, by the rules of the calendar alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Counted {
    year: u32,
    month: u32,
    day: u32,
}

impl Counted {
    fn is_leap(year: u32) -> bool {
        year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
    }

    fn next(self) -> Counted {
        let Counted { year, month, day } = self;
        let length = match month {
            2 if Counted::is_leap(year) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        match (day == length, month == 12) {
            (false, _) => Counted {
                day: day + 1,
                ..self
            },
            (true, false) => Counted {
                month: month + 1,
                day: 1,
                year,
            },
            (true, true) => Counted {
                year: year + 1,
                month: 1,
                day: 1,
            },
        }
    }

    /// The day on which somebody born on this one becomes so many years old.
    fn birthday(self, years: u32) -> Counted {
        let year = self.year + years;
        let missing = self.month == 2 && self.day == 29 && !Counted::is_leap(year);
        if missing {
            Counted {
                year,
                month: 3,
                day: 1,
            }
        } else {
            Counted { year, ..self }
        }
    }
}

/// The definition, day by day: somebody has an age from the birthday on. The last birth day for
/// which that holds is the one that is proved; later ones do not have the age.
#[test]
fn the_bound_is_that_of_a_count_over_all_days_of_birth() {
    let mut births = vec![Counted {
        year: 1900,
        month: 1,
        day: 1,
    }];
    while births.len() <= usize::from(u16::MAX) {
        births.push(births.last().unwrap().next());
    }
    assert_eq!(births.len(), 65_536);
    // Every day of nine years, with 2000 and years before and after a leap year among them.
    let (mut on, mut day) = (
        Counted {
            year: 1970,
            month: 1,
            day: 1,
        },
        Day(0),
    );
    let looked_at = |year| matches!(year, 1972..=1973 | 1999..=2001 | 2024..=2027);
    let mut compared = 0_u32;
    while on.year < 2028 {
        if looked_at(on.year) {
            for years in [1_u8, 2, 3, 4, 14, 16, 17, 18, 21, 28, 65, 70, 99, 100, 120] {
                let has_age = |birth: &Counted| birth.birthday(years.into()) <= on;
                // Birthdays come in the order of births, which the slow test below checks.
                let count = births.partition_point(has_age);
                let years = Years::try_from(years).unwrap();
                let computed = AgeAsked { years, on: day }.born_by();
                let computed = computed.map(|date| usize::from(date.day_number()) + 1);
                assert_eq!(computed.unwrap_or(0), count, "{} on {}", years.0, day.0);
                compared += 1;
            }
        }
        (on, day) = (on.next(), Day(day.0 + 1));
    }
    assert_eq!(compared, (731 + 1096 + 1461) * 15);
}

/// No shortcut: every birth day of some decades against some days around 28 February.
#[test]
fn every_birth_day_of_some_decades_has_the_age_that_the_definition_gives() {
    let mut births = vec![Counted {
        year: 1900,
        month: 1,
        day: 1,
    }];
    while births.last().unwrap().year < 2030 {
        births.push(births.last().unwrap().next());
    }
    for on in [
        "2023-02-28",
        "2023-03-01",
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2025-12-31",
    ] {
        for years in [1, 16, 18, 20, 24, 100] {
            let asked = asked(years, on);
            let (_, number) = on.split_at(0);
            let parts: Vec<u32> = number
                .split('-')
                .map(|part| part.parse().unwrap())
                .collect();
            let on = Counted {
                year: parts[0],
                month: parts[1],
                day: parts[2],
            };
            for (number, birth) in births.iter().enumerate() {
                let number = BirthDate::of_day_number(u16::try_from(number).unwrap());
                let expected = birth.birthday(years.into()) <= on;
                assert_eq!(asked.is_reached_by(number).unwrap(), expected);
            }
        }
    }
}
