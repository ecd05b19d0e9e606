//! One log-in, from the page to the code, as a state machine.
//!
//! A wallet moves it from `Waiting`, the browser that began moves it on to `Finished`. Each step
//! takes the state before it and is written only over the version it was decided on.

use crate::authentication::{Authentication, Transport};
use crate::bearer::{BearerHash, BearerKind};
use credential::age::AgeAsked;
use credential::time::UnixTime;
use openid4vc::oauth::AuthorizationRequest;
use openid4vc::vp::UrlSafe;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A log-in in progress.
#[derive(Serialize, Deserialize)]
pub struct Login {
    /// What it is for.
    pub errand: Errand,
    /// Of the cookie of the browser that began.
    pub browser: BearerHash,
    /// When the wallet's answer comes too late.
    pub expires: UnixTime,
    /// How far it is.
    pub state: LoginState,
}

/// What a log-in is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    /// A client asked for it.
    Client {
        /// What it asked for.
        request: Box<AuthorizationRequest>,
        /// The same as it came, for beginning again.
        query: String,
    },
    /// The person wants to see the account's devices, here at the gateway.
    Devices,
}

/// How far a log-in is.
#[derive(Serialize, Deserialize)]
pub enum LoginState {
    /// No wallet has answered.
    Waiting(Box<Waiting>),
    /// A wallet has shown an account, the browser does not have its code yet.
    Approved(Approved),
    /// The holder refused in the wallet.
    Refused(Refused),
    /// The browser has its code.
    Finished,
}

/// Both requests of a page are open.
#[derive(Serialize, Deserialize)]
pub struct Waiting {
    /// The request behind the link.
    pub link: WalletRequest,
    /// The request behind the QR code and the command.
    pub qr: WalletRequest,
    /// The age that both ask to have proved.
    #[serde(default)]
    pub age: Option<AgeAsked>,
}

/// One request to a wallet.
#[derive(Serialize, Deserialize)]
pub struct WalletRequest {
    /// Its nonce, 128 random bits or more.
    pub nonce: UrlSafe,
    /// Its `state`.
    pub state: Option<UrlSafe>,
    /// The secret key that opens the answer, a P-256 scalar made for this request alone.
    #[serde(with = "scalar")]
    pub key: Zeroizing<[u8; 32]>,
    /// The signed request object, byte by byte as the wallet fetches it.
    pub object: String,
}

/// A wallet has shown an account.
#[derive(Clone, Serialize, Deserialize)]
pub struct Approved {
    /// Who and how.
    pub authentication: Authentication,
    /// What the browser must bring if the wallet leads back into it.
    pub return_hash: Option<BearerHash>,
}

/// The holder refused.
#[derive(Clone, Serialize, Deserialize)]
pub struct Refused {
    /// Which request was answered.
    pub transport: Transport,
}

/// How the browser comes to ask for its code.
#[derive(Clone, Copy, Debug)]
pub enum Arrival<'a> {
    /// The waiting page loads again.
    Page,
    /// The wallet led back with this response code.
    Return(&'a str),
}

impl Waiting {
    /// The request that stands behind a transport.
    #[must_use]
    pub fn request(&self, transport: Transport) -> &WalletRequest {
        match transport {
            Transport::Link => &self.link,
            Transport::Qr => &self.qr,
        }
    }

    /// A wallet has shown an account. `return_hash` is that of the response code handed to it.
    #[must_use]
    pub fn approve(self, authentication: Authentication, return_hash: BearerHash) -> Approved {
        let return_hash = match authentication.transport {
            Transport::Link => Some(return_hash),
            Transport::Qr => None,
        };
        Approved {
            authentication,
            return_hash,
        }
    }

    /// The holder refused.
    #[must_use]
    pub fn refuse(self, transport: Transport) -> Refused {
        Refused { transport }
    }
}

impl Approved {
    /// Lets the browser have its code: the page by itself after a QR code, only with the response
    /// code after a link.
    ///
    /// # Errors
    ///
    /// [`ReleaseError`]; nothing changes.
    pub fn release(self, arrival: Arrival<'_>) -> Result<Authentication, ReleaseError> {
        match (self.return_hash, arrival) {
            (None, Arrival::Page) => Ok(self.authentication),
            (Some(expected), Arrival::Return(code)) => {
                if BearerHash::of(BearerKind::ResponseCode, code) == expected {
                    Ok(self.authentication)
                } else {
                    Err(ReleaseError::WrongCode)
                }
            }
            (Some(_), Arrival::Page) => Err(ReleaseError::NotBack),
            (None, Arrival::Return(_)) => Err(ReleaseError::WrongCode),
        }
    }
}

/// Why a browser does not get its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// The wallet has not led back yet.
    #[error("the wallet has not led back into this browser")]
    NotBack,
    /// The response code is another one.
    #[error("the response code does not belong to this log-in")]
    WrongCode,
}

impl Login {
    /// Whether the time for an answer is over.
    #[must_use]
    pub fn has_expired(&self, now: UnixTime) -> bool {
        now >= self.expires
    }

    /// Whether this is the browser that began.
    #[must_use]
    pub fn began_in(&self, cookie: Option<&str>) -> bool {
        cookie.is_some_and(|cookie| BearerHash::of(BearerKind::Browser, cookie) == self.browser)
    }

    /// The stored form.
    ///
    /// # Panics
    ///
    /// Never: all parts are plain values.
    #[must_use]
    pub fn to_stored(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a log-in is plain values")
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// Where it was written by another version.
    pub fn from_stored(bytes: &[u8]) -> Result<Login, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// A secret scalar as base64url.
mod scalar {
    use credential::jose::{decode, encode};
    use serde::{Deserialize as _, Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(super) fn serialize<S: Serializer>(
        key: &Zeroizing<[u8; 32]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(&Zeroizing::new(encode(key.as_ref())))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Zeroizing<[u8; 32]>, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        let bytes = decode(text.as_str()).map(Zeroizing::new);
        let bytes = bytes.map_err(serde::de::Error::custom)?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(serde::de::Error::custom)?;
        Ok(Zeroizing::new(key))
    }
}

#[cfg(test)]
mod tests;
