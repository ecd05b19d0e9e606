//! READ BINARY, by a chip that is as strict as any.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §3.6.3 and §3.6.6.

use super::{SpecimenChip, WRONG_DATA};
use crate::apdu::{Answer, Command, Status};
use crate::chip_reader::read_binary::{
    DISCRETIONARY, OBJECTS_FROM, OFFSET, READ_BINARY, READ_BINARY_OBJECT,
};
use crate::secure_messaging::WANTED;
use crate::specimen::chip_keys::LongAnswers;
use crate::tlv;

impl SpecimenChip {
    /// Up to where the offsets begin that are data objects (§3.6.6, note 1).
    pub(super) fn read_binary(&self, offset: [u8; 2], command: &Command) -> Answer {
        let offset = usize::from(u16::from_be_bytes(offset));
        let wanted = command.expected.unwrap_or(0);
        if offset.saturating_add(wanted) > OBJECTS_FROM {
            return Answer::status(BEYOND_END);
        }
        self.part(offset, wanted, wanted)
            .unwrap_or_else(Answer::status)
    }

    /// From there on; the offset is as short as possible.
    pub(super) fn read_object(&self, command: &Command) -> Answer {
        let object = tlv::single(&command.data, OFFSET);
        let octets = match object.as_ref().map(|object| object.value) {
            Ok(octets @ [1..=0xFF, ..]) if octets.len() <= 4 => octets,
            _ => return Answer::status(WRONG_DATA),
        };
        let offset = octets
            .iter()
            .fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet));
        if offset < OBJECTS_FROM {
            return Answer::status(WRONG_DATA);
        }
        // Tag and length are part of what is wanted.
        let wanted = command.expected.unwrap_or(0);
        let head = if wanted < 0x82 { 2 } else { 3 };
        match self.part(offset, wanted.saturating_sub(head), wanted) {
            Ok(part) => Answer {
                data: tlv::element(DISCRETIONARY, &[&part.data]).into(),
                status: part.status,
            },
            Err(status) => Answer::status(status),
        }
    }

    /// Up to `octets` of the selected file, for a command that wants `wanted` octets.
    fn part(&self, offset: usize, octets: usize, wanted: usize) -> Result<Answer, Status> {
        if wanted > LONGEST {
            match self.keys.long_answers {
                LongAnswers::Given | LongAnswers::Unopened => {}
                LongAnswers::WrongLength => return Err(Status::WRONG_LENGTH),
                LongAnswers::ExactLength => return Err(EXACT_LENGTH),
                LongAnswers::NotSatisfied => return Err(Status::NOT_SATISFIED),
            }
        }
        let content = self.state.selected.and_then(|file| self.content(file));
        let content = content.ok_or(NO_CURRENT_FILE)?;
        let rest = content.get(offset..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or(BEYOND_END)?;
        let mut answer = Answer::data(rest.iter().copied().take(octets).collect());
        if rest.len() < octets {
            answer.status = Status::END_OF_FILE;
        }
        Ok(answer)
    }

    /// Whether the chip refuses a protected command before it opens it.
    pub(super) fn refuses_unopened(&self, command: &Command) -> bool {
        let reads = matches!(command.instruction, READ_BINARY | READ_BINARY_OBJECT);
        if !reads || self.keys.long_answers != LongAnswers::Unopened {
            return false;
        }
        let objects = tlv::Reader::new(&command.data).all().unwrap_or_default();
        let wanted = objects.iter().find(|object| object.tag == WANTED);
        wanted.is_some_and(|wanted| match wanted.value {
            [octets @ 1..=0xFF] => usize::from(*octets) > LONGEST,
            _ => true,
        })
    }
}

/// The longest answer of a chip that does not give long ones.
const LONGEST: usize = 0xA0;

// Source: ISO/IEC 7816-4 §5.6.
/// [`LONGEST`] is how many to want instead.
const EXACT_LENGTH: Status = Status(0x6CA0);
const NO_CURRENT_FILE: Status = Status(0x6986);
const BEYOND_END: Status = Status(0x6B00);
