//! `trustee.toml`.

use std::path::{Path, PathBuf};

use credential::jose::PublicKey;
use serde::Deserialize;

use super::{Anchored, ServerConfig, anchor_path};

/// The configuration of `bauta trustee`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrusteeConfig {
    /// Where and how to listen.
    pub server: ServerConfig,
    /// Folder for the store; made with mode 0700 where there is none.
    pub state_folder: PathBuf,
    /// File with this trustee's share of the key.
    pub share_file: PathBuf,
    /// File with the group key, JSON.
    pub group_file: PathBuf,
    /// The enrolment service that is answered.
    pub attester: AttesterConfig,
    /// At most this many pieces of evidence a minute. Default 60.
    #[serde(default = "default_evaluations_per_minute")]
    pub evaluations_per_minute: u32,
}

/// The enrolment service whose attestations are believed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttesterConfig {
    /// Its name in attestations.
    pub name: String,
    /// Its public key, a JWK.
    pub key: PublicKey,
}

impl Anchored for TrusteeConfig {
    fn anchor(&mut self, folder: &Path) {
        self.server.anchor(folder);
        for path in [
            &mut self.state_folder,
            &mut self.share_file,
            &mut self.group_file,
        ] {
            anchor_path(path, folder);
        }
    }
}

fn default_evaluations_per_minute() -> u32 {
    60
}
