//! The envelope of an answer: form, encryption, `state`, and the one presentation in it.

use super::RespondError;
use crate::login::WalletRequest;
use crate::store::StoreError;
use credential::jose::jwe::DecryptionKey;
use openid4vc::vp::{AuthorizationResponse, PostedResponse, ResponseError, sign_in};

/// What an answer holds.
pub(super) enum Opened {
    /// The holder refused, or the wallet could not answer.
    Refused,
    /// A sign-in to an account.
    Account(String),
    /// A sign-up or a new device, by certificate.
    Certificate(String),
    /// The same with the proof of an age.
    CertificateWithAge(String),
}

/// Opens an answer to `request`.
pub(super) fn open(request: &WalletRequest, body: &str) -> Result<Opened, RespondError> {
    let posted = PostedResponse::parse(body).map_err(|_| RespondError::Malformed)?;
    let PostedResponse::Encrypted(jwe) = posted else {
        // Anybody who saw the code could refuse in the holder's name.
        return Err(RespondError::Malformed);
    };
    let key = DecryptionKey::from_bytes(&request.key).map_err(|_| StoreError::Malformed)?;
    let response = AuthorizationResponse::decrypt(&jwe, &key).map_err(|error| match error {
        ResponseError::Jwe(_) => RespondError::Decryption,
        ResponseError::Form(_)
        | ResponseError::Metadata(_)
        | ResponseError::Payload
        | ResponseError::Unencrypted
        | ResponseError::Unasked
        | ResponseError::Number
        | ResponseError::Unsatisfied => RespondError::Malformed,
    })?;
    if response.state() != request.state.as_ref() {
        return Err(RespondError::WrongState);
    }
    let vp_token = match response {
        AuthorizationResponse::Presented { vp_token, .. } => vp_token,
        AuthorizationResponse::Refused(_) => return Ok(Opened::Refused),
    };
    // One credential, one presentation: nothing else was asked for.
    let (id, text) = vp_token.single().ok_or(RespondError::Malformed)?;
    match id.as_str() {
        sign_in::ACCOUNT => Ok(Opened::Account(text.to_owned())),
        sign_in::CERTIFICATE => Ok(Opened::Certificate(text.to_owned())),
        sign_in::CERTIFICATE_WITH_AGE => Ok(Opened::CertificateWithAge(text.to_owned())),
        _ => Err(RespondError::Malformed),
    }
}
