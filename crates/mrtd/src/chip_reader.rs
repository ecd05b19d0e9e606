//! Reading a chip: access, files, and the chip's proof that it is the original one.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.2 (chip access procedure); 9303-10 §3.6 (commands).

use rand_core::CryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::access::AccessKey;
use crate::active::Challenge;
use crate::apdu::{Answer, Command, EXTENDED_LE, SHORT_LE, Status};
use crate::bac::{BasicAccess, Drawn};
use crate::chip_authentication::{
    BY_FILE, ChipQuestion, DYNAMIC_DATA, GENERAL_AUTHENTICATE, NO_ANSWER, SELECT,
};
use crate::pace::Pace;
use crate::secure_messaging::{NotAuthentic, SHORT_ANSWER, SecureMessaging};
use crate::security_info::{Mapping, PaceInfo, SecurityInfos};
use crate::tlv::{self, TlvError};
use crate::transport::{Transport, TransportError};

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
        let basic = BasicAccess::new(access);
        let mut refusal = ReadError::NoAccess;
        for pace in offered(&infos, access) {
            match establish(transport, &pace, rng) {
                Ok(channel) => {
                    let mut reader = ChipReader {
                        transport,
                        channel,
                        access: pace.name(),
                    };
                    let selected = reader.send(&select_application())?;
                    return match selected.status {
                        Status::SUCCESS => Ok(reader),
                        _ => Err(ReadError::OtherApplication),
                    };
                }
                Err(ReadError::Transport(error)) => return Err(error.into()),
                Err(error) => refusal = error,
            }
            // A protocol that the chip offers and does not begin leaves the next one to try; a wrong
            // password would be as wrong there, and some chips count.
            if !matches!(refusal, ReadError::Refused(..)) {
                break;
            }
        }
        let Some(basic) = basic else {
            return Err(refusal);
        };
        let selected = plain(transport, &select_application())?;
        if selected.status != Status::SUCCESS {
            return Err(ReadError::OtherApplication);
        }
        let channel = basic_access(transport, &basic, rng)?;
        Ok(ChipReader {
            transport,
            channel,
            access: "basic access control".to_owned(),
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
        let octets = self.transport.transmit(&self.channel.protect(command))?;
        let answer = Answer::decode(&octets).ok_or(TlvError::Truncated)?;
        if answer.data.is_empty() {
            return Err(ReadError::Refused(
                "go on: it ended the session",
                answer.status,
            ));
        }
        Ok(self.channel.open(&answer)?)
    }
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

/// The protocols of a chip that are known here, the strongest first; the mapping that shows the
/// chip's key is judged by nobody here, and comes last.
fn offered<'i>(infos: &'i SecurityInfos, access: &AccessKey) -> Vec<Pace<'i>> {
    let mut offered: Vec<&PaceInfo> = infos.pace.iter().collect();
    offered.sort_by_key(|info| {
        let shows_key = info.mapping == Mapping::ChipAuthentication;
        (shows_key, core::cmp::Reverse(info.cipher.protocol_number()))
    });
    let known = offered
        .into_iter()
        .filter_map(|info| Pace::new(info, access));
    known.collect()
}

fn plain(transport: &mut dyn Transport, command: &Command) -> Result<Answer, ReadError> {
    let octets = transport.transmit(&command.encode())?;
    Ok(Answer::decode(&octets).ok_or(TlvError::Truncated)?)
}

/// The protocols of EF.CardAccess; none where the chip does not have the file.
fn card_access(transport: &mut dyn Transport) -> Result<SecurityInfos, ReadError> {
    let select = Command::new(SELECT, [BY_FILE, NO_ANSWER], &CARD_ACCESS);
    let mut selected = plain(transport, &select)?.status;
    if selected != Status::SUCCESS {
        // Where something has selected the application already the file is not found.
        plain(
            transport,
            &Command::new(SELECT, [0, NO_ANSWER], &MASTER_FILE),
        )?;
        selected = plain(transport, &select)?.status;
    }
    if selected != Status::SUCCESS {
        return Ok(SecurityInfos::default());
    }
    let mut content = Vec::new();
    let mut total = HEAD_LEN;
    while content.len() < total {
        let [.., high, low] = content.len().to_be_bytes();
        let wanted = total.saturating_sub(content.len()).min(SHORT_ANSWER);
        let command = Command::new(READ_BINARY, [high, low], &[]).expecting(wanted);
        let answer = plain(transport, &command)?;
        if content.is_empty() {
            let whole = tlv::whole_len(&answer.data).unwrap_or(usize::MAX);
            total = whole.min(CARD_ACCESS_MAX_LEN);
        }
        if answer.data.is_empty() || answer.data.len() > wanted {
            break;
        }
        content.extend_from_slice(&answer.data);
    }
    content.truncate(total);
    // A list that nobody can read offers nothing; the chip may still open in the older way.
    Ok(SecurityInfos::parse(&content).unwrap_or_default())
}

/// Source: ICAO Doc 9303-11, 8th edition, §4.3.4.
fn basic_access(
    transport: &mut dyn Transport,
    basic: &BasicAccess,
    rng: &mut impl CryptoRng,
) -> Result<SecureMessaging, ReadError> {
    let challenge = plain(
        transport,
        &Command::new(GET_CHALLENGE, [0, 0], &[]).expecting(8),
    )?;
    let chip_nonce = <[u8; 8]>::try_from(challenge.data.as_slice());
    let chip_nonce =
        chip_nonce.map_err(|_| ReadError::Refused("give a challenge", challenge.status))?;
    let drawn = Drawn::draw(rng);
    let request = basic.request(&drawn, &chip_nonce);
    let command = Command::new(EXTERNAL_AUTHENTICATE, [0, 0], &request).expecting(request.len());
    let answer = plain(transport, &command)?;
    if answer.status != Status::SUCCESS {
        return Err(ReadError::WrongPassword);
    }
    basic
        .finish(&drawn, &chip_nonce, &answer.data)
        .ok_or(ReadError::NotAuthentic(NotAuthentic))
}

/// Source: ICAO Doc 9303-11, 8th edition, §4.4.1.
fn establish(
    transport: &mut dyn Transport,
    pace: &Pace<'_>,
    rng: &mut impl CryptoRng,
) -> Result<SecureMessaging, ReadError> {
    let begun = plain(transport, &pace.begin())?;
    // Some chips warn here of few tries that are left.
    if begun.status != Status::SUCCESS && begun.status.0 & 0xFFF0 != 0x63C0 {
        return Err(ReadError::Refused("begin PACE", begun.status));
    }
    let malformed = || ReadError::Form(TlvError::Malformed);
    let encrypted = step(transport, None, NONCE)?;
    let nonce = pace.nonce(&encrypted).ok_or_else(malformed)?;
    let generator = match pace.info.mapping {
        Mapping::Generic | Mapping::ChipAuthentication => {
            let own = pace.draw(None, rng).ok_or_else(malformed)?;
            let chip = step(transport, Some((MAP, &own.public)), MAPPED)?;
            let shared = pace.shared(&own, &chip).ok_or_else(malformed)?;
            pace.generic(&nonce, &shared)
        }
        Mapping::Integrated => {
            let mut own = Zeroizing::new(vec![0; pace.info.cipher.key_len()]);
            rng.fill_bytes(&mut own);
            step(transport, Some((MAP, &own)), MAPPED)?;
            pace.integrated(&nonce, &own)
        }
    };
    let generator = generator.ok_or_else(malformed)?;
    let own = pace.draw(Some(&generator), rng).ok_or_else(malformed)?;
    let chip = step(transport, Some((KEY, &own.public)), CHIP_KEY)?;
    let shared = pace.shared(&own, &chip).ok_or_else(malformed)?;
    let keys = pace.session_keys(&shared);
    let token = step(
        transport,
        Some((TOKEN, &pace.token(&keys, &chip))),
        CHIP_TOKEN,
    )?;
    if !pace.is_token(&keys, &own.public, &token) {
        return Err(NotAuthentic.into());
    }
    Ok(SecureMessaging::new(keys))
}

/// One GENERAL AUTHENTICATE; all but the last are chained.
fn step(
    transport: &mut dyn Transport,
    object: Option<(u32, &[u8])>,
    answer_tag: u32,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let data = object.map(|(tag, value)| tlv::element(tag, &[value]));
    let data = tlv::element(DYNAMIC_DATA, &[&data.unwrap_or_default()]);
    let mut command = Command::new(GENERAL_AUTHENTICATE, [0, 0], &data).expecting(SHORT_LE);
    let last = answer_tag == CHIP_TOKEN;
    command.class = if last { 0 } else { CHAINED };
    let answer = plain(transport, &command)?;
    match answer.status {
        Status::SUCCESS => {}
        // With another password the tokens differ, and some chips notice with the keys.
        _ if last || answer_tag == CHIP_KEY => return Err(ReadError::WrongPassword),
        status => return Err(ReadError::Refused("go on with PACE", status)),
    }
    let objects = tlv::single(&answer.data, DYNAMIC_DATA)?.inside().all()?;
    let object = objects.iter().find(|object| object.tag == answer_tag);
    let object = object.ok_or(TlvError::Tag(answer_tag))?;
    Ok(Zeroizing::new(object.value.to_vec()))
}

/// Source: ICAO Doc 9303-10, 8th edition, §4.1.
fn select_application() -> Command {
    Command::new(SELECT, [BY_NAME, NO_ANSWER], &APPLICATION)
}

/// Answers shorter than this are the exception.
const SHORT_PART: usize = 64;
const PARTS_MAX: usize = 64;
/// More than a chip holds.
const FILE_MAX_LEN: usize = 1 << 20;
const CARD_ACCESS_MAX_LEN: usize = 1 << 13;
/// Enough for tag and length of every file, and not longer than the shortest one.
const HEAD_LEN: usize = 6;
/// The travel document application.
pub(crate) const APPLICATION: [u8; 7] = [0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01];
pub(crate) const CARD_ACCESS: [u8; 2] = [0x01, 0x1C];
const MASTER_FILE: [u8; 2] = [0x3F, 0x00];

// Instructions and parameters. Source: ICAO Doc 9303-10, 8th edition, §3.6; 9303-11 §4 and §6.
pub(crate) const BY_NAME: u8 = 0x04;
pub(crate) const READ_BINARY: u8 = 0xB0;
pub(crate) const READ_BINARY_OBJECT: u8 = 0xB1;
pub(crate) const GET_CHALLENGE: u8 = 0x84;
pub(crate) const EXTERNAL_AUTHENTICATE: u8 = 0x82;
pub(crate) const INTERNAL_AUTHENTICATE: u8 = 0x88;
pub(crate) const CHAINED: u8 = 0x10;
pub(crate) const OFFSET: u32 = 0x54;
pub(crate) const DISCRETIONARY: u32 = 0x53;

// Data objects of PACE. Source: ICAO Doc 9303-11, 8th edition, §4.4.5.
pub(crate) const NONCE: u32 = 0x80;
pub(crate) const MAP: u32 = 0x81;
pub(crate) const MAPPED: u32 = 0x82;
pub(crate) const KEY: u32 = 0x83;
pub(crate) const CHIP_KEY: u32 = 0x84;
pub(crate) const TOKEN: u32 = 0x85;
pub(crate) const CHIP_TOKEN: u32 = 0x86;

#[cfg(test)]
mod tests;
