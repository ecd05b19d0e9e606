//! The issuer's keys, one for each epoch, drawn independently and destroyed after their time.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bbs::SecretKey;
use credential::jose::SigningKey;
use credential::manifest::{IssuerKey, Manifest};
use credential::origin::Origin;
use credential::time::{Epoch, UnixTime};
use zeroize::Zeroizing;

use crate::secret;

/// Name of a key's file is this and the epoch.
const FILE_PREFIX: &str = "epoch-";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// The folder or a file in it cannot be read or written.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
    /// A file holds no key.
    #[error("{0} holds no issuer key")]
    Damaged(PathBuf),
}

/// The keys of the present epoch and its neighbours, kept in a folder.
pub struct EpochKeys {
    folder: PathBuf,
    keys: RwLock<BTreeMap<Epoch, Arc<EpochKey>>>,
}

/// The key of one epoch.
pub struct EpochKey {
    epoch: Epoch,
    secret: SecretKey,
}

impl EpochKey {
    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The key.
    #[must_use]
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }
}

impl EpochKeys {
    /// Opens the folder, which must exist, and brings its keys up to date.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn open(folder: &Path, now: UnixTime) -> Result<EpochKeys, KeyFolderError> {
        let keys = EpochKeys {
            folder: folder.to_owned(),
            keys: RwLock::default(),
        };
        keys.turn(now)?;
        Ok(keys)
    }

    /// Draws the keys of this and the next epoch where they are missing, and destroys those from
    /// before the previous epoch. Writes nothing when all is as it should be.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn turn(&self, now: UnixTime) -> Result<(), KeyFolderError> {
        let epoch = now.epoch();
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        self.destroy_before(epoch.previous())?;
        keys.retain(|of, _| *of >= epoch.previous());
        for of in [epoch.previous(), epoch, epoch.next()] {
            if keys.contains_key(&of) {
                continue;
            }
            let found = self.read(of)?;
            let secret = match found {
                Some(secret) => secret,
                // Nothing was signed in an epoch in which there was no key.
                None if of < epoch => continue,
                None => self.draw(of)?,
            };
            keys.insert(of, Arc::new(EpochKey { epoch: of, secret }));
        }
        Ok(())
    }

    /// The key of the present epoch.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn current(&self, now: UnixTime) -> Result<Arc<EpochKey>, KeyFolderError> {
        if let Some(key) = self.find(now.epoch()) {
            return Ok(key);
        }
        self.turn(now)?;
        let path = self.path(now.epoch());
        self.find(now.epoch()).ok_or(KeyFolderError::Damaged(path))
    }

    /// The signed manifest of the present epoch.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn manifest(
        &self,
        origin: &Origin,
        operator_key: &SigningKey,
        now: UnixTime,
    ) -> Result<String, KeyFolderError> {
        self.turn(now)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys: Vec<IssuerKey> = keys
            .values()
            .map(|key| IssuerKey {
                epoch: key.epoch,
                key: key.secret.public(),
            })
            .collect();
        Ok(Manifest::sign(origin, &keys, now, operator_key))
    }

    fn find(&self, epoch: Epoch) -> Option<Arc<EpochKey>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&epoch).map(Arc::clone)
    }

    fn path(&self, epoch: Epoch) -> PathBuf {
        self.folder.join(format!("{FILE_PREFIX}{}", epoch.0))
    }

    fn read(&self, epoch: Epoch) -> Result<Option<SecretKey>, KeyFolderError> {
        let path = self.path(epoch);
        let bytes = match fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(KeyFolderError::Io(path, error)),
        };
        let key = bytes.as_slice().try_into().ok().map(SecretKey::from_bytes);
        match key {
            Some(Ok(key)) => Ok(Some(key)),
            Some(Err(_)) | None => Err(KeyFolderError::Damaged(path)),
        }
    }

    /// Draws a key and stores it before anybody can use it.
    fn draw(&self, epoch: Epoch) -> Result<SecretKey, KeyFolderError> {
        let key = SecretKey::generate(&mut secret::rng());
        let path = self.path(epoch);
        let unfinished = path.with_extension("new");
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&unfinished)?;
            file.write_all(&*key.expose())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| KeyFolderError::Io(path.clone(), error))?;
        Ok(key)
    }

    fn destroy_before(&self, first_kept: Epoch) -> Result<(), KeyFolderError> {
        let failed = |error| KeyFolderError::Io(self.folder.clone(), error);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let epoch = name
                .to_str()
                .and_then(|name| name.strip_prefix(FILE_PREFIX)?.parse().ok());
            if epoch.is_some_and(|epoch: u32| Epoch(epoch) < first_kept) {
                overwrite_and_remove(&entry.path())
                    .map_err(|error| KeyFolderError::Io(entry.path(), error))?;
            }
        }
        Ok(())
    }
}

/// Overwriting first costs nothing and helps on file systems that write in place.
fn overwrite_and_remove(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&[0; 32])?;
    file.sync_all()?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn keys_are_drawn_one_epoch_ahead_and_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = NOW.epoch();
        let keys = EpochKeys::open(folder.path(), NOW).unwrap();
        let expected = [epoch, epoch.next()].map(|epoch| format!("epoch-{}", epoch.0));
        assert_eq!(names(folder.path()), expected);
        let first = keys.current(NOW).unwrap().secret().expose();
        let next = keys
            .current(epoch.next().start())
            .unwrap()
            .secret()
            .expose();
        assert_ne!(first, next);
        let again = EpochKeys::open(folder.path(), NOW).unwrap();
        assert_eq!(again.current(NOW).unwrap().secret().expose(), first);
        let mode = folder
            .path()
            .join(&expected[0])
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_key_is_destroyed_when_its_certificates_are_no_longer_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = NOW.epoch();
        let keys = EpochKeys::open(folder.path(), NOW).unwrap();
        keys.turn(epoch.next().start()).unwrap();
        assert_eq!(names(folder.path()).len(), 3);
        keys.turn(epoch.next().next().start()).unwrap();
        assert!(!names(folder.path()).contains(&format!("epoch-{}", epoch.0)));
        assert!(keys.find(epoch).is_none());
    }

    #[test]
    fn a_damaged_key_is_an_error_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("epoch-{}", NOW.epoch().0));
        fs::write(&path, b"short").unwrap();
        let refused = EpochKeys::open(folder.path(), NOW).err();
        assert!(matches!(refused, Some(KeyFolderError::Damaged(_))));
        assert_eq!(fs::read(&path).unwrap(), b"short");
    }

    #[test]
    fn the_manifest_holds_the_keys_of_this_and_the_next_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let keys = EpochKeys::open(folder.path(), NOW).unwrap();
        let (origin, key) = (
            Origin::parse("https://op.example").unwrap(),
            SigningKey::generate(),
        );
        let signed = keys.manifest(&origin, &key, NOW).unwrap();
        let manifest = Manifest::verify(&signed, &origin, key.public(), NOW).unwrap();
        assert!(manifest.keys().covers(NOW.epoch()));
        let listed = manifest.keys().of(NOW.epoch()).unwrap().key;
        assert!(listed.to_bytes() == keys.current(NOW).unwrap().secret().public().to_bytes());
    }
}
