//! The chip access procedure: from a chip in the field to a channel with it.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.2.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::read_binary::read_selected;
use super::{ReadError, send};
use crate::access::AccessKey;
use crate::apdu::{Answer, Command, SHORT_LE, Status};
use crate::bac::{BasicAccess, Drawn};
use crate::chip_authentication::{BY_FILE, DYNAMIC_DATA, GENERAL_AUTHENTICATE, NO_ANSWER, SELECT};
use crate::pace::Pace;
use crate::secure_messaging::{NotAuthentic, SecureMessaging};
use crate::security_info::{Mapping, PaceInfo, SecurityInfos};
use crate::tlv::{self, TlvError};
use crate::transport::Transport;

/// Opens the chip with the first of its protocols that it begins; with the channel comes what people
/// call the protocol.
pub(super) fn by_pace(
    transport: &mut dyn Transport,
    infos: &SecurityInfos,
    access: &AccessKey,
    rng: &mut impl CryptoRng,
) -> Result<(SecureMessaging, String), ReadError> {
    let mut refusal = ReadError::NoAccess;
    for pace in offered(infos, access) {
        match establish(transport, &pace, rng) {
            Ok(channel) => return Ok((channel, pace.info.name())),
            // A protocol that the chip offers and does not begin leaves the next one to try; a wrong
            // password would be as wrong there, and some chips count.
            Err(error @ ReadError::Refused(..)) => refusal = error,
            Err(error) => return Err(error),
        }
    }
    Err(refusal)
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

/// The content of EF.CardAccess, empty where it cannot be read; `None` where the chip does not have
/// the file.
pub(super) fn card_access(
    transport: &mut dyn Transport,
) -> Result<Option<Zeroizing<Vec<u8>>>, ReadError> {
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
        return Ok(None);
    }
    let read = read_selected(
        &mut |command| plain(transport, command),
        CARD_ACCESS_MAX_LEN,
        &mut |_, _| {},
    );
    match read {
        Err(ReadError::Transport(error)) => Err(error.into()),
        Ok(content) => Ok(content),
        // The chip may still open in the older way.
        Err(_) => Ok(Some(Zeroizing::default())),
    }
}

/// Selects the application and opens it. Source: ICAO Doc 9303-11, 8th edition, §4.3.4.
pub(super) fn basic_access(
    transport: &mut dyn Transport,
    basic: &BasicAccess,
    rng: &mut impl CryptoRng,
) -> Result<SecureMessaging, ReadError> {
    is_application(plain(transport, &select_application())?.status)?;
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
    let generator = map(transport, pace, &nonce, rng)?.ok_or_else(malformed)?;
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

/// The generator that chip and reader map the nonce to; `None` where there is none. Source: ICAO Doc
/// 9303-11, 8th edition, §4.4.3.3.
fn map(
    transport: &mut dyn Transport,
    pace: &Pace<'_>,
    nonce: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Option<Vec<u8>>, ReadError> {
    let malformed = || ReadError::Form(TlvError::Malformed);
    Ok(match pace.info.mapping {
        Mapping::Generic | Mapping::ChipAuthentication => {
            let own = pace.draw(None, rng).ok_or_else(malformed)?;
            let chip = step(transport, Some((MAP, &own.public)), MAPPED)?;
            let shared = pace.shared(&own, &chip).ok_or_else(malformed)?;
            pace.generic(nonce, &shared)
        }
        Mapping::Integrated => {
            let mut own = Zeroizing::new(vec![0; pace.info.cipher.key_len()]);
            rng.fill_bytes(&mut own);
            step(transport, Some((MAP, &own)), MAPPED)?;
            pace.integrated(nonce, &own)
        }
    })
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

/// Selects the application within a channel that was established in the master file.
pub(super) fn select_within(
    transport: &mut dyn Transport,
    channel: &mut SecureMessaging,
) -> Result<(), ReadError> {
    is_application(send(transport, channel, &select_application())?.status)
}

/// Source: ICAO Doc 9303-10, 8th edition, §4.1.
fn select_application() -> Command {
    Command::new(SELECT, [BY_NAME, NO_ANSWER], &APPLICATION)
}

fn is_application(selected: Status) -> Result<(), ReadError> {
    match selected {
        Status::SUCCESS => Ok(()),
        _ => Err(ReadError::OtherApplication),
    }
}

fn plain(transport: &mut dyn Transport, command: &Command) -> Result<Answer, ReadError> {
    let octets = transport.transmit(&command.encode())?;
    Ok(Answer::decode(&octets).ok_or(TlvError::Truncated)?)
}

const CARD_ACCESS_MAX_LEN: usize = 1 << 13;
/// The travel document application.
pub(crate) const APPLICATION: [u8; 7] = [0xA0, 0x00, 0x00, 0x02, 0x47, 0x10, 0x01];
pub(crate) const CARD_ACCESS: [u8; 2] = [0x01, 0x1C];
const MASTER_FILE: [u8; 2] = [0x3F, 0x00];

// Instructions and parameters. Source: ICAO Doc 9303-10, 8th edition, §3.6; 9303-11 §4.
pub(crate) const BY_NAME: u8 = 0x04;
pub(crate) const GET_CHALLENGE: u8 = 0x84;
pub(crate) const EXTERNAL_AUTHENTICATE: u8 = 0x82;
pub(crate) const CHAINED: u8 = 0x10;

// Data objects of PACE. Source: ICAO Doc 9303-11, 8th edition, §4.4.5.
pub(crate) const NONCE: u32 = 0x80;
pub(crate) const MAP: u32 = 0x81;
pub(crate) const MAPPED: u32 = 0x82;
pub(crate) const KEY: u32 = 0x83;
pub(crate) const CHIP_KEY: u32 = 0x84;
pub(crate) const TOKEN: u32 = 0x85;
pub(crate) const CHIP_TOKEN: u32 = 0x86;
