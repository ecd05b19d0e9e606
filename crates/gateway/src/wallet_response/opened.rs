//! The envelope of an answer: form, encryption, `state`, and the one presentation in it.

use super::RespondError;
use crate::login::WalletRequest;
use crate::store::StoreError;
use credential::jose::jwe::{DecryptionKey, Jwe};
use openid4vc::form::Parameters;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an answer holds.
pub(super) enum Opened {
    /// The holder refused, or the wallet could not answer.
    Refused,
    /// A sign-in to an account.
    Account(String),
    /// A sign-up or a new device, by certificate.
    Certificate(String),
}

/// What stands in the encrypted answer.
#[derive(Deserialize)]
struct Payload {
    state: Option<String>,
    error: Option<String>,
    vp_token: Option<BTreeMap<String, Vec<String>>>,
}

/// Opens an answer to `request`.
pub(super) fn open(request: &WalletRequest, body: &str) -> Result<Opened, RespondError> {
    let form = Parameters::parse(body, MAX_BYTES).map_err(|_| RespondError::Malformed)?;
    let response = form.get("response").ok_or(RespondError::Malformed)?;
    let key = DecryptionKey::from_bytes(&request.key).map_err(|_| StoreError::Malformed)?;
    let jwe = Jwe::parse(response).map_err(|_| RespondError::Malformed)?;
    let opened = jwe.decrypt(&key).map_err(|_| RespondError::Decryption)?;
    let payload: Payload = serde_json::from_slice(&opened).map_err(|_| RespondError::Malformed)?;
    if payload.state.as_deref() != Some(request.state.as_str()) {
        return Err(RespondError::WrongState);
    }
    match (payload.error, payload.vp_token) {
        (Some(_), None) => Ok(Opened::Refused),
        (None, Some(token)) => one_presentation(token),
        (Some(_), Some(_)) | (None, None) => Err(RespondError::Malformed),
    }
}

/// One credential, one presentation: nothing else was asked for.
fn one_presentation(token: BTreeMap<String, Vec<String>>) -> Result<Opened, RespondError> {
    let mut entries = token.into_iter();
    let (Some((id, presentations)), None) = (entries.next(), entries.next()) else {
        return Err(RespondError::Malformed);
    };
    let [text] = <[String; 1]>::try_from(presentations).map_err(|_| RespondError::Malformed)?;
    match id.as_str() {
        "account" => Ok(Opened::Account(text)),
        "certificate" => Ok(Opened::Certificate(text)),
        _ => Err(RespondError::Malformed),
    }
}

/// Longest body of an answer, in bytes; real ones are below 8,000.
const MAX_BYTES: usize = 64 * 1024;
