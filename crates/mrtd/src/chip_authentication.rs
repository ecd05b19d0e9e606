//! Chip authentication: reader and chip agree on keys, which only the chip that has the private
//! key of the signed public one can do. Other than a signature it proves nothing to others.
//!
//! Whoever relies on the document may be elsewhere than the reader: it draws the key and opens the
//! chip's first answer, the reader only passes both on.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §6.2 (version 1 of BSI TR-03110).

use rand_core::CryptoRng;
use thiserror::Error;

use crate::apdu::{Answer, Command, SHORT_LE};
use crate::cipher::Cipher;
use crate::curve::coordinate;
use crate::secure_messaging::SecureMessaging;
use crate::security_info::{CA_ECDH, ChipKey, SecurityInfos};
use crate::tlv;

/// Whoever relies on the document, between question and answer.
pub struct ChipAuthentication {
    channel: SecureMessaging,
}

/// What the reader passes on to the chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipQuestion {
    /// The cipher: its number within the protocol's identifier, 1 (triple DES) to 4 (AES-256).
    pub cipher: u8,
    /// Which of its keys the chip uses, where it has several.
    pub key_id: Option<Vec<u8>>,
    /// The public key, an uncompressed point.
    pub public_key: Vec<u8>,
    /// A command under the new keys: it selects a file that every chip has.
    pub command: Vec<u8>,
}

/// Why chip authentication fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ChipAuthError {
    /// The chip has no key and protocol that are known here.
    #[error("the chip has no known protocol of chip authentication")]
    NotOffered,
    /// The chip's answer is not under the keys that it alone can find.
    #[error("the chip does not have the private key")]
    Answer,
}

impl ChipAuthentication {
    /// Draws a key for one run with the chip of these protocols, and the question that the reader
    /// passes on.
    ///
    /// # Errors
    ///
    /// [`ChipAuthError::NotOffered`].
    pub fn begin(
        protocols: &SecurityInfos,
        rng: &mut impl CryptoRng,
    ) -> Result<(ChipAuthentication, ChipQuestion), ChipAuthError> {
        let offer = protocols.strongest().ok_or(ChipAuthError::NotOffered)?;
        let (cipher, key, key_id) = (offer.cipher, offer.key, offer.key_id.map(<[u8]>::to_vec));
        let curve = key.curve.arithmetic();
        let secret = curve.draw(rng);
        let public_key = curve.point_of(&secret).ok_or(ChipAuthError::NotOffered)?;
        let shared = curve.multiply(&key.point, &secret);
        let shared = shared.ok_or(ChipAuthError::NotOffered)?;
        let mut channel = SecureMessaging::new(cipher.session_keys(coordinate(&shared)));
        let command = channel.protect(&select_zone()).to_vec();
        let question = ChipQuestion {
            cipher: cipher.protocol_number(),
            key_id,
            public_key,
            command,
        };
        Ok((ChipAuthentication { channel }, question))
    }

    /// Checks the chip's answer to the question's command: data and status as they came.
    ///
    /// # Errors
    ///
    /// [`ChipAuthError::Answer`].
    pub fn verify(mut self, answer: &[u8]) -> Result<(), ChipAuthError> {
        let answer = Answer::decode(answer).ok_or(ChipAuthError::Answer)?;
        // Whatever it answers: only the chip makes the code over it.
        let opened = self.channel.open(&answer);
        opened.map(drop).map_err(|_| ChipAuthError::Answer)
    }
}

impl SecurityInfos {
    /// Whether the chip's first key can be used with a protocol that is known here.
    #[must_use]
    pub fn offers_chip_authentication(&self) -> bool {
        self.strongest().is_some()
    }

    /// As people write it: `ECDH brainpoolP256r1 with AES-128`.
    #[must_use]
    pub fn chip_authentication_name(&self) -> Option<String> {
        let Offer { cipher, key, .. } = self.strongest()?;
        Some(format!("ECDH {} with {}", key.curve.name(), cipher.name()))
    }

    /// Whether a question is one for this chip: a cipher and key that it offers, and a point of the
    /// key's curve. A chip that does not look at the point would give its key away bit by bit.
    pub(crate) fn fits(&self, question: &ChipQuestion) -> bool {
        let key_id = question.key_id.as_deref();
        self.offers().any(|offer| {
            let cipher = offer.cipher.protocol_number() == question.cipher;
            let point = question.public_key.first() == Some(&4)
                && offer.key.curve.arithmetic().is_point(&question.public_key);
            cipher && offer.key_id == key_id && point
        })
    }

    fn strongest(&self) -> Option<Offer<'_>> {
        // The first of those that are as strong.
        let offers: Vec<_> = self.offers().collect();
        let offers = offers.into_iter().rev();
        offers.max_by_key(|offer| offer.cipher.protocol_number())
    }

    /// Each key with each cipher that it is for. A protocol that names no key is for the only one;
    /// a key without any protocol means triple DES.
    ///
    /// Source: §9.2.5 and §9.2.6.
    fn offers(&self) -> impl Iterator<Item = Offer<'_>> {
        let only = self.chip_keys.len() == 1;
        self.chip_keys.iter().flat_map(move |key| {
            let protocols = self.chip_protocols.iter();
            let fitting = protocols.filter(move |protocol| match &protocol.key_id {
                Some(id) => key.key_id.as_ref() == Some(id),
                None => only || key.key_id.is_none(),
            });
            let named = fitting.map(|protocol| Offer {
                cipher: protocol.cipher,
                key,
                key_id: protocol.key_id.as_deref(),
            });
            let alone = self.chip_protocols.is_empty().then_some(Offer {
                cipher: Cipher::TripleDes,
                key,
                key_id: key.key_id.as_deref(),
            });
            named.chain(alone)
        })
    }
}

/// One way of chip authentication.
struct Offer<'a> {
    cipher: Cipher,
    key: &'a ChipKey,
    /// What the chip is told of the key.
    key_id: Option<&'a [u8]>,
}

impl ChipQuestion {
    /// The commands with which the chip agrees on the new keys, for the channel that the reader
    /// has; `None` where the question is none that can be asked for that chip.
    pub(crate) fn agreement(&self) -> Option<Vec<Command>> {
        let cipher = Cipher::from_protocol_number(self.cipher)?;
        let key_id = self.key_id.as_ref().map(|id| tlv::element(KEY_ID, &[id]));
        let key_id = key_id.unwrap_or_default();
        if cipher == Cipher::TripleDes {
            let key = tlv::element(EPHEMERAL_KEY, &[&self.public_key]);
            let data = [key, key_id].concat();
            return Some(vec![Command::new(
                MANAGE_SECURITY,
                SET_KEY_AGREEMENT,
                &data,
            )]);
        }
        let protocol = CA_ECDH.push_arc(self.cipher.into()).ok()?;
        let protocol = tlv::element(PROTOCOL, &[protocol.as_bytes()]);
        let data = [protocol, key_id].concat();
        let key = tlv::element(PUBLIC_KEY, &[&self.public_key]);
        let key = tlv::element(DYNAMIC_DATA, &[&key]);
        Some(vec![
            Command::new(MANAGE_SECURITY, SET_AUTHENTICATION, &data),
            Command::new(GENERAL_AUTHENTICATE, [0, 0], &key).expecting(SHORT_LE),
        ])
    }

    /// Whether its command is the one that selects a file: nothing else is passed on, so that
    /// whoever asks cannot read what the reader would not send.
    pub(crate) fn only_selects(&self) -> bool {
        Command::decode(&self.command).is_some_and(|command| {
            let head = [command.class, command.instruction, command.p1, command.p2];
            head == [0x0C, SELECT, BY_FILE, NO_ANSWER]
        })
    }
}

/// Selects EF.DG1. Source: ICAO Doc 9303-10, 8th edition, §3.6.2 and §4.7.1.
fn select_zone() -> Command {
    Command::new(SELECT, [BY_FILE, NO_ANSWER], &[0x01, 0x01])
}

// Source: ICAO Doc 9303-11, 8th edition, §6.2.4 and ISO/IEC 7816-4.
pub(crate) const SELECT: u8 = 0xA4;
pub(crate) const BY_FILE: u8 = 0x02;
pub(crate) const NO_ANSWER: u8 = 0x0C;
pub(crate) const MANAGE_SECURITY: u8 = 0x22;
pub(crate) const GENERAL_AUTHENTICATE: u8 = 0x86;
pub(crate) const SET_KEY_AGREEMENT: [u8; 2] = [0x41, 0xA6];
pub(crate) const SET_AUTHENTICATION: [u8; 2] = [0x41, 0xA4];
pub(crate) const PROTOCOL: u32 = 0x80;
pub(crate) const PUBLIC_KEY: u32 = 0x80;
pub(crate) const KEY_ID: u32 = 0x84;
pub(crate) const EPHEMERAL_KEY: u32 = 0x91;
pub(crate) const DYNAMIC_DATA: u32 = 0x7C;
