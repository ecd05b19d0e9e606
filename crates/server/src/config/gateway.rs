//! Configuration of a site's gateway.

use std::path::{Path, PathBuf};

use credential::attributes::Item;
use credential::origin::Origin;
use openid4vc::oauth::Pkce;
use openid4vc::oidc::SigningAlgorithm;
use openid4vc::uri::RedirectUri;
use serde::Deserialize;

use super::{Anchored, ClientConfig, ServerConfig, anchor_path};

/// The whole file of `bauta gateway --config`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    /// Where it listens.
    pub server: ServerConfig,
    /// How it reaches the operator for manifests.
    #[serde(default)]
    pub client: ClientConfig,
    /// What it is.
    pub gateway: GatewayConfig,
}

/// What a gateway is and for whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Its own origin as browsers and wallets reach it, which is also the OpenID issuer.
    pub origin: Origin,
    /// SQLite file of accounts and log-ins, made where missing.
    pub store_file: PathBuf,
    /// The operator's public trust file.
    pub operator_file: PathBuf,
    /// The signed site entry.
    pub site_entry_file: PathBuf,
    /// PEM file with the P-256 key that signs requests to wallets.
    pub request_key_file: PathBuf,
    /// PEM file with the certificate of that key, the one the site entry names.
    pub request_certificate_file: PathBuf,
    /// PEM file with the P-256 key that signs ID tokens.
    pub es256_key_file: PathBuf,
    /// PEM file with the RSA key that signs ID tokens.
    pub rs256_key_file: PathBuf,
    /// The site key and older versions of it, under which accounts may still stand.
    pub site_keys: Vec<SiteKeyConfig>,
    /// What every sign-up asks a certificate for besides the generation. Default: nothing.
    #[serde(default)]
    pub items: Vec<Item>,
    /// The site's own programs.
    pub clients: Vec<OidcClientConfig>,
    /// Seconds a person has to answer. Default 300.
    #[serde(default = "default_login_ttl_secs")]
    pub login_ttl_secs: u64,
    /// Seconds a browser stays logged in at the gateway. Default 1800.
    #[serde(default = "default_session_ttl_secs")]
    pub session_ttl_secs: u64,
    /// Seconds an authorization code waits. Default 60.
    #[serde(default = "default_code_ttl_secs")]
    pub code_ttl_secs: u64,
    /// Seconds an access token and an ID token hold. Default 600.
    #[serde(default = "default_token_ttl_secs")]
    pub token_ttl_secs: u64,
    /// Seconds between two looks at whether a manifest has to be fetched. Default 60.
    #[serde(default = "default_manifest_check_secs")]
    pub manifest_check_secs: u64,
}

/// One version of the site key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteKeyConfig {
    /// Its version; the highest is the current one.
    pub version: u32,
    /// File with 32 bytes in base64url.
    pub file: PathBuf,
}

/// One OpenID Connect client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcClientConfig {
    /// `client_id`.
    pub id: String,
    /// File with the client secret. Without one the client is public.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Where a log-in may lead back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where a log-out may lead back to. Default: nowhere.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Signature of its ID tokens, `ES256` or `RS256`. Default `RS256`, as in the specification.
    #[serde(default = "default_id_token_alg")]
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// Whether it must use PKCE, `required` or `optional`. Default `required`.
    #[serde(default = "default_pkce")]
    pub pkce: Pkce,
}

impl Anchored for GatewayFile {
    fn anchor(&mut self, folder: &Path) {
        self.server.anchor(folder);
        self.client.anchor(folder);
        let gateway = &mut self.gateway;
        let mut paths = vec![
            &mut gateway.store_file,
            &mut gateway.operator_file,
            &mut gateway.site_entry_file,
            &mut gateway.request_key_file,
            &mut gateway.request_certificate_file,
            &mut gateway.es256_key_file,
            &mut gateway.rs256_key_file,
        ];
        paths.extend(gateway.site_keys.iter_mut().map(|key| &mut key.file));
        paths.extend(
            gateway
                .clients
                .iter_mut()
                .filter_map(|one| one.secret_file.as_mut()),
        );
        for path in paths {
            anchor_path(path, folder);
        }
    }
}

fn default_login_ttl_secs() -> u64 {
    300
}

fn default_session_ttl_secs() -> u64 {
    1800
}

fn default_code_ttl_secs() -> u64 {
    60
}

fn default_token_ttl_secs() -> u64 {
    600
}

fn default_manifest_check_secs() -> u64 {
    60
}

fn default_id_token_alg() -> SigningAlgorithm {
    SigningAlgorithm::Rs256
}

fn default_pkce() -> Pkce {
    Pkce::Required
}
