//! READ BINARY: the selected file, part by part.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §3.6.3 and §3.6.6.

use zeroize::Zeroizing;

use super::ReadError;
use crate::apdu::{Answer, Command, Status};
use crate::secure_messaging::SHORT_ANSWER;
use crate::tlv::{self, TlvError};

/// Reads the selected file as far as its first element goes; `None` where the chip shows it to
/// nobody without more rights. `progress` is told how many octets of how many there are.
pub(super) fn read_selected(
    send: &mut dyn FnMut(&Command) -> Result<Answer, ReadError>,
    max_len: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
    let mut content = Zeroizing::new(Vec::new());
    let mut total = HEAD_LEN;
    let mut parts = 0_usize;
    let mut longest = SHORT_ANSWER;
    while content.len() < total {
        let wanted = total.saturating_sub(content.len()).min(SHORT_ANSWER);
        let part = match read_part(send, content.len(), wanted, &mut longest) {
            // Chips that let everybody select a file refuse it here.
            Err(ReadError::Refused(_, Status::NOT_SATISFIED)) if content.is_empty() => {
                return Ok(None);
            }
            part => part?,
        };
        parts += 1;
        // Nor may a chip keep its reader for as long as it likes.
        let slow = parts > PARTS_MAX && parts > content.len() / SHORT_PART;
        if part.is_empty() || slow {
            return Err(TlvError::Truncated.into());
        }
        if content.is_empty() {
            total = tlv::whole_len(&part)?;
            if total > max_len {
                return Err(ReadError::TooLarge);
            }
            content.reserve_exact(total.saturating_add(SHORT_ANSWER));
        }
        // Some chips give more than was wanted, the padding of their answer among it.
        content.extend(part.iter().take(wanted));
        progress(content.len().min(total), total);
    }
    content.truncate(total);
    Ok(Some(content))
}

/// A part of the file. A chip to which the part is too long is asked once more, and for the rest of
/// the file, for parts of at most `longest` octets.
fn read_part(
    send: &mut dyn FnMut(&Command) -> Result<Answer, ReadError>,
    offset: usize,
    wanted: usize,
    longest: &mut usize,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let mut command = read_binary(offset, wanted, *longest);
    let mut answer = send(&command)?;
    if *longest == SHORT_ANSWER
        && let Some(shorter) = shorter(&command, answer.status)
    {
        *longest = shorter;
        command = read_binary(offset, wanted, shorter);
        answer = send(&command)?;
    }
    if !matches!(answer.status, Status::SUCCESS | Status::END_OF_FILE) {
        return Err(ReadError::Refused("read a file", answer.status));
    }
    if command.instruction == READ_BINARY {
        return Ok(answer.data);
    }
    let object = tlv::single(&answer.data, DISCRETIONARY)?;
    Ok(Zeroizing::new(object.value.to_vec()))
}

/// The command that reads `wanted` octets, or as many as an answer of `longest` octets holds.
fn read_binary(offset: usize, wanted: usize, longest: usize) -> Command {
    // There are chips whose two commands do not overlap (§3.6.6, note 1): the one ends where the
    // other begins.
    let before_objects = OBJECTS_FROM.saturating_sub(offset);
    if before_objects > 0 {
        let [.., high, low] = offset.to_be_bytes();
        let command = Command::new(READ_BINARY, [high, low], &[]);
        return command.expecting(wanted.min(longest).min(before_objects));
    }
    // Further than the parameters reach the offset is a data object, as short as possible (§3.6.6),
    // and the answer is one too. What is wanted of it is exact: whoever wanted more would be given
    // what stands after the file's element.
    let octets = offset.to_be_bytes();
    let octets: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
    let command = Command::new(
        READ_BINARY_OBJECT,
        [0, 0],
        &tlv::element(OFFSET, &[&octets]),
    );
    let head = if wanted < 0x80 { 2 } else { 3 };
    command.expecting(wanted.saturating_add(head).min(longest))
}

/// How many octets to want instead, where a status is about the length of the answer.
fn shorter(command: &Command, status: Status) -> Option<usize> {
    let shorter = match (status, status.0.to_be_bytes()) {
        // Where the beginning could be read with the same rights, security status not satisfied can
        // mean the length alone.
        (Status::WRONG_LENGTH | Status::NOT_SATISFIED, _) => SHORTER_ANSWER,
        (_, [Status::EXACT_LENGTH, octets]) => usize::from(octets),
        _ => return None,
    };
    let is_shorter = command.expected.is_some_and(|wanted| shorter < wanted);
    (shorter > 0 && is_shorter).then_some(shorter)
}

/// What every chip gives at once; other readers fall back to it as well.
const SHORTER_ANSWER: usize = 0xA0;
/// Answers shorter than this are the exception.
const SHORT_PART: usize = 64;
const PARTS_MAX: usize = 64;
/// Enough for tag and length of every file, and not longer than the shortest one.
const HEAD_LEN: usize = 6;
/// The first offset that is a data object.
pub(crate) const OBJECTS_FROM: usize = 0x8000;

// Instructions and data objects. Source: ICAO Doc 9303-10, 8th edition, §3.6.3 and §3.6.6.
pub(crate) const READ_BINARY: u8 = 0xB0;
pub(crate) const READ_BINARY_OBJECT: u8 = 0xB1;
pub(crate) const OFFSET: u32 = 0x54;
pub(crate) const DISCRETIONARY: u32 = 0x53;
