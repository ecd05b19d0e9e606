//! What a holder can do to the own registration: end it, at once and alone.

use std::sync::Arc;

use credential::jose::{PublicKey, jws};
use credential::origin::Origin;
use credential::time::UnixTime;
use credential::web_number::WebNumber;
use serde::Deserialize;
use store::{
    Consumed, RegisterId, RegisterRow, RegisterStore, RowStatus, SessionStore, StoreError, Updated,
};

use crate::secret;

/// `typ` of the statement that ends a registration.
const END_TYP: &str = "bauta-end+jwt";

/// The register, as far as holders reach it.
pub struct Registrations {
    origin: Origin,
    register: Arc<dyn RegisterStore>,
    nonces: Arc<dyn SessionStore>,
}

/// Why a registration is not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndError {
    /// The statement is not signed by the device key of that registration, or for another one;
    /// also when there is no such registration.
    #[error("statement is not by the holder of this registration")]
    Refused,
    /// The nonce is unknown, expired or used.
    #[error("nonce is unknown, expired or used")]
    InvalidNonce,
    /// Somebody changed the registration at the same moment; try again.
    #[error("the registration was changed at the same moment")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the device key signs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndClaims {
    aud: Origin,
    web_number: String,
    nonce: String,
    #[serde(rename = "iat")]
    _signed_at: UnixTime,
}

impl Registrations {
    /// The register behind these stores, of the operator at `origin`.
    #[must_use]
    pub fn new(
        origin: Origin,
        register: Arc<dyn RegisterStore>,
        nonces: Arc<dyn SessionStore>,
    ) -> Registrations {
        Registrations {
            origin,
            register,
            nonces,
        }
    }

    /// Ends the registration with this web number: no certificate is issued on it any more.
    /// Ending it again changes nothing.
    ///
    /// # Errors
    ///
    /// The variants of [`EndError`].
    pub async fn end(
        &self,
        web_number: &str,
        statement: &str,
        now: UnixTime,
    ) -> Result<(), EndError> {
        let web_number = WebNumber::parse(web_number).map_err(|_| EndError::Refused)?;
        let (device_key, nonce) = self.verify(statement, &web_number)?;
        match self.nonces.consume_nonce(secret::hash(&nonce), now).await? {
            Consumed::First => {}
            Consumed::Refused => return Err(EndError::InvalidNonce),
        }
        let id = web_number
            .as_str()
            .as_bytes()
            .try_into()
            .map_err(|_| EndError::Refused)?;
        let read = self
            .register
            .find(RegisterId(id))
            .await?
            .ok_or(EndError::Refused)?;
        if read.device_key_hash != device_key.thumbprint() {
            return Err(EndError::Refused);
        }
        let next = RegisterRow {
            status: RowStatus::Ended,
            ..read.clone()
        };
        match self.register.update(&read, &next, &[], None).await? {
            Updated::Done => Ok(()),
            Updated::Stale | Updated::TagTaken => Err(EndError::Busy),
        }
    }

    fn verify(
        &self,
        statement: &str,
        web_number: &WebNumber,
    ) -> Result<(PublicKey, String), EndError> {
        let jws = jws::UnverifiedJws::parse(statement).map_err(|_| EndError::Refused)?;
        let device_key = jws.header().jwk.ok_or(EndError::Refused)?;
        let claims: EndClaims = jws
            .verify(&device_key, END_TYP)
            .map_err(|_| EndError::Refused)?;
        if claims.aud != self.origin || claims.web_number != web_number.as_str() {
            return Err(EndError::Refused);
        }
        Ok((device_key, claims.nonce))
    }
}

#[cfg(test)]
mod tests;
