//! A specimen's chip: it answers commands as the chip of a travel document does.
//!
//! Source: ICAO Doc 9303-10, 8th edition, §3.6; 9303-11, §4, §6 and §9.8.

use std::collections::BTreeMap;
use std::sync::Arc;

use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;

use super::chip_keys::ChipKeys;
use crate::access::AccessKey;
use crate::apdu::{Answer, Command, Status};
use crate::bac::{BasicAccess, Drawn};
use crate::chip_authentication::{
    BY_FILE, DYNAMIC_DATA, EPHEMERAL_KEY, GENERAL_AUTHENTICATE, MANAGE_SECURITY, PROTOCOL,
    PUBLIC_KEY, SELECT, SET_AUTHENTICATION, SET_KEY_AGREEMENT,
};
use crate::chip_reader::access_procedure::{
    APPLICATION, BY_NAME, CARD_ACCESS, CHAINED, EXTERNAL_AUTHENTICATE, GET_CHALLENGE,
};
use crate::chip_reader::read_binary::{READ_BINARY, READ_BINARY_OBJECT};
use crate::chip_reader::{File, INTERNAL_AUTHENTICATE};
use crate::curve::coordinate;
use crate::pace::SET_PACE;
use crate::secure_messaging::SecureMessaging;
use crate::security_info::CA_ECDH;
use crate::tlv;

mod pace;
mod read;

/// A chip with the files of a document and, where it is the original one, its private keys.
pub struct SpecimenChip {
    files: BTreeMap<u16, Vec<u8>>,
    passwords: Vec<AccessKey>,
    keys: Arc<ChipKeys>,
    state: State,
}

/// What a chip forgets when it leaves the field.
#[derive(Default)]
struct State {
    application: bool,
    selected: Option<u16>,
    channel: Option<SecureMessaging>,
    /// Comes into use after the answer to the command that agreed on it.
    next_channel: Option<SecureMessaging>,
    challenge: Option<Drawn>,
    agreeing: bool,
    pace: pace::Run,
}

impl SpecimenChip {
    /// A chip with these files, that opens for these passwords.
    #[must_use]
    pub fn new(
        files: impl IntoIterator<Item = (File, Vec<u8>)>,
        passwords: Vec<AccessKey>,
        keys: Arc<ChipKeys>,
    ) -> SpecimenChip {
        let files = files.into_iter();
        SpecimenChip {
            files: files
                .map(|(file, content)| (file.identifier(), content))
                .collect(),
            passwords,
            keys,
            state: State::default(),
        }
    }

    /// The chip leaves the field, or is put into it anew.
    pub fn reset(&mut self) {
        self.state = State::default();
    }

    /// Answers a command: data and status.
    pub fn answer(&mut self, command: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        let Some(command) = Command::decode(command) else {
            return Answer::status(Status::WRONG_LENGTH).encode();
        };
        let answer = if command.class & SECURE == SECURE {
            self.answer_protected(&command, rng)
        } else {
            self.state.channel = None; // an open command ends the session
            self.carry_out(&command, rng)
        };
        if let Some(next) = self.state.next_channel.take() {
            self.state.channel = Some(next);
        }
        answer.encode()
    }

    fn answer_protected(&mut self, command: &Command, rng: &mut impl CryptoRng) -> Answer {
        if self.refuses_unopened(command) {
            return Answer::status(Status::WRONG_LENGTH);
        }
        let Some(mut channel) = self.state.channel.take() else {
            return Answer::status(NOT_PROTECTED);
        };
        let Ok(opened) = channel.open_command(command) else {
            return Answer::status(NOT_PROTECTED); // and the session has ended
        };
        // Within the channel access is open.
        self.state.channel = Some(channel);
        let answer = self.carry_out(&opened, rng);
        match &mut self.state.channel {
            Some(channel) => channel.protect_answer(&answer, opened.instruction),
            None => answer,
        }
    }

    fn carry_out(&mut self, command: &Command, rng: &mut impl CryptoRng) -> Answer {
        let parameters = [command.p1, command.p2];
        match (command.instruction, parameters) {
            (SELECT, [BY_NAME, _]) => self.select_application(&command.data),
            (SELECT, [BY_FILE, _]) => self.select_file(&command.data),
            (READ_BINARY, offset) => self.read_binary(offset, command),
            (READ_BINARY_OBJECT, _) => self.read_object(command),
            (GET_CHALLENGE, _) => self.give_challenge(rng),
            (EXTERNAL_AUTHENTICATE, _) => self.basic_access(&command.data),
            (INTERNAL_AUTHENTICATE, _) => self.sign(&command.data, rng),
            (MANAGE_SECURITY, SET_PACE) => self.begin_pace(&command.data),
            (MANAGE_SECURITY, SET_AUTHENTICATION) => self.begin_agreement(&command.data),
            (MANAGE_SECURITY, SET_KEY_AGREEMENT) => self.agree(&command.data, EPHEMERAL_KEY),
            (GENERAL_AUTHENTICATE, _) => self.go_on(command, rng),
            _ => Answer::status(UNKNOWN_INSTRUCTION),
        }
    }

    fn select_application(&mut self, name: &[u8]) -> Answer {
        self.state.application = name == APPLICATION;
        self.state.selected = None;
        let found = self.state.application;
        Answer::status(if found {
            Status::SUCCESS
        } else {
            Status::NO_FILE
        })
    }

    fn select_file(&mut self, identifier: &[u8]) -> Answer {
        let open = identifier == CARD_ACCESS;
        if !open && !self.is_open() {
            return Answer::status(Status::NOT_SATISFIED);
        }
        let identifier = <[u8; 2]>::try_from(identifier).map(u16::from_be_bytes).ok();
        self.state.selected = identifier.filter(|file| self.content(*file).is_some());
        let found = self.state.selected.is_some();
        Answer::status(if found {
            Status::SUCCESS
        } else {
            Status::NO_FILE
        })
    }

    /// Whether the application is selected and the reader has gained access.
    fn is_open(&self) -> bool {
        self.state.application && self.state.channel.is_some()
    }

    fn content(&self, file: u16) -> Option<Vec<u8>> {
        if file == u16::from_be_bytes(CARD_ACCESS) {
            return self.keys.card_access();
        }
        self.files.get(&file).cloned()
    }

    fn give_challenge(&mut self, rng: &mut impl CryptoRng) -> Answer {
        let drawn = Drawn::draw(rng);
        let nonce = drawn.nonce.to_vec();
        self.state.challenge = Some(drawn);
        Answer::data(nonce)
    }

    fn basic_access(&mut self, request: &[u8]) -> Answer {
        let drawn = self.state.challenge.take();
        let mut keys = self.passwords.iter().filter_map(BasicAccess::new);
        let accepted = drawn.and_then(|drawn| keys.find_map(|key| key.accept(request, &drawn)));
        match accepted {
            Some((answer, channel)) => {
                self.state.next_channel = Some(channel);
                Answer::data(answer)
            }
            None => Answer::status(FAILED),
        }
    }

    fn sign(&self, challenge: &[u8], rng: &mut impl CryptoRng) -> Answer {
        if !self.is_open() {
            return Answer::status(Status::NOT_SATISFIED);
        }
        let key = self.keys.active.as_ref().filter(|_| challenge.len() == 8);
        match key.and_then(|key| key.sign_challenge(challenge, rng)) {
            Some(signature) => Answer::data(signature),
            None => Answer::status(UNKNOWN_INSTRUCTION),
        }
    }

    /// Chip authentication with AES: the first of two commands.
    fn begin_agreement(&mut self, data: &[u8]) -> Answer {
        let protocol = object(data, PROTOCOL);
        let protocol = protocol.and_then(|octets| ObjectIdentifier::from_bytes(&octets).ok());
        let cipher = self.keys.agreement.as_ref().map(|key| key.cipher);
        let wanted =
            cipher.and_then(|cipher| CA_ECDH.push_arc(cipher.protocol_number().into()).ok());
        self.state.agreeing = self.is_open() && wanted.is_some() && protocol == wanted;
        Answer::status(if self.state.agreeing {
            Status::SUCCESS
        } else {
            WRONG_DATA
        })
    }

    /// Chip authentication: new keys from the reader's public one.
    fn agree(&mut self, data: &[u8], tag: u32) -> Answer {
        let key = self.keys.agreement.as_ref().filter(|_| self.is_open());
        let shared = key.and_then(|key| {
            let point = object(data, tag).filter(|point| point.first() == Some(&4))?;
            let shared = key.curve.arithmetic().multiply(&point, &key.secret)?;
            Some(key.cipher.session_keys(coordinate(&shared)))
        });
        match shared {
            Some(keys) => {
                self.state.next_channel = Some(SecureMessaging::new(keys));
                Answer::status(Status::SUCCESS)
            }
            None => Answer::status(WRONG_DATA),
        }
    }

    /// GENERAL AUTHENTICATE, of chip authentication or of PACE.
    fn go_on(&mut self, command: &Command, rng: &mut impl CryptoRng) -> Answer {
        if !std::mem::take(&mut self.state.agreeing) {
            return self.pace_step(command, rng);
        }
        let Ok(dynamic) = tlv::single(&command.data, DYNAMIC_DATA) else {
            return Answer::status(WRONG_DATA);
        };
        let answer = self.agree(dynamic.value, PUBLIC_KEY);
        match answer.status {
            Status::SUCCESS => Answer::data(tlv::element(DYNAMIC_DATA, &[])),
            _ => answer,
        }
    }
}

/// The value of the first object with a tag.
fn object(data: &[u8], tag: u32) -> Option<Vec<u8>> {
    let objects = tlv::Reader::new(data).all().ok()?;
    let object = objects.into_iter().find(|object| object.tag == tag)?;
    Some(object.value.to_vec())
}

const SECURE: u8 = 0x0C;

// Source: ISO/IEC 7816-4 §5.6.
const FAILED: Status = Status(0x6300);
const NOT_PROTECTED: Status = Status(0x6988);
const WRONG_DATA: Status = Status(0x6A80);
const UNKNOWN_INSTRUCTION: Status = Status(0x6D00);
