//! The files of the issuer's keys. A key is written whole or not at all, and destroyed in steps of
//! which each leaves a folder that can be opened: renamed to a name that is no key's, overwritten,
//! removed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bbs::{PublicKey, SecretKey};
use credential::manifest::IssuerKey;
use credential::time::Epoch;
use zeroize::Zeroizing;

use super::{EpochKey, KeyFolderError};

/// Name of a secret key's file is this and the epoch.
const FILE_PREFIX: &str = "epoch-";
/// Behind the name of the secret key's file: the public key.
const PUBLIC_EXTENSION: &str = "pub";
/// A file that is being written, and is no key yet.
const UNFINISHED_EXTENSION: &str = "new";
/// A file that is being destroyed, and is no key any more.
const DOOMED_EXTENSION: &str = "gone";

/// Which half of a key a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrecy {
    Secret,
    Public,
}

/// The folder with the keys; one process works in it.
pub(super) struct KeyFolder(PathBuf);

impl KeyFolder {
    pub(super) fn new(path: &Path) -> KeyFolder {
        KeyFolder(path.to_owned())
    }

    pub(super) fn path(&self, epoch: Epoch, secrecy: Secrecy) -> PathBuf {
        let path = self.0.join(format!("{FILE_PREFIX}{}", epoch.0));
        match secrecy {
            Secrecy::Secret => path,
            Secrecy::Public => path.with_extension(PUBLIC_EXTENSION),
        }
    }

    /// Reads all keys.
    pub(super) fn read(
        &self,
        secrets: &mut BTreeMap<Epoch, Arc<EpochKey>>,
        publics: &mut BTreeMap<Epoch, IssuerKey>,
    ) -> Result<(), KeyFolderError> {
        for (path, epoch, secrecy) in self.keys()? {
            let octets = Zeroizing::new(fs::read(&path).map_err(at(&path))?);
            let damaged = || KeyFolderError::Damaged(path.clone());
            match secrecy {
                Secrecy::Secret => {
                    let octets = octets.as_slice().try_into().map_err(|_| damaged())?;
                    let secret = SecretKey::from_bytes(octets).map_err(|_| damaged())?;
                    secrets.insert(epoch, Arc::new(EpochKey { epoch, secret }));
                }
                Secrecy::Public => {
                    let octets = octets.as_slice().try_into().map_err(|_| damaged())?;
                    let key = PublicKey::from_bytes(octets).map_err(|_| damaged())?;
                    publics.insert(epoch, IssuerKey { epoch, key });
                }
            }
        }
        Ok(())
    }

    /// Stores a key before anybody can use it.
    pub(super) fn write(
        &self,
        epoch: Epoch,
        secrecy: Secrecy,
        octets: &[u8],
    ) -> Result<(), KeyFolderError> {
        let path = self.path(epoch, secrecy);
        let unfinished = path.with_extension(UNFINISHED_EXTENSION);
        let write = || -> io::Result<()> {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&unfinished)?;
            file.write_all(octets)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            self.sync()
        };
        write().map_err(at(&path))
    }

    /// Destroys the keys of all epochs before `first_kept`.
    pub(super) fn destroy_before(
        &self,
        first_kept: Epoch,
        secrecy: Secrecy,
    ) -> Result<(), KeyFolderError> {
        // Renaming onto a left file would free its octets without overwriting them.
        self.sweep()?;
        for (path, epoch, of) in self.keys()? {
            if of == secrecy && epoch < first_kept {
                self.destroy(&path).map_err(at(&path))?;
            }
        }
        Ok(())
    }

    /// Ends what a crash interrupted: removes keys that were being destroyed, and those that were
    /// being written, which nobody has used.
    pub(super) fn sweep(&self) -> Result<(), KeyFolderError> {
        for path in self.files()? {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(is_left_over) {
                self.overwrite_and_remove(&path).map_err(at(&path))?;
            }
        }
        Ok(())
    }

    /// A file that is overwritten holds no key, so it must not have a key's name by then, also
    /// after a loss of power.
    fn destroy(&self, path: &Path) -> io::Result<()> {
        let doomed = path.with_extension(DOOMED_EXTENSION);
        fs::rename(path, &doomed)?;
        self.sync()?;
        self.overwrite_and_remove(&doomed)
    }

    /// Overwriting first costs nothing and helps on file systems that write in place.
    fn overwrite_and_remove(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let length = file.metadata()?.len();
        io::copy(&mut io::repeat(0).take(length), &mut file)?;
        file.sync_all()?;
        fs::remove_file(path)?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// The files that are keys by their names.
    fn keys(&self) -> Result<Vec<(PathBuf, Epoch, Secrecy)>, KeyFolderError> {
        let key = |path: PathBuf| {
            let (epoch, secrecy) = parse_name(path.file_name()?.to_str()?)?;
            Some((path, epoch, secrecy))
        };
        Ok(self.files()?.into_iter().filter_map(key).collect())
    }

    fn files(&self) -> Result<Vec<PathBuf>, KeyFolderError> {
        let paths = fs::read_dir(&self.0).and_then(|entries| {
            let paths = entries.map(|entry| Ok(entry?.path()));
            paths.collect::<io::Result<Vec<_>>>()
        });
        paths.map_err(at(&self.0))
    }
}

/// The file that could not be used.
fn at(path: &Path) -> impl Fn(io::Error) -> KeyFolderError {
    move |error| KeyFolderError::Io(path.to_owned(), error)
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

fn is_left_over(name: &str) -> bool {
    let extension = name
        .strip_prefix(FILE_PREFIX)
        .and_then(|name| name.split_once('.'))
        .map(|(_, extension)| extension);
    matches!(extension, Some(UNFINISHED_EXTENSION | DOOMED_EXTENSION))
}
