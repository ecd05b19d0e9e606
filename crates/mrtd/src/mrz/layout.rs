//! Where each format has its fields. Places count from 0 through all lines of the zone.

/// A format of machine-readable zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Cards: three lines of 30. Source: ICAO Doc 9303-5, 8th edition, §4.2.
    Td1,
    /// Larger cards: two lines of 36. Source: ICAO Doc 9303-6, 8th edition, §4.2.
    Td2,
    /// Passports: two lines of 44. Source: ICAO Doc 9303-4, 8th edition, §4.2.
    Td3,
    /// China's exit-entry permits of 2014 for travel to Hong Kong and Macau (`CS`) and to Taiwan
    /// (`CD`): three lines of 30, of which the card shows the first alone.
    ExitEntryPermit,
    /// China's permits for residents of Hong Kong and Macau (`CR`, of 2013) and of Taiwan (`CT`, of
    /// 2015) to travel to the mainland: three lines of 30.
    MainlandTravelPermit,
    /// The permit of 1999 for residents of Hong Kong and Macau to return to the mainland (`C<CHN`):
    /// three lines of 30.
    HomeReturnPermit,
}

/// The places `from` to `to`, the last one not included.
pub(super) type Span = (usize, usize);

/// A field with its check digit.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    pub(super) field: Span,
    pub(super) digit: usize,
}

pub(super) struct Layout {
    pub(super) len: usize,
    pub(super) line_len: usize,
    /// The first letters of the document code that stand for documents of this format; specimens
    /// have the first of them.
    pub(super) codes: &'static [u8],
    /// `None` where only China issues it.
    pub(super) issuing_state: Option<Span>,
    /// `None` for citizens of the issuing state.
    pub(super) nationality: Option<Span>,
    pub(super) names: Span,
    pub(super) number: Checked,
    pub(super) birth: Checked,
    pub(super) sex: usize,
    pub(super) expiry: Checked,
    /// Optional data, of which the first continues a document number that is too long for its field.
    pub(super) optional: &'static [Span],
    /// The check digit of the optional data; a filler where there is none.
    pub(super) optional_digit: Option<usize>,
    /// The digit over several fields, in the order in which they are weighted.
    pub(super) composite: Option<(usize, &'static [Span])>,
    /// Fields that have a digit and mean nothing to this crate, such as the count of issues.
    pub(super) others: &'static [Checked],
    /// The name in Chinese characters.
    pub(super) native: Option<Native>,
    /// The century of birth, and the letter that stands for 1800.
    pub(super) century: Option<(usize, u8)>,
}

/// How Chinese characters are written with letters and digits.
#[derive(Clone, Copy)]
pub(super) enum Native {
    /// Bytes of GBK, of which each half is a letter from A to P.
    Nibbles(Span),
    /// Places in the table of GB 2312, four digits each.
    Places(Span),
}

impl Format {
    /// How many characters a line has.
    pub(crate) fn line_len(self) -> usize {
        self.layout().line_len
    }

    pub(super) fn layout(self) -> &'static Layout {
        match self {
            Format::Td1 => &TD1,
            Format::Td2 => &TD2,
            Format::Td3 => &TD3,
            Format::ExitEntryPermit => &EXIT_ENTRY,
            Format::MainlandTravelPermit => &MAINLAND,
            Format::HomeReturnPermit => &HOME_RETURN,
        }
    }

    /// The format of a zone, by its length and its first characters.
    pub(super) fn of(zone: &[u8]) -> Option<Format> {
        Some(match (zone.len(), zone) {
            (90, [b'C', b'S' | b'D', ..]) => Format::ExitEntryPermit,
            // A card with these codes of another state has that state in the next places.
            (90, [b'C', b'R' | b'T', a, b, ..]) if a.is_ascii_digit() || b.is_ascii_digit() => {
                Format::MainlandTravelPermit
            }
            (90, [b'C', b'<', b'C', b'H', b'N', digit, ..]) if digit.is_ascii_digit() => {
                Format::HomeReturnPermit
            }
            (90, _) => Format::Td1,
            (72, _) => Format::Td2,
            (88, _) => Format::Td3,
            _ => return None,
        })
    }
}

const fn checked(from: usize, to: usize) -> Checked {
    Checked {
        field: (from, to),
        digit: to,
    }
}

const TD1: Layout = Layout {
    len: 90,
    line_len: 30,
    codes: b"IAC",
    issuing_state: Some((2, 5)),
    nationality: Some((45, 48)),
    names: (60, 90),
    number: checked(5, 14),
    birth: checked(30, 36),
    sex: 37,
    expiry: checked(38, 44),
    optional: &[(15, 30), (48, 59)],
    optional_digit: None,
    composite: Some((59, &[(5, 37), (38, 45), (48, 59)])),
    others: &[],
    native: None,
    century: None,
};

const TD2: Layout = Layout {
    len: 72,
    line_len: 36,
    codes: b"IAC",
    issuing_state: Some((2, 5)),
    nationality: Some((46, 49)),
    names: (5, 36),
    number: checked(36, 45),
    birth: checked(49, 55),
    sex: 56,
    expiry: checked(57, 63),
    optional: &[(64, 71)],
    optional_digit: None,
    composite: Some((71, &[(36, 46), (49, 56), (57, 71)])),
    others: &[],
    native: None,
    century: None,
};

const TD3: Layout = Layout {
    len: 88,
    line_len: 44,
    codes: b"P",
    issuing_state: Some((2, 5)),
    nationality: Some((54, 57)),
    names: (5, 44),
    number: checked(44, 53),
    birth: checked(57, 63),
    sex: 64,
    expiry: checked(65, 71),
    optional: &[(72, 86)],
    optional_digit: Some(86),
    composite: Some((87, &[(44, 54), (57, 64), (65, 87)])),
    others: &[],
    native: None,
    century: None,
};

// Sources of the Chinese layouts: public readers of these cards and specimens; GA/T 704.14 and
// 704.16, which define them, are not public. Specimens of all four codes fit every digit that is
// checked here. The last digit of `CT` and the line digits of 1999 follow no rule that is known for
// certain and are not checked.

const EXIT_ENTRY: Layout = Layout {
    len: 90,
    line_len: 30,
    codes: b"C",
    issuing_state: None,
    nationality: None,
    names: (42, 60),
    number: checked(2, 11),
    expiry: checked(13, 19),
    birth: checked(21, 27),
    sex: 60,
    optional: &[],
    optional_digit: None,
    composite: Some((29, &[(2, 12), (13, 20), (21, 28)])),
    others: &[],
    native: Some(Native::Nibbles((30, 42))),
    century: None,
};

const MAINLAND: Layout = Layout {
    len: 90,
    line_len: 30,
    codes: b"C",
    issuing_state: None,
    nationality: None,
    names: (60, 86),
    number: checked(2, 11),
    expiry: checked(15, 21),
    sex: 22,
    birth: checked(23, 29),
    optional: &[],
    optional_digit: None,
    composite: None,
    others: &[checked(12, 14)],
    native: Some(Native::Nibbles((30, 46))),
    century: Some((48, b'A')),
};

const HOME_RETURN: Layout = Layout {
    len: 90,
    line_len: 30,
    codes: b"C",
    issuing_state: None,
    nationality: None,
    names: (60, 90),
    // The count of issues, two digits, belongs to what the digit covers and not to the number.
    number: Checked {
        field: (45, 54),
        digit: 56,
    },
    birth: checked(30, 36),
    sex: 37,
    expiry: checked(38, 44),
    optional: &[],
    optional_digit: None,
    composite: None,
    others: &[checked(45, 56)],
    native: Some(Native::Places((5, 25))),
    century: Some((57, b'0')),
};
