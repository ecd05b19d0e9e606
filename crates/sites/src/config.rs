//! What a site is told: one TOML file. Paths in it are relative to its folder.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use openidconnect::ClientSecret;
use openidconnect::url::Url;
use serde::Deserialize;

use crate::store::TokenHash;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where it listens.
    pub(crate) server: ServerConfig,
    /// Its own origin as browsers reach it, such as `https://forum.localhost:9443`.
    pub(crate) origin: Url,
    /// What it calls itself.
    pub(crate) title: String,
    /// SQLite file, made where missing.
    pub(crate) data_file: PathBuf,
    /// The origin of its gateway.
    pub(crate) issuer: Url,
    /// Its name at the gateway.
    pub(crate) client_id: String,
    /// File with its secret at the gateway.
    pub(crate) client_secret_file: PathBuf,
    /// What it wants to be told beyond who logs in, such as `age`. Default: nothing.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// PEM file with the only authorities it trusts. Default: those of the library.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// File with what a moderator of the forum enters. Default: nobody moderates.
    #[serde(default)]
    pub(crate) moderator_token_file: Option<PathBuf>,
}

/// Where a site listens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerConfig {
    /// Address and port; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// PEM file with the certificate chain.
    pub(crate) certificate_file: PathBuf,
    /// PEM file with the private key.
    pub(crate) private_key_file: PathBuf,
    /// Stop when standard input closes, so that nothing outlives a supervisor. Default false.
    #[serde(default)]
    pub(crate) stop_with_stdin: bool,
}

impl Config {
    /// Reads the file.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Config> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut config: Config = toml::from_str(&text)
            .with_context(|| format!("{} is not a configuration", path.display()))?;
        for (name, url) in [("origin", &config.origin), ("issuer", &config.issuer)] {
            if url.scheme() != "https" || url.path() != "/" || url.query().is_some() {
                bail!("{name} must be https, a host and a port: {url}");
            }
        }
        config.anchor(path.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    fn anchor(&mut self, folder: &Path) {
        let server = &mut self.server;
        let always = [
            &mut server.certificate_file,
            &mut server.private_key_file,
            &mut self.data_file,
            &mut self.client_secret_file,
        ];
        let given = [&mut self.ca_file, &mut self.moderator_token_file];
        for path in always.into_iter().chain(given.into_iter().flatten()) {
            *path = folder.join(&*path);
        }
    }

    /// Its secret at the gateway.
    pub(crate) fn client_secret(&self) -> anyhow::Result<ClientSecret> {
        secret(&self.client_secret_file).map(ClientSecret::new)
    }

    /// What a moderator enters, hashed.
    pub(crate) fn moderator_token(&self) -> anyhow::Result<Option<TokenHash>> {
        let file = self.moderator_token_file.as_deref();
        file.map(|file| Ok(TokenHash::of(&secret(file)?)))
            .transpose()
    }
}

fn secret(path: &Path) -> anyhow::Result<String> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let text = text.trim();
    if text.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
origin = "https://forum.localhost:9443"
title = "Forum"
data_file = "forum.sqlite"
issuer = "https://login.forum.localhost:9444"
client_id = "forum"
client_secret_file = "/secrets/forum"
[server]
listen = "127.0.0.1:0"
certificate_file = "tls/cert.pem"
private_key_file = "tls/key.pem"
"#;

    fn load(text: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path)?;
        assert_eq!(
            config.server.certificate_file,
            folder.path().join("tls/cert.pem")
        );
        Ok(config)
    }

    #[test]
    fn relative_paths_start_at_the_folder_of_the_file() {
        let config = load(FILE).unwrap();
        assert_eq!(config.client_secret_file, Path::new("/secrets/forum"));
        assert!(config.moderator_token().unwrap().is_none());
    }

    #[test]
    fn plain_http_and_unknown_keys_are_refused() {
        assert!(load(&FILE.replace("https://login", "http://login")).is_err());
        assert!(load(&FILE.replace("title =", "titel =")).is_err());
    }
}
