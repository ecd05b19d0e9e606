//! `operator.toml`.

use std::path::{Path, PathBuf};

use credential::jose::PublicKey;
use credential::origin::Origin;
use serde::Deserialize;

use super::{Anchored, ClientConfig, ServerConfig, anchor_path};

/// The configuration of `bauta serve`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorConfig {
    /// The origin under which wallets reach this server, such as `https://id.example:443`. A
    /// port of 0 stands for the port that was bound.
    pub origin: Origin,
    /// Where and how to listen.
    pub server: ServerConfig,
    /// How the trustees are reached.
    #[serde(default)]
    pub client: ClientConfig,
    /// Folder for the stores and the issuer's keys; made with mode 0700 where there is none.
    pub state_folder: PathBuf,
    /// File with the operator's signing key, PKCS#8 in DER.
    pub key_file: PathBuf,
    /// File with the key over stored tags, 32 bytes.
    pub tag_key_file: PathBuf,
    /// Folder with the certificates of the states whose documents are accepted.
    pub trust_folder: PathBuf,
    /// The officers.
    pub officers: Vec<OfficerConfig>,
    /// The trustees and how the operator speaks to them.
    pub trustees: TrusteesConfig,
    /// Limits of enrolment.
    #[serde(default)]
    pub enrolment: EnrolmentConfig,
}

/// An officer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficerConfig {
    /// The officer's name in statements; not a person's name.
    pub id: String,
    /// The officer's public key, a JWK.
    pub key: PublicKey,
}

/// The trustees.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrusteesConfig {
    /// File with the group key, JSON.
    pub group_file: PathBuf,
    /// The name under which this operator attests evidence; the trustees know it.
    pub attester: String,
    /// File with the key that signs attestations, PKCS#8 in DER.
    pub attester_key_file: PathBuf,
    /// One for each share.
    pub members: Vec<TrusteeMember>,
}

/// One trustee.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrusteeMember {
    /// The index of its share.
    pub index: u8,
    /// Its origin.
    pub origin: Origin,
}

/// Limits of enrolment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnrolmentConfig {
    /// How long a session lives, in seconds; at most 3600. Default 900.
    pub session_secs: u64,
    /// How many sessions there may be at a time. Default 2000.
    pub sessions_max: usize,
    /// How many nonces are handed out within the time that one is good for, five minutes; used ones
    /// count. Anybody may ask for one, and each is a row. Default 1000000.
    pub nonces_max: u64,
}

impl Default for EnrolmentConfig {
    fn default() -> EnrolmentConfig {
        EnrolmentConfig {
            session_secs: 900,
            sessions_max: 2000,
            nonces_max: 1_000_000,
        }
    }
}

impl Anchored for OperatorConfig {
    fn anchor(&mut self, folder: &Path) {
        self.server.anchor(folder);
        self.client.anchor(folder);
        for path in [
            &mut self.state_folder,
            &mut self.key_file,
            &mut self.tag_key_file,
            &mut self.trust_folder,
            &mut self.trustees.group_file,
            &mut self.trustees.attester_key_file,
        ] {
            anchor_path(path, folder);
        }
    }
}
