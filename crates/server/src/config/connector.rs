//! `connector.toml`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use credential::origin::Origin;
use serde::Deserialize;

use super::trustee::AttesterConfig;
use super::{Anchored, ServerConfig, anchor_path};

/// The configuration of `bauta connector`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// The origin under which the operator reaches this connector. A port of 0 stands for the port
    /// that was bound.
    pub origin: Origin,
    /// Where and how to listen.
    pub server: ServerConfig,
    /// SQLite file with the table or view `resident`; it is only read.
    pub table_file: PathBuf,
    /// File with the key that signs answers, PKCS#8 in DER.
    pub key_file: PathBuf,
    /// The enrolment service that is answered.
    pub attester: AttesterConfig,
    /// How often one number may be asked about within a minute. Default 5.
    #[serde(default = "default_attempts_per_minute")]
    pub attempts_per_minute: NonZeroU32,
}

impl Anchored for ConnectorConfig {
    fn anchor(&mut self, folder: &Path) {
        self.server.anchor(folder);
        for path in [&mut self.table_file, &mut self.key_file] {
            anchor_path(path, folder);
        }
    }
}

const fn default_attempts_per_minute() -> NonZeroU32 {
    NonZeroU32::new(5).expect("5 is not 0")
}
