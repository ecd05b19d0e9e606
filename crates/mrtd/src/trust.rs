//! The certificates of issuing states (CSCA) that are trusted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::certificate::{Certificate, CertificateError};

/// The trusted certificates. Being in it is what makes a certificate trusted: self-signatures
/// are not looked at.
pub struct TrustStore {
    authorities: Vec<Certificate>,
}

impl TrustStore {
    /// A store of these certificates, each in DER and of at most 64 KiB.
    ///
    /// # Errors
    ///
    /// The place of the first certificate that is refused, from 0, and why.
    pub fn from_der<I>(certificates: I) -> Result<TrustStore, (usize, AuthorityError)>
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let mut authorities = Vec::new();
        for (place, der) in certificates.into_iter().enumerate() {
            authorities.push(authority(der.as_ref()).map_err(|error| (place, error))?);
        }
        Ok(TrustStore { authorities })
    }

    /// A store of all files in `folder` whose names end in `.cer`, `.crt`, `.der` or `.pem`;
    /// each holds one certificate in DER, or any number in PEM. Subfolders are not searched.
    ///
    /// # Errors
    ///
    /// [`TrustFolderError`] if the folder or a file cannot be read, if any certificate is
    /// refused, or if there is none at all.
    pub fn load_folder(folder: &Path) -> Result<TrustStore, TrustFolderError> {
        let unreadable = |source| TrustFolderError::Read(folder.to_owned(), source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let ending = path
                .extension()
                .and_then(|ending| ending.to_str())
                .unwrap_or_default();
            if ENDINGS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(ending))
            {
                paths.push(path);
            }
        }
        paths.sort();
        let mut authorities = Vec::new();
        for path in paths {
            for der in read_certificates(&path)? {
                let refused = |source| TrustFolderError::Refused(path.clone(), source);
                authorities.push(authority(&der).map_err(refused)?);
            }
        }
        if authorities.is_empty() {
            return Err(TrustFolderError::Empty(folder.to_owned()));
        }
        Ok(TrustStore { authorities })
    }

    /// How many certificates are trusted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.authorities.len()
    }

    /// Whether nothing is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.authorities.is_empty()
    }

    /// The authorities that `certificate` names as its issuer.
    pub(crate) fn issuers_of<'a>(
        &'a self,
        certificate: &'a Certificate,
    ) -> impl Iterator<Item = &'a Certificate> {
        self.authorities
            .iter()
            .filter(|authority| certificate.names_as_issuer(authority))
    }
}

/// Why a certificate cannot be an authority.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthorityError {
    /// It cannot be read.
    #[error("the certificate cannot be read")]
    Malformed(#[from] CertificateError),
    /// It may not sign other certificates.
    #[error("the certificate is not one of an authority")]
    NotAnAuthority,
}

/// Why a folder is refused.
#[derive(Debug, Error)]
pub enum TrustFolderError {
    /// The folder, or a file in it, cannot be read.
    #[error("cannot read {0}")]
    Read(PathBuf, #[source] io::Error),
    /// The file is larger than 4 MiB.
    #[error("{0} is larger than 4 MiB")]
    TooLarge(PathBuf),
    /// The file is PEM and holds no certificate, or one that is not base64.
    #[error("{0} holds no certificate in PEM")]
    Pem(PathBuf),
    /// A certificate in the file is refused.
    #[error("refused certificate in {0}")]
    Refused(PathBuf, #[source] AuthorityError),
    /// There is no certificate in the folder.
    #[error("no certificate in {0}")]
    Empty(PathBuf),
}

fn authority(der: &[u8]) -> Result<Certificate, AuthorityError> {
    let certificate = Certificate::parse(der)?;
    if certificate.extras.may_certify() && certificate.extras.unknown_critical.is_none() {
        Ok(certificate)
    } else {
        Err(AuthorityError::NotAnAuthority)
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, TrustFolderError> {
    let unreadable = |source| TrustFolderError::Read(path.to_owned(), source);
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX_LEN {
        return Err(TrustFolderError::TooLarge(path.to_owned()));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    // DER begins with a SEQUENCE, a byte that begins no text.
    if bytes.first() == Some(&0x30) {
        return Ok(vec![bytes]);
    }
    let text = core::str::from_utf8(&bytes).ok();
    text.and_then(pem)
        .ok_or_else(|| TrustFolderError::Pem(path.to_owned()))
}

/// All certificates of a PEM text; `None` if there is none or one is malformed.
///
/// Source: RFC 7468 §5.
pub(crate) fn pem(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut blocks = text.split(PEM_BEGIN);
    blocks.next()?; // what stands before the first one is a comment
    let certificates: Option<Vec<_>> = blocks
        .map(|block| {
            let (body, _) = block.split_once(PEM_END)?;
            let base64: String = body.split_whitespace().collect();
            STANDARD.decode(base64).ok()
        })
        .collect();
    certificates.filter(|found| !found.is_empty())
}

const ENDINGS: [&str; 4] = ["cer", "crt", "der", "pem"];
const FILE_MAX_LEN: u64 = 4 << 20;
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";
