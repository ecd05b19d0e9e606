//! `operator.toml`.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use credential::jose::PublicKey;
use credential::origin::Origin;
use face::FalseMatchRate;
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
    /// The authoritative register that is asked about people whose cards no reader opens. Default:
    /// none.
    #[serde(default)]
    pub authority: Option<AuthorityConfig>,
    /// Limits of enrolment.
    #[serde(default)]
    pub enrolment: EnrolmentConfig,
    /// What compares faces. Default: nothing, and an officer decides on everybody.
    #[serde(default)]
    pub face: Option<FaceConfig>,
    /// Who people are told is responsible.
    #[serde(default)]
    pub notice: NoticeConfig,
}

/// What compares faces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceConfig {
    /// Folder of the networks, as tools/face-models prints it.
    pub networks: PathBuf,
    /// How often somebody else may be taken for the person of the portrait, above 0 and below 1. The
    /// threshold follows from the evaluation; a rate that it does not show with 95 % confidence is
    /// refused.
    pub false_match_rate: FalseMatchRate,
    /// File that `bauta face evaluate --json` has written about faces like those of the people who
    /// enrol.
    pub evaluation_file: PathBuf,
    /// The highest level that may be certified without an officer. Default `substantial`; `high` is
    /// refused, because the matchers that come with bauta are not certified.
    #[serde(default)]
    pub highest_level: HighestLevel,
}

/// Levels of assurance that a configuration can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HighestLevel {
    /// Chip and face.
    #[default]
    Substantial,
    /// The same with certified matchers and an attested device.
    High,
}

/// What the notice says of the operator.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeConfig {
    /// The name under which people know it. Default: the origin.
    pub controller: Option<String>,
    /// Where people ask and complain: an address of any kind. Default: the origin.
    pub contact: Option<String>,
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

/// An authoritative register, reached through its connector. The operator shows itself with the key
/// of its attestations; TLS trusts what `client.ca_file` says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorityConfig {
    /// Origin of the connector.
    pub origin: Origin,
    /// The connector's public key, a JWK; no answer under another one counts.
    pub key: PublicKey,
    /// Seconds until there must be a connection. Default 5.
    #[serde(default = "default_connect_timeout_secs")]
    pub connect_timeout_secs: NonZeroU64,
    /// Seconds a question may take in all, with its one repetition. Default 10.
    #[serde(default = "default_timeout_secs")]
    pub timeout_secs: NonZeroU64,
}

const fn default_connect_timeout_secs() -> NonZeroU64 {
    NonZeroU64::new(5).expect("5 is not 0")
}

const fn default_timeout_secs() -> NonZeroU64 {
    NonZeroU64::new(10).expect("10 is not 0")
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
        if let Some(face) = &mut self.face {
            anchor_path(&mut face.networks, folder);
            anchor_path(&mut face.evaluation_file, folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use credential::jose::SigningKey;

    use super::*;

    fn authority(more: &str) -> Result<AuthorityConfig, toml::de::Error> {
        let key = serde_json::to_value(SigningKey::generate().public()).unwrap();
        let (x, y) = (&key["x"], &key["y"]);
        toml::from_str(&format!(
            "origin = 'https://register.example'\n\
             key = {{ kty = 'EC', crv = 'P-256', x = {x}, y = {y} }}\n{more}"
        ))
    }

    #[test]
    fn an_authority_needs_an_address_and_a_key_and_has_times() {
        let config = authority("").unwrap();
        assert_eq!(config.connect_timeout_secs.get(), 5);
        assert_eq!(config.timeout_secs.get(), 10);
        assert!(authority("timeout_secs = 0").is_err());
        assert!(authority("token = 'x'").is_err());
        assert!(toml::from_str::<AuthorityConfig>("origin = 'https://register.example'").is_err());
    }
}
