//! Reading a chip: files, and the chip's proof that it is the original one.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §3.6 (commands); 9303-11 §6.

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use self::access_procedure::{basic_access, by_pace, card_access, select_within};
use crate::access::AccessKey;
use crate::active::Challenge;
use crate::apdu::{Answer, Command, EXTENDED_LE, SHORT_LE, Status};
use crate::bac::BasicAccess;
use crate::chip_authentication::{BY_FILE, ChipQuestion, NO_ANSWER, SELECT};
use crate::secure_messaging::{NotAuthentic, SHORT_ANSWER, SecureMessaging};
use crate::security_info::SecurityInfos;
use crate::tlv::{self, TlvError};
use crate::transport::{Transport, TransportError};

pub(crate) mod access_procedure;

/// A chip that let its reader in.
pub struct ChipReader<'t> {
    transport: &'t mut dyn Transport,
    channel: SecureMessaging,
    access: String,
}

/// A file of the travel document application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// EF.COM, the list of data groups.
    Com,
    /// EF.SOD, the security object.
    Sod,
    /// A data group, 1 to 16.
    Group(u8),
}

/// Why a chip cannot be read. No octet of its content is part of it.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The reader lost the chip.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The chip does not open for what was given: another document, or a mistyped character.
    #[error("the chip does not open: the machine-readable zone or the access number is another")]
    WrongPassword,
    /// The chip has no way of access that is known here for this kind of password.
    #[error("the chip offers no known way of access for this kind of password")]
    NoAccess,
    /// It is no travel document.
    #[error("the chip is no travel document")]
    OtherApplication,
    /// An answer is not the chip's.
    #[error(transparent)]
    NotAuthentic(#[from] NotAuthentic),
    /// The chip refuses a step.
    #[error("the chip refuses to {0}: status {1}")]
    Refused(&'static str, Status),
    /// An answer has another form than the step has.
    #[error("the chip's answer to the step is malformed")]
    Form(#[from] TlvError),
    /// A file that is larger than any is.
    #[error("a file of the chip is too large")]
    TooLarge,
    /// A question that would have the chip do something else than prove its key.
    #[error("the question to the chip is none of chip authentication")]
    Question,
}

impl<'t> ChipReader<'t> {
    /// Opens a chip: with PACE where it offers it, else, or where that fails, with basic access
    /// control.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn open(
        transport: &'t mut dyn Transport,
        access: &AccessKey,
        rng: &mut impl CryptoRng,
    ) -> Result<ChipReader<'t>, ReadError> {
        let infos = card_access(transport)?;
        let (channel, access) = match by_pace(transport, &infos, access, rng) {
            Ok((mut channel, protocol)) => {
                select_within(transport, &mut channel)?;
                (channel, protocol)
            }
            Err(ReadError::Transport(error)) => return Err(error.into()),
            Err(refusal) => {
                let basic = BasicAccess::new(access).ok_or(refusal)?;
                let channel = basic_access(transport, &basic, rng)?;
                (channel, "basic access control".to_owned())
            }
        };
        Ok(ChipReader {
            transport,
            channel,
            access,
        })
    }

    /// How it was opened, as people write it.
    #[must_use]
    pub fn access(&self) -> &str {
        &self.access
    }

    /// Reads a file; `None` where the chip does not have it, or shows it to nobody without more
    /// rights. `progress` is told how many octets of how many there are.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn read(
        &mut self,
        file: File,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
        let [high, low] = file.identifier().to_be_bytes();
        let select = Command::new(SELECT, [BY_FILE, NO_ANSWER], &[high, low]);
        // Chips have many ways to say that a file is not there, or is shut to everybody.
        if self.send(&select)?.status != Status::SUCCESS {
            return Ok(None);
        }
        let mut content = Zeroizing::new(Vec::new());
        let mut total = HEAD_LEN;
        let mut parts = 0_usize;
        while content.len() < total {
            let wanted = total.saturating_sub(content.len()).min(SHORT_ANSWER);
            let part = self.read_part(content.len(), wanted)?;
            parts += 1;
            // Nor may a chip keep its reader for as long as it likes.
            let slow = parts > PARTS_MAX && parts > content.len() / SHORT_PART;
            if part.is_empty() || part.len() > wanted || slow {
                return Err(TlvError::Truncated.into());
            }
            if content.is_empty() {
                total = tlv::whole_len(&part)?;
                if total > FILE_MAX_LEN {
                    return Err(ReadError::TooLarge);
                }
                content.reserve_exact(total.saturating_add(SHORT_ANSWER));
            }
            content.extend_from_slice(&part);
            progress(content.len().min(total), total);
        }
        content.truncate(total);
        Ok(Some(content))
    }

    fn read_part(&mut self, offset: usize, wanted: usize) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let [.., high, low] = offset.to_be_bytes();
        let command = if high < 0x80 && offset <= 0x7FFF {
            Command::new(READ_BINARY, [high, low], &[]).expecting(wanted)
        } else {
            // Further than the parameters reach: the offset is a data object, and so is the answer.
            let [.., third, high, low] = offset.to_be_bytes();
            let offset = tlv::element(OFFSET, &[&[third, high, low]]);
            let wanted = wanted.saturating_add(4).min(SHORT_ANSWER);
            Command::new(READ_BINARY_OBJECT, [0, 0], &offset).expecting(wanted)
        };
        let answer = self.send(&command)?;
        if !matches!(answer.status, Status::SUCCESS | Status::END_OF_FILE) {
            return Err(ReadError::Refused("read a file", answer.status));
        }
        if command.instruction == READ_BINARY {
            return Ok(answer.data);
        }
        let object = tlv::single(&answer.data, DISCRETIONARY)?;
        Ok(Zeroizing::new(object.value.to_vec()))
    }

    /// Active authentication: the chip's signature over a challenge, `signature_len` octets.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn sign(
        &mut self,
        challenge: &Challenge,
        signature_len: usize,
    ) -> Result<Vec<u8>, ReadError> {
        let expected = if signature_len <= SHORT_ANSWER {
            SHORT_LE
        } else {
            EXTENDED_LE
        };
        let command = Command::new(INTERNAL_AUTHENTICATE, [0, 0], challenge).expecting(expected);
        let answer = self.send(&command)?;
        match answer.status {
            Status::SUCCESS => Ok(answer.data.to_vec()),
            status => Err(ReadError::Refused("sign the challenge", status)),
        }
    }

    /// Chip authentication: passes the question of whoever relies on the document on to the chip, if
    /// it is one for the chip of these protocols (EF.DG14, of which the hash is signed);
    /// the result is the chip's answer to the question's command, which only the asker can open.
    /// The chip then speaks with the asker's keys, so this is the last step.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn ask(
        mut self,
        question: &ChipQuestion,
        protocols: &SecurityInfos,
    ) -> Result<Vec<u8>, ReadError> {
        let fits = question.only_selects() && protocols.fits(question);
        let agreement = question.agreement().filter(|_| fits);
        for command in agreement.ok_or(ReadError::Question)? {
            let status = self.send(&command)?.status;
            if status != Status::SUCCESS {
                return Err(ReadError::Refused("agree on keys", status));
            }
        }
        // A copy answers with a bare status as a rule; whoever asks judges that.
        Ok(self.transport.transmit(&question.command)?.to_vec())
    }

    fn send(&mut self, command: &Command) -> Result<Answer, ReadError> {
        send(self.transport, &mut self.channel, command)
    }
}

/// Sends a command within a channel.
fn send(
    transport: &mut dyn Transport,
    channel: &mut SecureMessaging,
    command: &Command,
) -> Result<Answer, ReadError> {
    let octets = transport.transmit(&channel.protect(command))?;
    let answer = Answer::decode(&octets).ok_or(TlvError::Truncated)?;
    if answer.data.is_empty() {
        return Err(ReadError::Refused(
            "go on: it ended the session",
            answer.status,
        ));
    }
    Ok(channel.open(&answer)?)
}

impl File {
    /// Source: ICAO Doc 9303-10, 8th edition, §4.6 and §4.7.
    pub(crate) fn identifier(self) -> u16 {
        match self {
            File::Com => 0x011E,
            File::Sod => 0x011D,
            File::Group(number) => 0x0100 | u16::from(number),
        }
    }
}

/// Answers shorter than this are the exception.
const SHORT_PART: usize = 64;
const PARTS_MAX: usize = 64;
/// More than a chip holds.
const FILE_MAX_LEN: usize = 1 << 20;
/// Enough for tag and length of every file, and not longer than the shortest one.
const HEAD_LEN: usize = 6;

// Instructions and data objects. Source: ICAO Doc 9303-10, 8th edition, §3.6; 9303-11 §6.
pub(crate) const READ_BINARY: u8 = 0xB0;
pub(crate) const READ_BINARY_OBJECT: u8 = 0xB1;
pub(crate) const INTERNAL_AUTHENTICATE: u8 = 0x88;
pub(crate) const OFFSET: u32 = 0x54;
pub(crate) const DISCRETIONARY: u32 = 0x53;

#[cfg(test)]
mod tests;
