//! A gateway from its configuration: keys, clients, site entry.

use std::path::Path;
use std::sync::Arc;

use credential::jose::{PublicKey, SigningKey, decode};
use credential::origin::Origin;
use credential::time::UnixTime;
use gateway::account::{SiteKey, SiteKeys};
use gateway::client::{Client, ClientAuthentication, ClientId, Clients};
use gateway::gateway::{Gateway, Parts, Settings};
use gateway::site::{Operator, Site};
use gateway::store::SqliteStore;
use openid4vc::oidc::{ProviderKeys, RsaSigningKey};
use openid4vc::vp::RequestSigner;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::config::gateway::{GatewayConfig, OidcClientConfig, SiteKeyConfig};
use crate::failure::{Failure, OrFail};
use crate::files;

/// Puts a gateway together.
pub(super) async fn gateway(config: &GatewayConfig, now: UnixTime) -> anyhow::Result<Gateway> {
    let operator = operator(&config.operator_file)?;
    let entry = text(&config.site_entry_file)?;
    let certificate = certificate(&config.request_certificate_file)?;
    let signer = RequestSigner::new(signing_key(&config.request_key_file)?, vec![certificate])
        .or_fail("file-invalid", || {
            format!("cannot use {}", config.request_certificate_file.display())
        })?;
    let site = Site::new(
        &entry,
        &operator,
        &config.origin,
        signer,
        &config.items,
        now,
    )
    .or_fail("file-invalid", || {
        format!("cannot use {}", config.site_entry_file.display())
    })?;
    let site_keys = config
        .site_keys
        .iter()
        .map(site_key)
        .collect::<anyhow::Result<_>>()?;
    let clients = config
        .clients
        .iter()
        .map(client)
        .collect::<anyhow::Result<_>>()?;
    let store = SqliteStore::open(&config.store_file).or_fail("file-invalid", || {
        format!("cannot open {}", config.store_file.display())
    })?;
    let parts = Parts {
        settings: settings(config),
        clients: Clients::new(clients)?,
        provider_keys: ProviderKeys::new(
            signing_key(&config.es256_key_file)?,
            rsa_key(&config.rs256_key_file)?,
        ),
        site_keys: SiteKeys::new(site_keys)?,
        site,
        operator,
        store: Arc::new(store),
    };
    Ok(Gateway::new(parts, now).await?)
}

fn settings(config: &GatewayConfig) -> Settings {
    // Browsers leave out the port that https implies, and so do OpenID libraries.
    let origin = config.origin.as_str();
    Settings {
        issuer: origin.strip_suffix(":443").unwrap_or(origin).to_owned(),
        login_secs: config.login_ttl_secs,
        session_secs: config.session_ttl_secs,
        code_secs: config.code_ttl_secs,
        token_secs: config.token_ttl_secs,
    }
}

/// The operator's public trust file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    origin: Origin,
    operator_key: PublicKey,
}

fn operator(path: &Path) -> anyhow::Result<Operator> {
    let file: TrustFile = serde_json::from_slice(&files::read(path)?)
        .or_fail("file-invalid", || {
            format!("{} is not an operator's trust file", path.display())
        })?;
    Ok(Operator {
        origin: file.origin,
        key: file.operator_key,
    })
}

fn client(config: &OidcClientConfig) -> anyhow::Result<Client> {
    let authentication = match &config.secret_file {
        Some(path) => ClientAuthentication::secret(&secret_text(path)?),
        None => ClientAuthentication::Public,
    };
    Ok(Client {
        id: ClientId(config.id.clone()),
        authentication,
        redirect_uris: config.redirect_uris.clone(),
        post_logout_redirect_uris: config.post_logout_redirect_uris.clone(),
        id_token_alg: config.id_token_signed_response_alg,
        pkce: config.pkce,
    })
}

fn site_key(config: &SiteKeyConfig) -> anyhow::Result<SiteKey> {
    let text = secret_text(&config.file)?;
    let bytes = decode(&text).map(Zeroizing::new).unwrap_or_default();
    let Ok(secret) = <[u8; 32]>::try_from(bytes.as_slice()) else {
        return Err(Failure::of(
            "file-invalid",
            format!(
                "{} does not hold 32 bytes in base64url",
                config.file.display()
            ),
        )
        .into());
    };
    Ok(SiteKey::new(config.version, Zeroizing::new(secret)))
}

fn secret_text(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let text = Zeroizing::new(text(path)?);
    if text.is_empty() {
        return Err(Failure::of("file-invalid", format!("{} is empty", path.display())).into());
    }
    Ok(text)
}

fn text(path: &Path) -> anyhow::Result<String> {
    let bytes = Zeroizing::new(files::read(path)?);
    let text = std::str::from_utf8(&bytes);
    let text = text.or_fail("file-invalid", || format!("{} is not text", path.display()))?;
    Ok(text.trim().to_owned())
}

fn signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    let key = pkcs8(path)?;
    SigningKey::from_pkcs8(key.secret_pkcs8_der()).or_fail("file-invalid", || {
        format!("{} holds no P-256 key", path.display())
    })
}

fn rsa_key(path: &Path) -> anyhow::Result<RsaSigningKey> {
    let key = pkcs8(path)?;
    RsaSigningKey::from_pkcs8(key.secret_pkcs8_der()).or_fail("file-invalid", || {
        format!("{} holds no RSA key", path.display())
    })
}

fn pkcs8(path: &Path) -> anyhow::Result<PrivatePkcs8KeyDer<'static>> {
    PrivatePkcs8KeyDer::from_pem_file(path).or_fail("file-invalid", || {
        format!("cannot read a PKCS #8 key from {}", path.display())
    })
}

fn certificate(path: &Path) -> anyhow::Result<Vec<u8>> {
    let certificate = CertificateDer::from_pem_file(path).or_fail("file-invalid", || {
        format!("cannot read a certificate from {}", path.display())
    })?;
    Ok(certificate.to_vec())
}
