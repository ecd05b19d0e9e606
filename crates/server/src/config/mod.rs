//! Configuration: one TOML file per process, one struct per role, unknown keys refused.
//!
//! Paths in a file are relative to the folder of that file. Secrets are never in it: it names
//! the files that hold them.

pub mod connector;
pub mod gateway;
pub mod operator;
pub mod trustee;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::failure::OrFail;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// What every server needs: where it listens, under which name, with which certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on; port 0 takes a free one, printed when ready.
    pub listen: SocketAddr,
    /// PEM file with the certificate chain, leaf first.
    pub certificate_file: PathBuf,
    /// PEM file with the private key (PKCS#8) of the leaf.
    pub private_key_file: PathBuf,
    /// Stop when standard input closes, so that nothing outlives a supervisor that holds its other
    /// end. Default false.
    #[serde(default)]
    pub stop_with_stdin: bool,
    /// Seconds a request may take in all, sending it included. Default 60: the frames of a face are up
    /// to 13 MB.
    #[serde(default = "default_request_timeout_secs")]
    pub request_timeout_secs: u64,
    /// Connections served at a time; more wait in the kernel's queue. Default 1024.
    #[serde(default = "default_connections_max")]
    pub connections_max: usize,
}

/// How this process reaches other servers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// PEM file with the only certification authorities to trust. Default: the platform's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Seconds one call may take in all. Default 10.
    #[serde(default = "default_call_timeout_secs")]
    pub timeout_secs: u64,
}

impl Default for ClientConfig {
    fn default() -> ClientConfig {
        ClientConfig {
            ca_file: None,
            timeout_secs: default_call_timeout_secs(),
        }
    }
}

/// A struct that names files, whose paths can be anchored at the folder of its own file.
pub trait Anchored {
    /// Makes every relative path start at `folder`.
    fn anchor(&mut self, folder: &Path);
}

/// Reads a configuration file.
///
/// # Errors
///
/// When the file cannot be read, is not TOML, misses a field or has one that is not known.
pub fn load<T: DeserializeOwned + Anchored>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).or_fail("file-unreadable", || {
        format!("cannot read the configuration {}", path.display())
    })?;
    let mut config: T = toml::from_str(&text).or_fail("configuration-invalid", || {
        format!("the configuration {} is not usable", path.display())
    })?;
    config.anchor(path.parent().unwrap_or(Path::new("")));
    Ok(config)
}

/// Makes one path start at `folder` unless it is absolute.
pub fn anchor_path(path: &mut PathBuf, folder: &Path) {
    *path = folder.join(&*path);
}

impl Anchored for ServerConfig {
    fn anchor(&mut self, folder: &Path) {
        anchor_path(&mut self.certificate_file, folder);
        anchor_path(&mut self.private_key_file, folder);
    }
}

impl Anchored for ClientConfig {
    fn anchor(&mut self, folder: &Path) {
        if let Some(path) = &mut self.ca_file {
            anchor_path(path, folder);
        }
    }
}

fn default_request_timeout_secs() -> u64 {
    60
}

fn default_connections_max() -> usize {
    1024
}

fn default_call_timeout_secs() -> u64 {
    10
}

/// The wallet's folder where none is given: `$BAUTA_WALLET_HOME`, or `bauta/wallet` in the user's
/// data folder (`$XDG_DATA_HOME`, or `~/.local/share`).
#[must_use]
pub fn wallet_home() -> Option<PathBuf> {
    path_from("BAUTA_WALLET_HOME")
        .or_else(|| Some(user_folder("XDG_DATA_HOME", ".local/share")?.join("bauta/wallet")))
}

/// The folder of `bauta demo` where none is given: `bauta/demo` in the user's state folder
/// (`$XDG_STATE_HOME`, or `~/.local/state`).
#[must_use]
pub fn demo_folder() -> Option<PathBuf> {
    Some(user_folder("XDG_STATE_HOME", ".local/state")?.join("bauta/demo"))
}

fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    path_from(variable).or_else(|| Some(path_from("HOME")?.join(below_home)))
}

/// The path that a variable of the environment names; one that is empty names none.
pub(crate) fn path_from(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused() {
        let text = "listen = '127.0.0.1:0'\ncertificate_file = 'c'\nprivate_key_file = 'k'\n";
        assert!(toml::from_str::<ServerConfig>(text).is_ok());
        let more = format!("{text}colour = 'red'\n");
        assert!(toml::from_str::<ServerConfig>(&more).is_err());
    }

    #[test]
    fn paths_start_at_the_folder_of_the_file_unless_absolute() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        let text = "listen = '127.0.0.1:0'\ncertificate_file = 'c'\nprivate_key_file = '/k'\n";
        std::fs::write(&file, text).unwrap();
        let config: ServerConfig = load(&file).unwrap();
        assert_eq!(config.certificate_file, folder.path().join("c"));
        assert_eq!(config.private_key_file, Path::new("/k"));
    }
}
