//! Backups: the secrets and the list of sites, under a passphrase; never a device key.

use std::collections::BTreeMap;

use credential::age::Years;
use credential::manifest::IssuerKeys;
use credential::time::Epoch;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::{self, SealError};
use crate::vault::{OperatorTrust, Person, SiteRecord, SiteState, Vault};

/// The version of the backup's form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct BackupRef<'a> {
    version: u32,
    operator: &'a OperatorTrust,
    person: &'a Person,
    issuer_keys: &'a IssuerKeys,
    manifest_epoch: Option<Epoch>,
    sites: &'a [SiteRecord],
    ages_asked: &'a BTreeMap<String, Years>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Backup {
    version: u32,
    operator: OperatorTrust,
    person: Person,
    issuer_keys: IssuerKeys,
    manifest_epoch: Option<Epoch>,
    sites: Vec<SiteRecord>,
    /// Backups of earlier versions have none.
    #[serde(default)]
    ages_asked: BTreeMap<String, Years>,
}

/// Why a backup cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to back up.
    #[error("this wallet holds no registration yet")]
    Empty,
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// It was written by a newer program.
    #[error("the backup was written by another version of this program")]
    Version,
}

/// Seals the secrets of `vault` under `passphrase`.
///
/// # Errors
///
/// [`BackupError::Empty`] or [`BackupError::Seal`].
pub fn create(vault: &Vault, passphrase: Zeroizing<String>) -> Result<Vec<u8>, BackupError> {
    let backup = BackupRef {
        version: VERSION,
        operator: &vault.operator,
        person: vault.person.as_ref().ok_or(BackupError::Empty)?,
        issuer_keys: &vault.issuer_keys,
        manifest_epoch: vault.manifest_epoch,
        sites: &vault.sites,
        ages_asked: &vault.ages_asked,
    };
    Ok(seal::seal_with_passphrase(&backup, passphrase)?)
}

/// A new vault from a backup: the same secrets, no certificate, this device new to every site.
///
/// # Errors
///
/// [`BackupError::Seal`] or [`BackupError::Version`].
pub fn restore(sealed: &[u8], passphrase: Zeroizing<String>) -> Result<Vault, BackupError> {
    let backup: Backup = seal::open_with_passphrase(sealed, passphrase)?;
    if backup.version != VERSION {
        return Err(BackupError::Version);
    }
    let new_device = |site| SiteRecord {
        state: SiteState::NewDevice,
        ..site
    };
    Ok(Vault {
        operator: backup.operator,
        issuer_keys: backup.issuer_keys,
        manifest_epoch: backup.manifest_epoch,
        manifest_at: None,
        person: Some(backup.person),
        registered: true,
        sites: backup.sites.into_iter().map(new_device).collect(),
        ages_asked: backup.ages_asked,
        renewal_refusal: None,
        consents: Vec::new(),
    })
}
