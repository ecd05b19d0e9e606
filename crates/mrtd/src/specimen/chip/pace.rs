//! The chip's side of PACE.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §4.4.

use der::asn1::ObjectIdentifier;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{CHAINED, FAILED, SpecimenChip, WRONG_DATA, object};
use crate::apdu::{Answer, Command, Status};
use crate::chip_authentication::{DYNAMIC_DATA, PROTOCOL};
use crate::chip_reader::access_procedure::{CHIP_KEY, CHIP_TOKEN, KEY, MAP, MAPPED, NONCE, TOKEN};
use crate::cipher::SessionKeys;
use crate::pace::{PASSWORD, Pace};
use crate::secure_messaging::SecureMessaging;
use crate::security_info::Mapping;
use crate::tlv;

/// How far a run has come; any mistake begins it anew.
#[derive(Default)]
pub(super) enum Run {
    #[default]
    Idle,
    Begun(usize),
    Nonce(usize, Zeroizing<Vec<u8>>),
    Mapped(usize, Vec<u8>),
    Agreed(usize, Agreed),
}

pub(super) struct Agreed {
    keys: SessionKeys,
    own: Vec<u8>,
    other: Vec<u8>,
}

impl SpecimenChip {
    pub(super) fn begin_pace(&mut self, data: &[u8]) -> Answer {
        self.state.pace = Run::Idle;
        let protocol = object(data, PROTOCOL);
        let protocol = protocol.and_then(|octets| ObjectIdentifier::from_bytes(&octets).ok());
        let offered = self.keys.pace.as_ref().map(|info| info.protocol);
        let reference = object(data, PASSWORD);
        let password = self
            .passwords
            .iter()
            .position(|key| reference.as_deref() == Some(&[key.reference()]));
        match password {
            Some(password) if offered.is_some() && protocol == offered => {
                self.state.pace = Run::Begun(password);
                Answer::status(Status::SUCCESS)
            }
            _ => Answer::status(WRONG_DATA),
        }
    }

    pub(super) fn pace_step(&mut self, command: &Command, rng: &mut impl CryptoRng) -> Answer {
        let run = std::mem::take(&mut self.state.pace);
        let last = command.class & CHAINED == 0;
        let inside = tlv::single(&command.data, DYNAMIC_DATA).map(|element| element.value);
        let answered = match (run, inside) {
            (Run::Begun(password), Ok(_)) if !last => self.send_nonce(password, rng),
            (Run::Nonce(password, nonce), Ok(data)) if !last => {
                self.map(password, &nonce, data, rng)
            }
            (Run::Mapped(password, generator), Ok(data)) if !last => {
                self.agree_on_session(password, &generator, data, rng)
            }
            (Run::Agreed(password, agreed), Ok(data)) if last => {
                self.finish(password, agreed, data)
            }
            _ => None,
        };
        match answered {
            Some((run, tag, value)) => {
                self.state.pace = run;
                let object = tlv::element(tag, &[&value]);
                Answer::data(tlv::element(DYNAMIC_DATA, &[&object]))
            }
            None => Answer::status(FAILED),
        }
    }

    fn pace(&self, password: usize) -> Option<Pace<'_>> {
        Pace::new(self.keys.pace.as_ref()?, self.passwords.get(password)?)
    }

    fn send_nonce(&self, password: usize, rng: &mut impl CryptoRng) -> Option<Step> {
        let pace = self.pace(password)?;
        // As long as a key, in whole blocks.
        let cipher = pace.info.cipher;
        let len = cipher.key_len().next_multiple_of(cipher.block_len());
        let mut nonce = Zeroizing::new(vec![0; len]);
        rng.fill_bytes(&mut nonce);
        let encrypted = pace.encrypted_nonce(&nonce);
        Some((Run::Nonce(password, nonce), NONCE, encrypted))
    }

    fn map(
        &self,
        password: usize,
        nonce: &[u8],
        data: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Option<Step> {
        let pace = self.pace(password)?;
        let reader = object(data, MAP)?;
        let (generator, answer) = match pace.info.mapping {
            Mapping::Generic | Mapping::ChipAuthentication => {
                let own = pace.draw(None, rng)?;
                let shared = pace.shared(&own, &reader)?;
                (pace.generic(nonce, &shared)?, own.public)
            }
            Mapping::Integrated => (pace.integrated(nonce, &reader)?, Vec::new()),
        };
        Some((Run::Mapped(password, generator), MAPPED, answer))
    }

    fn agree_on_session(
        &self,
        password: usize,
        generator: &[u8],
        data: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Option<Step> {
        let pace = self.pace(password)?;
        let other = object(data, KEY)?;
        let own = pace.draw(Some(generator), rng)?;
        let shared = pace.shared(&own, &other)?;
        let agreed = Agreed {
            keys: pace.session_keys(&shared),
            own: own.public.clone(),
            other,
        };
        Some((Run::Agreed(password, agreed), CHIP_KEY, own.public))
    }

    fn finish(&mut self, password: usize, agreed: Agreed, data: &[u8]) -> Option<Step> {
        let pace = self.pace(password)?;
        let Agreed { keys, own, other } = agreed;
        let token = object(data, TOKEN)?;
        if !pace.is_token(&keys, &own, &token) {
            return None;
        }
        let answer = pace.token(&keys, &other).to_vec();
        self.state.next_channel = Some(SecureMessaging::new(keys));
        Some((Run::Idle, CHIP_TOKEN, answer))
    }
}

/// The next state, and the object to answer.
type Step = (Run, u32, Vec<u8>);
