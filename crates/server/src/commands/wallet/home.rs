//! The wallet's folder: key, vault, device keys, and the lock that keeps two copies apart.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use wallet::device::DeviceKeys;
use wallet::seal::DeviceIdentity;
use wallet::vault::{OperatorTrust, Vault};

use crate::client::HttpsClient;
use crate::config::ClientConfig;
use crate::failure::Failure;
use crate::files::{self, Access};

const IDENTITY: &str = "identity.key";
const VAULT: &str = "vault.age";
const DEVICE_KEYS: &str = "device-keys.age";
const AUTHORITIES: &str = "authorities.pem";
const LOCK: &str = "lock";

/// An opened wallet folder.
pub(super) struct Home {
    folder: PathBuf,
    identity: DeviceIdentity,
    /// Held as long as this value lives.
    _lock: File,
    /// The vault.
    pub(super) vault: Vault,
    /// The keys of this device.
    pub(super) keys: DeviceKeys,
}

impl Home {
    /// Opens the wallet in `folder`.
    ///
    /// # Errors
    ///
    /// `wallet-missing`, `wallet-busy`, `vault-damaged`.
    pub(super) fn open(folder: &Path) -> Result<Home, Failure> {
        check_presence(folder)?;
        let lock = lock(folder)?;
        let identity = read_identity(folder)?;
        let vault = open_sealed(&identity, &folder.join(VAULT))?;
        let keys = open_sealed(&identity, &folder.join(DEVICE_KEYS))?;
        Ok(Home {
            folder: folder.to_owned(),
            identity,
            _lock: lock,
            vault,
            keys,
        })
    }

    /// Makes a wallet in `folder` with this vault, or refuses where there is one.
    ///
    /// # Errors
    ///
    /// `wallet-exists`, `wallet-busy`, `local-failure`.
    pub(super) fn create(folder: &Path, vault: Vault, ca: Option<&Path>) -> Result<Home, Failure> {
        if folder.join(VAULT).exists() {
            let what = format!("there is a wallet in {} already", folder.display());
            let next =
                "Use another folder (--home), or remove that wallet with `bauta wallet delete`.";
            return Err(Failure::new("wallet-exists", what, next));
        }
        files::make_private_folder(folder)?;
        let lock = lock(folder)?;
        if let Some(ca) = ca {
            files::replace(&folder.join(AUTHORITIES), &files::read(ca)?)?;
        }
        let identity = if folder.join(IDENTITY).exists() {
            read_identity(folder)?
        } else {
            let identity = DeviceIdentity::generate();
            files::write_new(
                &folder.join(IDENTITY),
                identity.expose().as_bytes(),
                Access::Private,
            )?;
            identity
        };
        let keys = DeviceKeys::default();
        let home = Home {
            folder: folder.to_owned(),
            identity,
            _lock: lock,
            vault,
            keys,
        };
        home.save_keys()?;
        home.save_vault()?;
        Ok(home)
    }

    /// Opens the wallet in `folder`, or makes one for this operator.
    ///
    /// # Errors
    ///
    /// As [`Home::open`] and [`Home::create`]; `other-operator` where the wallet is another
    /// operator's.
    pub(super) fn open_or_create(
        folder: &Path,
        operator: &OperatorTrust,
        ca: Option<&Path>,
    ) -> Result<Home, Failure> {
        if !folder.join(VAULT).exists() {
            return Home::create(folder, Vault::new(operator.clone()), ca);
        }
        let home = Home::open(folder)?;
        if home.vault.operator != *operator {
            let next = "Use another folder (--home) for another operator.";
            return Err(Failure::new(
                "other-operator",
                "this wallet belongs to another operator",
                next,
            ));
        }
        Ok(home)
    }

    /// Writes the vault.
    ///
    /// # Errors
    ///
    /// `local-failure`; the old vault is intact then.
    pub(super) fn save_vault(&self) -> Result<(), Failure> {
        self.save(VAULT, self.identity.seal(&self.vault))
    }

    /// Writes the device keys.
    ///
    /// # Errors
    ///
    /// `local-failure`; the old keys are intact then.
    pub(super) fn save_keys(&self) -> Result<(), Failure> {
        self.save(DEVICE_KEYS, self.identity.seal(&self.keys))
    }

    /// Forgets the enrolment that is over: its token, what it was to certify, and the secrets drawn for it.
    ///
    /// # Errors
    ///
    /// `local-failure`.
    pub(super) fn forget_enrolment(&mut self) -> Result<(), Failure> {
        self.keys.enrolment = None;
        self.save_keys()
    }

    fn save(
        &self,
        name: &str,
        sealed: Result<Vec<u8>, wallet::seal::SealError>,
    ) -> Result<(), Failure> {
        let sealed = sealed.map_err(|error| Failure::new("local-failure", error, ""))?;
        Ok(files::replace(&self.folder.join(name), &sealed)?)
    }

    /// A client that trusts this wallet's authorities, or the platform's where it has none.
    ///
    /// # Errors
    ///
    /// `local-failure`.
    pub(super) fn client(&self) -> Result<HttpsClient, Failure> {
        let ca_file = Some(self.folder.join(AUTHORITIES)).filter(|path| path.exists());
        Ok(HttpsClient::new(&ClientConfig {
            ca_file,
            ..ClientConfig::default()
        })?)
    }
}

/// Whether there is a wallet in `folder`.
///
/// # Errors
///
/// `wallet-missing`.
pub(super) fn check_presence(folder: &Path) -> Result<(), Failure> {
    if folder.join(VAULT).exists() {
        return Ok(());
    }
    let what = format!("there is no wallet in {}", folder.display());
    let next =
        "Begin with `bauta wallet enrol`, or bring back a backup with `bauta wallet restore`.";
    Err(Failure::new("wallet-missing", what, next))
}

/// Removes the wallet's files, readable or not.
///
/// # Errors
///
/// `wallet-busy`, `local-failure`; then the command can be repeated.
pub(super) fn delete(folder: &Path) -> Result<(), Failure> {
    let _lock = lock(folder)?;
    // The key first: what it sealed is unreadable from then on, whatever happens next. The vault
    // last, because where it is there is a wallet to delete.
    for name in [IDENTITY, DEVICE_KEYS, AUTHORITIES, LOCK, VAULT] {
        let path = folder.join(name);
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            let what = format!("cannot remove {}: {error}", path.display());
            return Err(Failure::new("local-failure", what, ""));
        }
    }
    Ok(())
}

fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.map_err(|error| {
        Failure::new(
            "local-failure",
            format!("cannot open {}: {error}", path.display()),
            "",
        )
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => {
            let next = "Wait until the other command has ended, then run this one again.";
            Err(Failure::new(
                "wallet-busy",
                "another command uses this wallet",
                next,
            ))
        }
    }
}

fn read_identity(folder: &Path) -> Result<DeviceIdentity, Failure> {
    let text = zeroize::Zeroizing::new(files::read(&folder.join(IDENTITY))?);
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| DeviceIdentity::parse(text).ok())
        .ok_or_else(|| Failure::new("vault-damaged", "the wallet's key file is damaged", RESTORE))
}

const RESTORE: &str =
    "Bring back your backup in another folder: bauta wallet --home FOLDER restore FILE";

fn open_sealed<T: serde::de::DeserializeOwned>(
    identity: &DeviceIdentity,
    path: &Path,
) -> Result<T, Failure> {
    let sealed = files::read(path)?;
    identity.open(&sealed).map_err(|error| {
        Failure::new(
            "vault-damaged",
            format!("{}: {error}", path.display()),
            RESTORE,
        )
    })
}
