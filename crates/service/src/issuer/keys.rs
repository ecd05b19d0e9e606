//! The issuer's keys, one for each epoch, drawn independently. Secret keys exist for this and the
//! next epoch alone; public keys stay for renewals of certificates that are a year old.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bbs::{PublicKey, SecretKey};
use credential::jose::SigningKey;
use credential::manifest::{IssuerKey, Manifest};
use credential::origin::Origin;
use credential::renewal::CATCH_UP_EPOCHS;
use credential::time::{Epoch, UnixTime};
use zeroize::Zeroizing;

use crate::secret;

/// Name of a secret key's file is this and the epoch.
const FILE_PREFIX: &str = "epoch-";
/// Behind the name of the secret key's file: the public key.
const PUBLIC_EXTENSION: &str = "pub";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFolderError {
    /// The folder or a file in it cannot be read or written.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
    /// A file holds no key.
    #[error("{0} holds no issuer key")]
    Damaged(PathBuf),
    /// The epoch had a key and its secret part is gone: another one would part people.
    #[error("the secret issuer key of epoch {} is gone, and its public key was drawn before", .0.0)]
    Gone(Epoch),
}

/// The keys of the present epoch and those around it, kept in a folder.
pub struct EpochKeys {
    folder: PathBuf,
    keys: RwLock<Keys>,
}

#[derive(Default)]
struct Keys {
    /// The latest epoch that was seen. A request that is older by a moment moves nothing back.
    turned: Option<Epoch>,
    secret: BTreeMap<Epoch, Arc<EpochKey>>,
    public: BTreeMap<Epoch, IssuerKey>,
}

/// The secret key of one epoch.
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

    /// Draws the keys of this and the next epoch where they are missing, destroys the secret keys
    /// of all epochs before this one, and forgets public keys that are too old for a renewal.
    /// Writes nothing when all is as it should be.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn turn(&self, now: UnixTime) -> Result<(), KeyFolderError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = now.epoch();
        match keys.turned {
            Some(turned) if turned >= epoch => return Ok(()),
            Some(_) => {}
            None => self.read_folder(&mut keys)?,
        }
        for of in [epoch, epoch.next()] {
            if keys.secret.contains_key(&of) {
                continue;
            }
            if keys.public.contains_key(&of) {
                return Err(KeyFolderError::Gone(of));
            }
            let key = EpochKey {
                epoch: of,
                secret: self.draw(of)?,
            };
            keys.secret.insert(of, Arc::new(key));
        }
        self.publish(&mut keys)?;
        self.destroy_before(epoch, Secrecy::Secret)?;
        keys.secret.retain(|of, _| *of >= epoch);
        let oldest = Epoch(epoch.0.saturating_sub(CATCH_UP_EPOCHS));
        self.destroy_before(oldest, Secrecy::Public)?;
        keys.public.retain(|of, _| *of >= oldest);
        keys.turned = Some(epoch);
        Ok(())
    }

    /// The secret key of the present epoch.
    ///
    /// # Errors
    ///
    /// The variants of [`KeyFolderError`].
    pub fn current(&self, now: UnixTime) -> Result<Arc<EpochKey>, KeyFolderError> {
        self.turn(now)?;
        self.secret(now.epoch())
    }

    /// The secret key of an epoch whose certificates are issued: the present one or the next.
    ///
    /// # Errors
    ///
    /// [`KeyFolderError::Gone`] for another epoch.
    pub fn secret(&self, epoch: Epoch) -> Result<Arc<EpochKey>, KeyFolderError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.secret.get(&epoch).map(Arc::clone);
        key.ok_or(KeyFolderError::Gone(epoch))
    }

    /// The public key of an epoch, if certificates of it are renewed.
    #[must_use]
    pub fn public(&self, epoch: Epoch) -> Option<IssuerKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.public.get(&epoch).copied()
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
        let epoch = now.epoch();
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let around = keys.public.range(epoch.previous()..=epoch.next());
        let around: Vec<IssuerKey> = around.map(|(_, key)| *key).collect();
        Ok(Manifest::sign(origin, &around, now, operator_key))
    }

    /// Reads all keys that the folder holds.
    fn read_folder(&self, keys: &mut Keys) -> Result<(), KeyFolderError> {
        for (path, epoch, secrecy) in self.files()? {
            let octets =
                fs::read(&path).map_err(|error| KeyFolderError::Io(path.clone(), error))?;
            let octets = Zeroizing::new(octets);
            let damaged = || KeyFolderError::Damaged(path.clone());
            match secrecy {
                Secrecy::Secret => {
                    let octets = octets.as_slice().try_into().map_err(|_| damaged())?;
                    let secret = SecretKey::from_bytes(octets).map_err(|_| damaged())?;
                    keys.secret
                        .insert(epoch, Arc::new(EpochKey { epoch, secret }));
                }
                Secrecy::Public => {
                    let octets = octets.as_slice().try_into().map_err(|_| damaged())?;
                    let key = PublicKey::from_bytes(octets).map_err(|_| damaged())?;
                    keys.public.insert(epoch, IssuerKey { epoch, key });
                }
            }
        }
        Ok(())
    }

    /// Writes the public key of every secret key that has none, before the secret one can go.
    fn publish(&self, keys: &mut Keys) -> Result<(), KeyFolderError> {
        let Keys { secret, public, .. } = keys;
        for (epoch, secret) in secret {
            let key = secret.secret.public();
            let path = self.path(*epoch).with_extension(PUBLIC_EXTENSION);
            match public.get(epoch) {
                Some(known) if known.key.to_bytes() == key.to_bytes() => continue,
                Some(_) => return Err(KeyFolderError::Damaged(path)),
                None => self.write(&path, &key.to_bytes())?,
            }
            let epoch = *epoch;
            public.insert(epoch, IssuerKey { epoch, key });
        }
        Ok(())
    }

    fn path(&self, epoch: Epoch) -> PathBuf {
        self.folder.join(format!("{FILE_PREFIX}{}", epoch.0))
    }

    /// Draws a key and stores it before anybody can use it.
    fn draw(&self, epoch: Epoch) -> Result<SecretKey, KeyFolderError> {
        let key = SecretKey::generate(&mut secret::rng());
        self.write(&self.path(epoch), &*key.expose())?;
        Ok(key)
    }

    fn write(&self, path: &Path, octets: &[u8]) -> Result<(), KeyFolderError> {
        let unfinished = path.with_extension("new");
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&unfinished)?;
            file.write_all(octets)?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| KeyFolderError::Io(path.to_owned(), error))
    }

    fn destroy_before(&self, first_kept: Epoch, secrecy: Secrecy) -> Result<(), KeyFolderError> {
        for (path, epoch, of) in self.files()? {
            if of == secrecy && epoch < first_kept {
                overwrite_and_remove(&path)
                    .map_err(|error| KeyFolderError::Io(path.clone(), error))?;
            }
        }
        Ok(())
    }

    /// The files of the folder that are keys by their names.
    fn files(&self) -> Result<Vec<(PathBuf, Epoch, Secrecy)>, KeyFolderError> {
        let failed = |error| KeyFolderError::Io(self.folder.clone(), error);
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some((epoch, secrecy)) = entry.file_name().to_str().and_then(parse_name) {
                files.push((entry.path(), epoch, secrecy));
            }
        }
        Ok(files)
    }
}

/// Which half of a key a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secrecy {
    Secret,
    Public,
}

fn parse_name(name: &str) -> Option<(Epoch, Secrecy)> {
    let name = name.strip_prefix(FILE_PREFIX)?;
    let (number, secrecy) = match name.split_once('.') {
        None => (name, Secrecy::Secret),
        Some((number, PUBLIC_EXTENSION)) => (number, Secrecy::Public),
        Some(_) => return None,
    };
    Some((Epoch(number.parse().ok()?), secrecy))
}

/// Overwriting first costs nothing and helps on file systems that write in place.
fn overwrite_and_remove(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&[0; 96])?;
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
        let [this, next] = [epoch, epoch.next()].map(|epoch| format!("epoch-{}", epoch.0));
        let expected = [
            this.clone(),
            format!("{this}.pub"),
            next.clone(),
            format!("{next}.pub"),
        ];
        assert_eq!(names(folder.path()), expected);
        let first = keys.current(NOW).unwrap().secret().expose();
        let next = keys.secret(epoch.next()).unwrap().secret().expose();
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
    fn a_secret_key_ends_with_its_epoch_and_its_public_key_a_year_later() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = NOW.epoch();
        let keys = EpochKeys::open(folder.path(), NOW).unwrap();
        let first = keys.public(epoch).unwrap().key.to_bytes();
        keys.turn(epoch.next().start()).unwrap();
        let secret = format!("epoch-{}", epoch.0);
        let public = format!("{secret}.pub");
        assert!(!names(folder.path()).contains(&secret));
        assert!(matches!(keys.secret(epoch), Err(KeyFolderError::Gone(e)) if e == epoch));

        let last = Epoch(epoch.0 + CATCH_UP_EPOCHS);
        keys.turn(last.start()).unwrap();
        assert!(keys.public(epoch).unwrap().key.to_bytes() == first);
        let again = EpochKeys::open(folder.path(), last.start()).unwrap();
        assert!(again.public(epoch).unwrap().key.to_bytes() == first);
        keys.turn(last.next().start()).unwrap();
        assert!(keys.public(epoch).is_none() && !names(folder.path()).contains(&public));
    }

    #[test]
    fn a_secret_key_that_an_older_program_left_is_published_and_destroyed() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = NOW.epoch();
        let secret = SecretKey::generate(&mut secret::rng());
        let path = folder.path().join(format!("epoch-{}", epoch.0));
        fs::write(&path, *secret.expose()).unwrap();
        let keys = EpochKeys::open(folder.path(), epoch.next().start()).unwrap();
        assert!(!path.exists());
        assert!(keys.public(epoch).unwrap().key.to_bytes() == secret.public().to_bytes());
    }

    #[test]
    fn no_second_key_is_drawn_for_an_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = NOW.epoch();
        let keys = EpochKeys::open(folder.path(), NOW).unwrap();
        // A request that waited while the epoch ended.
        keys.turn(epoch.next().start()).unwrap();
        let late = keys.current(NOW).err();
        assert!(matches!(late, Some(KeyFolderError::Gone(e)) if e == epoch));
        // A clock that was set back, or a folder that lost a file.
        let refused = EpochKeys::open(folder.path(), NOW).err();
        assert!(matches!(refused, Some(KeyFolderError::Gone(e)) if e == epoch));
    }

    #[test]
    fn a_key_that_was_declared_void_renews_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = NOW.epoch();
        let keys = EpochKeys::open(folder.path(), NOW).unwrap();
        keys.turn(epoch.next().start()).unwrap();
        fs::remove_file(folder.path().join(format!("epoch-{}.pub", epoch.0))).unwrap();
        let keys = EpochKeys::open(folder.path(), epoch.next().start()).unwrap();
        assert!(keys.public(epoch).is_none() && keys.public(epoch.next()).is_some());
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
