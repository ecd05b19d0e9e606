//! TLS for our servers, and a certification authority for the loopback interface.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use credential::time::UnixTime;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};

const AUTHORITY_CERTIFICATE: &str = "ca.pem";
const AUTHORITY_KEY: &str = "ca.key";
const AUTHORITY_NAME: &str = "bauta loopback CA";
const AUTHORITY_DAYS: u64 = 3650;
/// Browsers refuse leaves that live longer than 398 days.
const LEAF_DAYS: u64 = 397;

/// Reads a certificate chain and its key from PEM files.
///
/// # Errors
///
/// When a file is missing or holds no usable certificate or key.
pub fn server_config(certificate: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .or_fail("file-invalid", || {
            format!("cannot read certificates from {}", certificate.display())
        })?;
    let key = PrivateKeyDer::from_pem_file(key).or_fail("file-invalid", || {
        format!("cannot read a private key from {}", key.display())
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A certification authority that can speak for `localhost` and 127.0.0.0/8 alone.
///
/// Whoever trusts it takes no risk beyond the loopback interface: the constraint is in its
/// certificate (RFC 5280 §4.2.1.10).
pub struct LoopbackAuthority {
    issuer: Issuer<'static, KeyPair>,
}

impl LoopbackAuthority {
    /// Opens the authority in `folder`, and makes it first where there is none.
    ///
    /// # Errors
    ///
    /// When the folder or its files cannot be read or written.
    pub fn open_or_make(folder: &Path, now: UnixTime) -> anyhow::Result<LoopbackAuthority> {
        let key_file = folder.join(AUTHORITY_KEY);
        let params = authority_params(now)?;
        if key_file.exists() {
            let pem = std::fs::read_to_string(&key_file)
                .or_fail("file-unreadable", || "cannot read the CA's key")?;
            let key =
                KeyPair::from_pem(&pem).or_fail("file-invalid", || "the CA's key is not usable")?;
            // Issuing needs the name and the key alone, and the name is always the same.
            return Ok(LoopbackAuthority {
                issuer: Issuer::new(params, key),
            });
        }
        files::make_private_folder(folder)?;
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let pem = certificate.pem();
        files::write_new(
            &folder.join(AUTHORITY_CERTIFICATE),
            pem.as_bytes(),
            Access::Public,
        )?;
        // The key comes last: an authority whose key exists is complete.
        files::write_new(&key_file, key.serialize_pem().as_bytes(), Access::Private)?;
        Ok(LoopbackAuthority {
            issuer: Issuer::new(params, key),
        })
    }

    /// Makes a server certificate for `names` (host names or IPv4 addresses) and writes it to
    /// `certificate` and `key`.
    ///
    /// # Errors
    ///
    /// When a name is not on the loopback interface, or a file cannot be written.
    pub fn make_leaf(
        &self,
        names: &[String],
        now: UnixTime,
        certificate: &Path,
        key: &Path,
    ) -> anyhow::Result<()> {
        if let Some(name) = names.iter().find(|name| !is_loopback(name)) {
            return Err(Failure::of(
                "argument-invalid",
                format!("{name} is not a name of the loopback interface"),
            )
            .into());
        }
        let mut params = CertificateParams::new(names)?;
        set_validity(&mut params, now, LEAF_DAYS)?;
        params.distinguished_name = DistinguishedName::new();
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf_key = KeyPair::generate()?;
        let leaf = params.signed_by(&leaf_key, &self.issuer)?;
        files::write_new(key, leaf_key.serialize_pem().as_bytes(), Access::Private)?;
        files::write_new(certificate, leaf.pem().as_bytes(), Access::Public)
    }
}

fn authority_params(now: UnixTime) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    set_validity(&mut params, now, AUTHORITY_DAYS)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, AUTHORITY_NAME);
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let loopback = CidrSubnet::from_addr_prefix(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(loopback),
        ],
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn set_validity(params: &mut CertificateParams, now: UnixTime, days: u64) -> anyhow::Result<()> {
    // An hour back, for clients whose clock is behind.
    let begin = i64::try_from(now.0)?.saturating_sub(3600);
    params.not_before = time::OffsetDateTime::from_unix_timestamp(begin)?;
    let end = begin.saturating_add(i64::try_from(days * 86_400)?);
    params.not_after = time::OffsetDateTime::from_unix_timestamp(end)?;
    Ok(())
}

/// Whether `name` is `localhost`, ends in `.localhost` (RFC 6761 §6.3) or is in 127.0.0.0/8.
#[must_use]
pub fn is_loopback(name: &str) -> bool {
    let host = name.trim_end_matches('.').to_ascii_lowercase();
    let address = host.parse::<Ipv4Addr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn a_leaf_serves_and_the_authority_survives_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        let authority = folder.path().join("ca");
        drop(LoopbackAuthority::open_or_make(&authority, NOW).unwrap());
        let again = LoopbackAuthority::open_or_make(&authority, NOW).unwrap();
        again
            .make_leaf(&["operator.localhost".to_owned()], NOW, &cert, &key)
            .unwrap();
        assert!(server_config(&cert, &key).is_ok());
    }

    #[test]
    fn a_name_beyond_the_loopback_interface_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let authority = LoopbackAuthority::open_or_make(folder.path(), NOW).unwrap();
        let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        for name in ["example.org", "localhost.example.org", "10.0.0.1"] {
            assert!(
                authority
                    .make_leaf(&[name.to_owned()], NOW, &cert, &key)
                    .is_err()
            );
        }
        assert!(!cert.exists() && !key.exists());
    }
}
