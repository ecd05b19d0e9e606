//! How a person showed who they are here, and what the site learns of it.

use credential::age::Years;
use credential::time::UnixTime;
use serde::{Deserialize, Serialize};

use crate::ids::Subject;

/// A log-in that took place. It is kept with the session and in the grant of each code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Whose account.
    pub subject: Subject,
    /// When the wallet's answer arrived.
    pub time: UnixTime,
    /// What the wallet asked of its holder.
    pub moment: Moment,
    /// The way between the page and the wallet.
    pub transport: Transport,
    /// 1 for the first registration of the person, 2 for a later one.
    pub generation: u8,
    /// The highest age that the person has proved here.
    #[serde(default)]
    pub age_over: Option<Years>,
    /// What a certificate disclosed in this log-in, by the name of the claim.
    pub items: Vec<(String, String)>,
}

/// What the wallet asked of its holder at the moment of presenting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    /// The device was there.
    Possession,
    /// The holder unlocked the wallet.
    Unlock,
}

impl Moment {
    /// The `acr` value.
    #[must_use]
    pub fn acr(self) -> &'static str {
        match self {
            Moment::Possession => "urn:bauta:acr:possession",
            Moment::Unlock => "urn:bauta:acr:unlock",
        }
    }
}

/// The way between the log-in page and the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A link on the same device; the wallet leads back into the browser that began.
    Link,
    /// A QR code or a command line. Somebody may have passed the code on, so `amr` says it.
    Qr,
}

impl Transport {
    /// The name in the addresses of requests and responses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Link => "link",
            Transport::Qr => "qr",
        }
    }

    /// Reads the name in an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Transport> {
        [Transport::Link, Transport::Qr]
            .into_iter()
            .find(|transport| transport.as_str() == text)
    }

    /// The `amr` values: proof of possession of a key (RFC 8176), and how the request travelled.
    #[must_use]
    pub fn amr(self) -> &'static [&'static str] {
        match self {
            Transport::Link => &["pop"],
            Transport::Qr => &["pop", "qr"],
        }
    }
}
