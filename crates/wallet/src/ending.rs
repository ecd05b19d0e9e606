//! The end of a registration, as its holder states it.

use credential::jose::SigningKey;
use credential::jose::jws::{self, Header};
use credential::origin::Origin;
use credential::time::UnixTime;
use serde::Serialize;

use crate::vault::{DamagedVault, Person};

/// `typ` of the statement.
const END_TYP: &str = "bauta-end+jwt";

#[derive(Serialize)]
struct EndClaims<'a> {
    aud: &'a Origin,
    web_number: &'a str,
    nonce: &'a str,
    iat: UnixTime,
}

/// Body of `POST /registration/end`.
#[derive(Serialize)]
pub struct EndRequest {
    web_number: String,
    statement: String,
}

/// The holder's own statement that the registration is to end.
///
/// # Errors
///
/// [`DamagedVault`].
pub fn end(
    person: &Person,
    server: (&Origin, &str),
    device: &SigningKey,
    now: UnixTime,
) -> Result<EndRequest, DamagedVault> {
    let web_number = person.web_number()?;
    let (aud, nonce) = server;
    let claims = EndClaims {
        aud,
        web_number: web_number.as_str(),
        nonce,
        iat: now,
    };
    let header = Header {
        jwk: Some(*device.public()),
        ..Header::of_type(END_TYP)
    };
    Ok(EndRequest {
        web_number: web_number.as_str().to_owned(),
        statement: jws::sign_with_header(device, &header, &claims),
    })
}
