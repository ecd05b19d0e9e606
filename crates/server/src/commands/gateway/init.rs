//! `bauta gateway init`: the keys of a new gateway.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use credential::jose::{SigningKey, encode};
use credential::origin::Origin;
use credential::time::UnixTime;
use gateway::account::SiteKey;
use gateway::site::x509_hash;
use getrandom::SysRng;
use openid4vc::oidc::RsaSigningKey;
use openid4vc::vp::RequestSigner;
use rand_core::UnwrapErr;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose};
use rustls_pki_types::PrivatePkcs8KeyDer;
use url::Url;
use zeroize::Zeroizing;

use crate::clock;
use crate::failure::OrFail;
use crate::files::{self, Access};

/// Makes the keys of a new gateway.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Folder for the keys; files that exist are never overwritten.
    #[arg(long)]
    folder: PathBuf,
    /// The gateway's origin, such as `https://login.forum.localhost:9444`.
    #[arg(long)]
    origin: String,
}

impl InitArgs {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let origin = Origin::parse(&self.origin).or_fail("argument-invalid", || {
            format!("{} is not an https origin", self.origin)
        })?;
        files::make_private_folder(&self.folder)?;
        let request = SigningKey::generate().to_pkcs8();
        let certificate = certificate(&origin, &request, clock::now())?;
        self.write_key("request.key", &request)?;
        let pem = pem("CERTIFICATE", &certificate);
        files::write_new(
            &self.folder.join("request.pem"),
            pem.as_bytes(),
            Access::Public,
        )?;
        self.write_key("es256.key", &SigningKey::generate().to_pkcs8())?;
        self.write_key("rs256.key", &RsaSigningKey::generate()?.to_pkcs8()?)?;
        let site_key = SiteKey::draw(1, &mut UnwrapErr(SysRng));
        let text = Zeroizing::new(encode(site_key.expose()));
        files::write_new(
            &self.folder.join("site-1.key"),
            text.as_bytes(),
            Access::Private,
        )?;
        let signer = RequestSigner::new(SigningKey::from_pkcs8(&request)?, vec![certificate])?;
        announce(&origin, &x509_hash(&signer))
    }

    fn write_key(&self, name: &str, pkcs8: &[u8]) -> anyhow::Result<()> {
        let pem = pem("PRIVATE KEY", pkcs8);
        let path: &Path = &self.folder.join(name);
        files::write_new(path, pem.as_bytes(), Access::Private)
    }
}

#[expect(clippy::print_stdout, reason = "what the site entry must name")]
fn announce(origin: &Origin, x509_hash: &str) -> anyhow::Result<()> {
    println!(
        "{}",
        serde_json::json!({ "origin": origin, "x509_hash": x509_hash })
    );
    std::io::stdout()
        .flush()
        .context("cannot write to standard output")
}

/// A certificate that the request key signs for itself; the site entry vouches for it.
fn certificate(origin: &Origin, pkcs8: &[u8], now: UnixTime) -> anyhow::Result<Vec<u8>> {
    let key = KeyPair::try_from(&PrivatePkcs8KeyDer::from(pkcs8))?;
    let host = Url::parse(origin.as_str())?
        .host_str()
        .context("an origin has a host")?
        .to_owned();
    let mut params = CertificateParams::new(vec![host.clone()])?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, host);
    params.distinguished_name = name;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // An hour back, for wallets whose clock is behind.
    let begin = i64::try_from(now.0)?.saturating_sub(3600);
    params.not_before = time::OffsetDateTime::from_unix_timestamp(begin)?;
    params.not_after = params.not_before + time::Duration::days(CERTIFICATE_DAYS);
    Ok(params.self_signed(&key)?.der().to_vec())
}

/// The textual form of RFC 7468.
fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

const CERTIFICATE_DAYS: i64 = 3 * 365;
