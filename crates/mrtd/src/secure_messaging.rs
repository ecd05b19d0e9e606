//! Secure messaging: encrypted and authenticated commands and answers.
//!
//! Source: ICAO Doc 9303-11, 8th edition, §9.8.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::apdu::{Answer, Command, EXTENDED_LE, SHORT_LE, Status};
use crate::cipher::{Cipher, Padding, SessionKeys, pad};
use crate::tlv;

/// One side of a channel between reader and chip.
pub(crate) struct SecureMessaging {
    keys: SessionKeys,
    /// Send sequence counter, as long as a block: each message has a number of its own.
    counter: Vec<u8>,
}

/// The channel has ended: an answer was not the chip's, or came out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the answer is not authentic")]
pub struct NotAuthentic;

impl SecureMessaging {
    /// A channel whose counter begins at zero.
    pub(crate) fn new(keys: SessionKeys) -> SecureMessaging {
        let counter = vec![0; keys.encryption.cipher().block_len()];
        SecureMessaging { keys, counter }
    }

    /// A channel whose counter begins with a number that both have, in as many octets as a block.
    pub(crate) fn starting_at(keys: SessionKeys, counter: Vec<u8>) -> SecureMessaging {
        SecureMessaging { keys, counter }
    }

    /// Reader: the command to send.
    pub(crate) fn protect(&mut self, command: &Command) -> Zeroizing<Vec<u8>> {
        self.count();
        let mut objects = Vec::new();
        if !command.data.is_empty() {
            objects = self.encrypted(&command.data, command.instruction);
        }
        if let Some(expected) = command.expected {
            let le = expected.to_be_bytes();
            let [.., high, low] = le;
            let wanted: &[u8] = if expected <= SHORT_LE {
                &[low]
            } else {
                &[high, low]
            };
            objects.extend(tlv::element(WANTED, &[wanted]));
        }
        let head = header(command);
        let code = self
            .keys
            .authentication
            .mac(&self.authenticated(&head, &objects));
        objects.extend(tlv::element(MAC, &[&code]));
        let short = objects.len() <= 0xFF && command.expected.is_none_or(|le| le <= SHORT_LE);
        let [class, instruction, p1, p2] = head;
        let protected = Command {
            class,
            instruction,
            p1,
            p2,
            data: Zeroizing::new(objects),
            expected: Some(if short { SHORT_LE } else { EXTENDED_LE }),
        };
        protected.encode()
    }

    /// Reader: what the chip answered to the command that was protected last.
    ///
    /// # Errors
    ///
    /// [`NotAuthentic`], also for a status without protection; the channel is then at its end.
    pub(crate) fn open(&mut self, answer: &Answer) -> Result<Answer, NotAuthentic> {
        self.count();
        let mut objects = tlv::Reader::new(&answer.data)
            .all()
            .map_err(|_| NotAuthentic)?;
        let code = objects
            .pop()
            .filter(|last| last.tag == MAC)
            .ok_or(NotAuthentic)?;
        let signed = answer.data.len().saturating_sub(code.whole.len());
        let signed = answer.data.get(..signed).unwrap_or_default();
        if !self
            .keys
            .authentication
            .has_mac(&self.authenticated(&[], signed), code.value)
        {
            return Err(NotAuthentic);
        }
        let (mut data, mut status) = (Zeroizing::default(), None);
        for object in objects {
            match (object.tag, object.value) {
                (ENCRYPTED, [PADDED, encrypted @ ..]) => data = self.decrypted(encrypted)?,
                (ENCRYPTED_TLV, encrypted) => data = self.decrypted(encrypted)?,
                (STATUS, [high, low]) => status = Some(u16::from_be_bytes([*high, *low])),
                _ => return Err(NotAuthentic),
            }
        }
        let status = status.map(Status).ok_or(NotAuthentic)?;
        Ok(Answer { data, status })
    }

    /// Chip: the command that a reader protected.
    pub(crate) fn open_command(&mut self, protected: &Command) -> Result<Command, NotAuthentic> {
        self.count();
        let objects = tlv::Reader::new(&protected.data).all();
        let mut objects = objects.map_err(|_| NotAuthentic)?;
        let code = objects
            .pop()
            .filter(|last| last.tag == MAC)
            .ok_or(NotAuthentic)?;
        let signed = protected.data.len().saturating_sub(code.whole.len());
        let signed = protected.data.get(..signed).unwrap_or_default();
        let message = self.authenticated(&header(protected), signed);
        if !self.keys.authentication.has_mac(&message, code.value) {
            return Err(NotAuthentic);
        }
        let mut command = Command::new(protected.instruction, [protected.p1, protected.p2], &[]);
        command.class = protected.class & !SECURE;
        for object in objects {
            match (object.tag, object.value) {
                (ENCRYPTED, [PADDED, encrypted @ ..]) => {
                    command.data = self.decrypted(encrypted)?
                }
                (ENCRYPTED_TLV, encrypted) => command.data = self.decrypted(encrypted)?,
                (WANTED, [0]) => command.expected = Some(SHORT_LE),
                (WANTED, [0, 0]) => command.expected = Some(EXTENDED_LE),
                (WANTED, [le]) => command.expected = Some(usize::from(*le)),
                (WANTED, [high, low]) => {
                    command.expected = Some(usize::from(u16::from_be_bytes([*high, *low])));
                }
                _ => return Err(NotAuthentic),
            }
        }
        Ok(command)
    }

    /// Chip: the answer to a command with this instruction.
    pub(crate) fn protect_answer(&mut self, answer: &Answer, instruction: u8) -> Answer {
        self.count();
        let mut objects = Vec::new();
        if !answer.data.is_empty() {
            objects = self.encrypted(&answer.data, instruction);
        }
        objects.extend(tlv::element(STATUS, &[&answer.status.0.to_be_bytes()]));
        let code = self
            .keys
            .authentication
            .mac(&self.authenticated(&[], &objects));
        objects.extend(tlv::element(MAC, &[&code]));
        Answer {
            data: Zeroizing::new(objects),
            status: answer.status,
        }
    }

    /// Reader: the chip did not open the command that was protected last, so its number is free. Only
    /// for a command of which a listener may see two: the same data and another length of the answer.
    pub(crate) fn uncount(&mut self) {
        for octet in self.counter.iter_mut().rev() {
            let (before, under) = octet.overflowing_sub(1);
            *octet = before;
            if !under {
                return;
            }
        }
    }

    fn count(&mut self) {
        for octet in self.counter.iter_mut().rev() {
            let (next, over) = octet.overflowing_add(1);
            *octet = next;
            if !over {
                return;
            }
        }
    }

    fn cipher(&self) -> Cipher {
        self.keys.encryption.cipher()
    }

    /// Source: §9.8.6.1, §9.8.7.1.
    fn iv(&self) -> Vec<u8> {
        match self.cipher() {
            Cipher::TripleDes => vec![0; self.cipher().block_len()],
            Cipher::Aes128 | Cipher::Aes192 | Cipher::Aes256 => {
                let zero = vec![0; self.cipher().block_len()];
                self.keys
                    .encryption
                    .encrypt(&zero, &self.counter, Padding::Whole)
            }
        }
    }

    fn encrypted(&self, data: &[u8], instruction: u8) -> Vec<u8> {
        let encrypted = self
            .keys
            .encryption
            .encrypt(&self.iv(), data, Padding::Iso7816);
        // Odd instructions carry data objects.
        if instruction & 1 == 1 {
            tlv::element(ENCRYPTED_TLV, &[&encrypted])
        } else {
            tlv::element(ENCRYPTED, &[&[PADDED], &encrypted])
        }
    }

    fn decrypted(&self, encrypted: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let text = self
            .keys
            .encryption
            .decrypt(&self.iv(), encrypted, Padding::Iso7816);
        text.ok_or(NotAuthentic)
    }

    /// What a code is made over: counter, header and objects, padded where there are any.
    fn authenticated(&self, header: &[u8], objects: &[u8]) -> Vec<u8> {
        let block_len = self.cipher().block_len();
        let mut message = self.counter.clone();
        if !header.is_empty() {
            message.extend_from_slice(header);
            pad(&mut message, block_len);
        }
        if !objects.is_empty() {
            message.extend_from_slice(objects);
            pad(&mut message, block_len);
        }
        message
    }
}

/// The header that says that the command is protected.
fn header(command: &Command) -> [u8; 4] {
    let class = command.class | SECURE;
    [class, command.instruction, command.p1, command.p2]
}

/// Both bits: the header is authenticated too. Source: ISO/IEC 7816-4 §5.4.1.
const SECURE: u8 = 0x0C;
/// The most data that fits into a short answer: there are objects around it, and up to a block of
/// padding.
pub(crate) const SHORT_ANSWER: usize = 223;

// Data objects. Source: §9.8.4.
const ENCRYPTED: u32 = 0x87;
const ENCRYPTED_TLV: u32 = 0x85;
pub(crate) const WANTED: u32 = 0x97;
const STATUS: u32 = 0x99;
const MAC: u32 = 0x8E;
/// The text is padded with `80` and zeros.
const PADDED: u8 = 1;

#[cfg(test)]
mod tests;
