//! Commands to a chip and its answers.
//!
//! Source: ISO/IEC 7816-4 §5; the commands of travel documents in ICAO Doc 9303-10 §3.6 and 9303-11.

use zeroize::Zeroizing;

/// A command as it is before secure messaging.
pub(crate) struct Command {
    pub(crate) class: u8,
    pub(crate) instruction: u8,
    pub(crate) p1: u8,
    pub(crate) p2: u8,
    pub(crate) data: Zeroizing<Vec<u8>>,
    /// How many octets of data the answer may have, 1 to 65,536; `None`: it has none.
    pub(crate) expected: Option<usize>,
}

/// An answer: data and status.
pub(crate) struct Answer {
    pub(crate) data: Zeroizing<Vec<u8>>,
    pub(crate) status: Status,
}

/// The two octets that end an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// Done.
    pub const SUCCESS: Status = Status(0x9000);
    /// The file ended before as many octets as were wanted.
    pub const END_OF_FILE: Status = Status(0x6282);
    /// More or fewer octets are wanted than the chip gives.
    pub const WRONG_LENGTH: Status = Status(0x6700);
    /// Access has to be gained first.
    pub const NOT_SATISFIED: Status = Status(0x6982);
    /// There is no such file.
    pub const NO_FILE: Status = Status(0x6A82);
    /// The first octet where the second one is how many octets to want instead.
    pub(crate) const EXACT_LENGTH: u8 = 0x6C;

    /// Whether as many octets are not given at once.
    pub(crate) fn is_wrong_length(self) -> bool {
        let [first, _] = self.0.to_be_bytes();
        self == Status::WRONG_LENGTH || first == Status::EXACT_LENGTH
    }
}

impl core::fmt::Display for Status {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl Command {
    /// A command of the plain class.
    pub(crate) fn new(instruction: u8, parameters: [u8; 2], data: &[u8]) -> Command {
        let [p1, p2] = parameters;
        Command {
            class: 0,
            instruction,
            p1,
            p2,
            data: Zeroizing::new(data.to_vec()),
            expected: None,
        }
    }

    /// The command with an answer of at most this many octets.
    pub(crate) fn expecting(mut self, octets: usize) -> Command {
        self.expected = Some(octets);
        self
    }

    /// The octets to send, in the short form where lengths allow it.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Vec::with_capacity(self.data.len().saturating_add(9));
        out.extend([self.class, self.instruction, self.p1, self.p2]);
        let short = self.data.len() <= SHORT_DATA && self.expected.is_none_or(|le| le <= SHORT_LE);
        let lc = self.data.len().to_be_bytes();
        let le = self.expected.unwrap_or(0).to_be_bytes();
        let ([.., lc_high, lc_low], [.., le_high, le_low]) = (lc, le);
        match (short, self.data.is_empty()) {
            (true, true) => {}
            (true, false) => out.push(lc_low),
            (false, true) => out.push(0),
            (false, false) => out.extend([0, lc_high, lc_low]),
        }
        out.extend_from_slice(&self.data);
        match self.expected {
            // The largest number is written as zeros.
            Some(_) if short => out.push(le_low),
            Some(_) => out.extend([le_high, le_low]),
            None => {}
        }
        Zeroizing::new(out)
    }

    /// Reads a command's octets; `None` where they are none.
    pub(crate) fn decode(octets: &[u8]) -> Option<Command> {
        let (&[class, instruction, p1, p2], body) = octets.split_first_chunk::<4>()?;
        let (data, expected) = match body {
            [] => (body, None),
            [le] => (&[][..], Some(short_le(*le))),
            [0, high, low] => (&[][..], Some(extended_le(*high, *low))),
            [0, high, low, rest @ ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                match rest.split_at_checked(length)? {
                    (data, []) => (data, None),
                    (data, [high, low]) => (data, Some(extended_le(*high, *low))),
                    _ => return None,
                }
            }
            [length, rest @ ..] => match rest.split_at_checked(usize::from(*length))? {
                (data, []) => (data, None),
                (data, [le]) => (data, Some(short_le(*le))),
                _ => return None,
            },
        };
        Some(Command {
            class,
            instruction,
            p1,
            p2,
            data: Zeroizing::new(data.to_vec()),
            expected,
        })
    }
}

impl Answer {
    /// Reads an answer's octets; `None` where they do not have a status.
    pub(crate) fn decode(octets: &[u8]) -> Option<Answer> {
        let (data, status) = octets.split_last_chunk::<2>()?;
        Some(Answer {
            data: Zeroizing::new(data.to_vec()),
            status: Status(u16::from_be_bytes(*status)),
        })
    }

    /// An answer without data.
    pub(crate) fn status(status: Status) -> Answer {
        Answer {
            data: Zeroizing::default(),
            status,
        }
    }

    /// An answer with data.
    pub(crate) fn data(data: Vec<u8>) -> Answer {
        Answer {
            data: Zeroizing::new(data),
            status: Status::SUCCESS,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        [self.data.as_slice(), &self.status.0.to_be_bytes()].concat()
    }
}

fn short_le(octet: u8) -> usize {
    if octet == 0 {
        SHORT_LE
    } else {
        usize::from(octet)
    }
}

fn extended_le(high: u8, low: u8) -> usize {
    match u16::from_be_bytes([high, low]) {
        0 => EXTENDED_LE,
        number => usize::from(number),
    }
}

const SHORT_DATA: usize = 255;
/// The most that a short command can ask for.
pub(crate) const SHORT_LE: usize = 256;
/// The most that an extended command can ask for.
pub(crate) const EXTENDED_LE: usize = 65_536;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn commands_come_back(
            head in any::<[u8; 4]>(),
            data in proptest::collection::vec(any::<u8>(), 0..600),
            expected in proptest::option::of(1..=EXTENDED_LE),
        ) {
            let [class, instruction, p1, p2] = head;
            let data = Zeroizing::new(data);
            let command = Command { class, instruction, p1, p2, data, expected };
            let read = Command::decode(&command.encode()).unwrap();
            prop_assert_eq!([read.class, read.instruction, read.p1, read.p2], head);
            prop_assert_eq!(&read.data, &command.data);
            prop_assert_eq!(read.expected, expected);
        }

        #[test]
        fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (Command::decode(&octets), Answer::decode(&octets));
        }
    }
}
