//! The certificates of issuing states (CSCA) that are trusted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::certificate::{Certificate, CertificateError};
use crate::signature::SignatureError;
use crate::state::CountryCode;
use crate::time::{Period, UnixTime};

mod master_list;
mod revocation;

pub(crate) use master_list::MASTER_LIST;
pub use master_list::{MasterList, MasterListError};
pub use revocation::{Revocation, RevocationListError};
use revocation::{RevocationList, Revoked};

/// The trusted certificates. Being in it is what makes a certificate trusted: self-signatures
/// are not looked at.
#[derive(Default)]
pub struct TrustStore {
    authorities: Vec<Certificate>,
    lists: Vec<RevocationList>,
    left_out: Vec<String>,
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
        Ok(TrustStore {
            authorities,
            ..TrustStore::default()
        })
    }

    /// A store of all files in `folder` whose names end in `.cer`, `.crt`, `.der` or `.pem` (each
    /// holds one certificate in DER, or any number in PEM), `.ml` (a master list, taken whole) or
    /// `.crl` (a revocation list in DER of one of these authorities). Subfolders are not searched.
    ///
    /// Being in the folder is what makes a file trusted; who signed a master list is asked when
    /// it is put there.
    ///
    /// # Errors
    ///
    /// [`TrustFolderError`] if the folder or a file cannot be read, if any file is refused, or if
    /// there is no certificate at all.
    pub fn load_folder(folder: &Path) -> Result<TrustStore, TrustFolderError> {
        let unreadable = |source| TrustFolderError::Read(folder.to_owned(), source);
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.sort();
        let of_kind = |kind: Kind| {
            paths
                .iter()
                .filter(move |path| Kind::of(path) == Some(kind))
        };
        let mut store = TrustStore::default();
        for path in of_kind(Kind::Certificates).chain(of_kind(Kind::MasterList)) {
            store.add_file(path)?;
        }
        if store.is_empty() {
            return Err(TrustFolderError::Empty(folder.to_owned()));
        }
        for path in of_kind(Kind::RevocationList) {
            match store.add_revocation_list(&read(path)?) {
                Ok(_) => {}
                // Of an authority that a later master list no longer has.
                Err(error @ RevocationListError::UnknownAuthority) => {
                    store.left_out.push(format!("{}: {error}", path.display()));
                }
                Err(error) => {
                    return Err(TrustFolderError::RevocationList(path.clone(), error));
                }
            }
        }
        Ok(store)
    }

    /// The certificates of a file. One of a master list that is none of an authority is left out:
    /// the list is a state's, and the rest of it is good.
    fn add_file(&mut self, path: &Path) -> Result<(), TrustFolderError> {
        let is_list = Kind::of(path) == Some(Kind::MasterList);
        for (place, der) in read_certificates(path)?.iter().enumerate() {
            match authority(der) {
                Ok(certificate) => self.authorities.push(certificate),
                Err(error) if is_list => {
                    let what = format!("{}, certificate {place}: {error}", path.display());
                    self.left_out.push(what);
                }
                Err(error) => return Err(TrustFolderError::Refused(path.to_owned(), error)),
            }
        }
        Ok(())
    }

    /// What of the files could not be used, in words: certificates of master lists that are none of
    /// an authority, and revocation lists whose authority is not trusted.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// A store of one file, of any of the kinds that [`TrustStore::load_folder`] reads but a
    /// revocation list.
    ///
    /// # Errors
    ///
    /// [`TrustFolderError`].
    pub fn load_file(path: &Path) -> Result<TrustStore, TrustFolderError> {
        let mut store = TrustStore::default();
        store.add_file(path)?;
        Ok(store)
    }

    /// Takes the revocation list of a trusted authority, and gives the authority that signed it;
    /// `None` when a newer list of the same issuer is there already, which stays.
    ///
    /// # Errors
    ///
    /// [`RevocationListError`].
    pub fn add_revocation_list(
        &mut self,
        der: &[u8],
    ) -> Result<Option<Authority<'_>>, RevocationListError> {
        let mut list = RevocationList::parse(der)?;
        let TrustStore {
            authorities, lists, ..
        } = self;
        let authority = list.verify(authorities)?;
        let mut present = lists.iter().filter(|one| one.is_of_the_same_issuer(&list));
        if present.any(|one| one.is_newer_than(&list)) {
            return Ok(None);
        }
        lists.retain(|one| !one.is_of_the_same_issuer(&list));
        lists.push(list);
        Ok(Some(Authority(authority)))
    }

    /// How many revocation lists are there.
    #[must_use]
    pub fn revocation_lists(&self) -> usize {
        self.lists.len()
    }

    /// Checks that a certificate of a new key is signed by a trusted authority of the same state
    /// (a link certificate), for whoever adds it.
    ///
    /// # Errors
    ///
    /// [`LinkError`].
    pub fn check_link(&self, der: &[u8]) -> Result<(), LinkError> {
        let link = authority(der)?;
        if self.revokes(&link) {
            return Err(LinkError::UnknownAuthority);
        }
        if link
            .signature_scheme()
            .is_ok_and(|scheme| scheme.hash().is_weak())
        {
            return Err(LinkError::Weak);
        }
        let mut refusal = LinkError::UnknownAuthority;
        for old in self.issuers_of(&link).filter(|old| !self.revokes(old)) {
            match link.verify_signed_by(old) {
                Ok(()) if old.country != link.country => refusal = LinkError::OtherState,
                Ok(()) if !old.validity.contains(link.validity.from) => {
                    refusal = LinkError::NotValid;
                }
                Ok(()) => return Ok(()),
                Err(error) => refusal = LinkError::Signature(error),
            }
        }
        Err(refusal)
    }

    /// The trusted certificates, in the order in which they were read.
    pub fn authorities(&self) -> impl Iterator<Item = Authority<'_>> {
        self.authorities.iter().map(Authority)
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

    /// The other authorities of its country, because some signers write the name of their issuer
    /// in another way than it does.
    pub(crate) fn compatriots_of<'a>(
        &'a self,
        certificate: &'a Certificate,
    ) -> impl Iterator<Item = &'a Certificate> {
        self.authorities.iter().filter(|authority| {
            certificate.country.is_some()
                && authority.country == certificate.country
                && !certificate.names_as_issuer(authority)
        })
    }

    /// What the revocation lists say of a signer under the key of this authority.
    pub(crate) fn revocation(
        &self,
        signer: &Certificate,
        authority: &Certificate,
        now: UnixTime,
    ) -> Result<Revocation, Revoked> {
        let about = |list: &&RevocationList| list.is_about(signer, &authority.public_key);
        let mut answer = Revocation::NoList;
        for list in self.lists.iter().filter(about) {
            let said = list.says_of(signer, now)?;
            answer = match (answer, said) {
                (Revocation::NotListed { made: one, .. }, Revocation::NotListed { made, .. })
                    if one > made =>
                {
                    answer
                }
                _ => said,
            };
        }
        Ok(answer)
    }

    /// Whether a state has revoked this certificate of an authority.
    pub(crate) fn revokes(&self, authority: &Certificate) -> bool {
        self.lists.iter().any(|list| list.revokes(authority))
    }
}

/// A trusted certificate.
#[derive(Clone, Copy)]
pub struct Authority<'a>(&'a Certificate);

impl Authority<'_> {
    /// The state in its name; some name none that can be read.
    #[must_use]
    pub fn country(&self) -> Option<CountryCode> {
        self.0.country
    }

    /// When it is valid.
    #[must_use]
    pub fn validity(&self) -> Period {
        self.0.validity
    }

    /// Its key, such as `RSA 4096` or `ECDSA brainpoolP256r1`.
    ///
    /// # Errors
    ///
    /// [`SignatureError`] when the key cannot be used.
    pub fn key(&self) -> Result<String, SignatureError> {
        Ok(self.0.public_key()?.name())
    }

    /// SHA-256 of the certificate in DER.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.0.fingerprint
    }
}

/// Why a certificate of a new key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// It cannot be one of an authority.
    #[error("the certificate is not one of an authority")]
    Authority(#[from] AuthorityError),
    /// It is signed with SHA-1.
    #[error("the certificate is signed with SHA-1")]
    Weak,
    /// No trusted authority is its issuer.
    #[error("no trusted authority has signed the certificate")]
    UnknownAuthority,
    /// An authority of its issuer's name is trusted, but the signature is refused.
    #[error("the signature of the certificate is refused")]
    Signature(#[source] SignatureError),
    /// The authority was not valid when it signed.
    #[error("the authority that signed the certificate was not valid then")]
    NotValid,
    /// It is signed by another state.
    #[error("the certificate is signed by another state than it names")]
    OtherState,
}

/// What a file of a trust folder holds, by the end of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Certificates,
    MasterList,
    RevocationList,
}

impl Kind {
    fn of(path: &Path) -> Option<Kind> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "cer" | "crt" | "der" | "pem" => Some(Kind::Certificates),
            "ml" => Some(Kind::MasterList),
            "crl" => Some(Kind::RevocationList),
            _ => None,
        }
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
    /// The file is larger than 16 MiB.
    #[error("{0} is larger than 16 MiB")]
    TooLarge(PathBuf),
    /// The file is PEM and holds no certificate, or one that is not base64.
    #[error("{0} holds no certificate in PEM")]
    Pem(PathBuf),
    /// A certificate in the file is refused.
    #[error("refused certificate in {0}")]
    Refused(PathBuf, #[source] AuthorityError),
    /// A master list is refused.
    #[error("refused master list {0}")]
    MasterList(PathBuf, #[source] MasterListError),
    /// A revocation list is refused.
    #[error("refused revocation list {0}")]
    RevocationList(PathBuf, #[source] RevocationListError),
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

fn read(path: &Path) -> Result<Vec<u8>, TrustFolderError> {
    let unreadable = |source| TrustFolderError::Read(path.to_owned(), source);
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_MAX_LEN {
        return Err(TrustFolderError::TooLarge(path.to_owned()));
    }
    fs::read(path).map_err(unreadable)
}

fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, TrustFolderError> {
    let bytes = read(path)?;
    if Kind::of(path) == Some(Kind::MasterList) {
        let refused = |source| TrustFolderError::MasterList(path.to_owned(), source);
        let list = MasterList::parse(&bytes).map_err(refused)?;
        return Ok(list.certificates().to_vec());
    }
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

const FILE_MAX_LEN: u64 = 16 << 20;
const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

#[cfg(test)]
mod tests;
