//! Random identifiers: of an account, of a log-in.

use credential::jose::{decode, encode};
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The account at this site, and the `sub` its clients see: 128 random bits, drawn when the
/// account is made, so that nothing leads from it to a person or to an account elsewhere.
///
/// Source: OpenID Connect Core 1.0 section 8.1 (pairwise; the sector is the site).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject([u8; 16]);

impl Subject {
    /// Draws a new one.
    pub fn draw(rng: &mut impl CryptoRng) -> Subject {
        Subject(draw(rng))
    }

    /// From the 16 bytes of a row.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Subject {
        Subject(bytes)
    }

    /// The 16 bytes of a row.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the 22 characters that [`fmt::Display`] writes.
    ///
    /// # Errors
    ///
    /// [`BadId`] for any other text.
    pub fn parse(text: &str) -> Result<Subject, BadId> {
        parse(text).map(Subject)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&encode(self.0))
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A subject names a person's account; debug output ends up in logs.
        out.write_str("Subject(..)")
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Subject, D::Error> {
        let text = String::deserialize(from)?;
        Subject::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// One log-in in progress, as it stands in the addresses of its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LoginId([u8; 16]);

impl LoginId {
    /// Draws a new one.
    pub fn draw(rng: &mut impl CryptoRng) -> LoginId {
        LoginId(draw(rng))
    }

    /// The 16 bytes of a row.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the 22 characters that [`fmt::Display`] writes.
    ///
    /// # Errors
    ///
    /// [`BadId`] for any other text.
    pub fn parse(text: &str) -> Result<LoginId, BadId> {
        parse(text).map(LoginId)
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&encode(self.0))
    }
}

/// The text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 16 bytes in base64url")]
pub struct BadId;

fn draw(rng: &mut impl CryptoRng) -> [u8; 16] {
    let mut bytes = [0_u8; 16];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn parse(text: &str) -> Result<[u8; 16], BadId> {
    if text.len() != 22 {
        return Err(BadId);
    }
    let bytes = decode(text).map_err(|_| BadId)?;
    bytes.try_into().map_err(|_| BadId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn an_identifier_is_read_back_as_it_was_written() {
        let login = LoginId::draw(&mut rng(1));
        assert_eq!(LoginId::parse(&login.to_string()), Ok(login));
        let subject = Subject::draw(&mut rng(2));
        assert_eq!(Subject::parse(&subject.to_string()), Ok(subject));
    }

    #[test]
    fn other_text_is_no_identifier() {
        for text in [
            "",
            "AAAA",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAAA/",
            &"A".repeat(4096),
        ] {
            assert_eq!(LoginId::parse(text), Err(BadId), "{text:.30}");
        }
    }
}
