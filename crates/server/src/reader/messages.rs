//! The messages between a virtual reader and a program that stands for a chip: two octets of
//! length, highest first, and as many octets.
//!
//! Source: vsmartcard, virtualsmartcard, `src/vpcd/vpcd.c` and `vpcd.h`.

use std::io;

/// The chip loses its power.
pub(crate) const POWER_OFF: u8 = 0;
/// The chip gets its power.
pub(crate) const POWER_ON: u8 = 1;
/// The chip begins anew.
pub(crate) const RESET: u8 = 2;
/// The chip is asked for its [`ANSWER_TO_RESET`].
pub(crate) const GIVE_ANSWER_TO_RESET: u8 = 4;

/// What a contactless chip without historical bytes has. Source: PC/SC part 3, §3.1.3.2.3.
pub(crate) const ANSWER_TO_RESET: [u8; 5] = [0x3b, 0x80, 0x80, 0x01, 0x01];

/// What a reader has sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'a> {
    /// Power on, power off or reset: whatever was agreed with the chip has ended. No answer.
    Begin,
    /// The reader asks what chip it is.
    GiveAnswerToReset,
    /// A command for the chip.
    Command(&'a [u8]),
}

impl Message<'_> {
    /// What a payload means; one octet that is no control is a command, which the chip refuses.
    pub(crate) fn of(payload: &[u8]) -> Message<'_> {
        match payload {
            [POWER_OFF | POWER_ON | RESET] => Message::Begin,
            [GIVE_ANSWER_TO_RESET] => Message::GiveAnswerToReset,
            command => Message::Command(command),
        }
    }
}

/// The length that stands before a payload.
///
/// # Errors
///
/// `InvalidInput` where two octets cannot hold it.
pub(crate) fn length(payload: &[u8]) -> io::Result<[u8; 2]> {
    let length = u16::try_from(payload.len());
    let length = length.map_err(|_| {
        let what = "a message to a virtual reader has at most 65,535 octets";
        io::Error::new(io::ErrorKind::InvalidInput, what)
    })?;
    Ok(length.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_octet_is_a_control_and_everything_else_a_command() {
        for control in [POWER_OFF, POWER_ON, RESET] {
            assert_eq!(Message::of(&[control]), Message::Begin);
        }
        assert_eq!(Message::of(&[4]), Message::GiveAnswerToReset);
        for command in [&[3][..], &[], &[0, 0xa4, 4, 0], &[4, 4]] {
            assert_eq!(Message::of(command), Message::Command(command));
        }
    }

    #[test]
    fn a_length_that_two_octets_cannot_hold_is_refused() {
        assert_eq!(length(&[7; 0x1234]).unwrap(), [0x12, 0x34]);
        assert_eq!(length(&[7; 65_535]).unwrap(), [0xff, 0xff]);
        assert!(length(&[7; 65_536]).is_err());
    }
}
