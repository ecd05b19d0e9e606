//! Reading a chip: files, and the chip's proof that it is the original one.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §3.6 (commands); 9303-11 §6.

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use self::access_procedure::{basic_access, by_pace, card_access, select_within};
use self::read_binary::read_selected;
use crate::access::AccessKey;
use crate::active::Challenge;
use crate::apdu::{Answer, Command, EXTENDED_LE, SHORT_LE, Status};
use crate::bac::BasicAccess;
use crate::chip_authentication::{BY_FILE, ChipQuestion, NO_ANSWER, SELECT};
use crate::secure_messaging::{NotAuthentic, SHORT_ANSWER, SecureMessaging};
use crate::security_info::SecurityInfos;
use crate::tlv::TlvError;
use crate::transport::{Transport, TransportError};

pub(crate) mod access_procedure;
pub(crate) mod read_binary;

/// A chip that let its reader in.
pub struct ChipReader<'t> {
    transport: &'t mut dyn Transport,
    channel: SecureMessaging,
    access: String,
    card_access: Option<Zeroizing<Vec<u8>>>,
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
    /// The chip answers without protection, which ends the session.
    #[error("the chip ended the session: status {0}")]
    Ended(Status),
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
        let card_access = card_access(transport)?;
        // A list that is not there, or that nobody can read, offers nothing.
        let infos = card_access.as_ref();
        let infos = infos.and_then(|content| SecurityInfos::parse(content).ok());
        let infos = infos.unwrap_or_default();
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
            card_access,
        })
    }

    /// How it was opened, as people write it.
    #[must_use]
    pub fn access(&self) -> &str {
        &self.access
    }

    /// What EF.CardAccess said before there was a channel, empty where it cannot be read; `None` where
    /// the chip does not have the file. [`CardAccess::compare`](crate::CardAccess::compare) says
    /// whether it is signed.
    #[must_use]
    pub fn card_access(&self) -> Option<&[u8]> {
        self.card_access.as_ref().map(|content| content.as_slice())
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
        read_selected(
            &mut |command| self.send_uncounted(command),
            FILE_MAX_LEN,
            progress,
        )
    }

    /// Sends a command that the chip may refuse for its length before it opens it. That is none of
    /// the errors that end a channel (9303-11 §9.8.3), and the chip has not counted the command;
    /// where it has, the next answer ends the reading.
    fn send_uncounted(&mut self, command: &Command) -> Result<Answer, ReadError> {
        match self.send(command) {
            Err(ReadError::Ended(status)) if status.is_wrong_length() => {
                self.channel.uncount();
                Ok(Answer::status(status))
            }
            answer => answer,
        }
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
        return Err(ReadError::Ended(answer.status));
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

/// More than a chip holds.
const FILE_MAX_LEN: usize = 1 << 20;
/// Source: ICAO Doc 9303-11, 8th edition, §6.1.3.
pub(crate) const INTERNAL_AUTHENTICATE: u8 = 0x88;

#[cfg(test)]
mod tests;
