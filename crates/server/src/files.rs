//! Files that hold keys and configuration: written whole or not at all, private where secret.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::failure::OrFail;

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Owner only, mode 0600.
    Private,
    /// Everybody on the machine, mode 0644.
    Public,
}

/// Makes a folder and its parents, mode 0700 where they do not exist yet.
///
/// # Errors
///
/// What the file system answers, with the path.
pub fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .or_fail("file-unwritable", || {
            format!("cannot make the folder {}", path.display())
        })
}

/// Writes a new file and brings it to the disk; a file of that name is never overwritten.
///
/// # Errors
///
/// What the file system answers, with the path; in particular when the file exists.
pub fn write_new(path: &Path, content: &[u8], access: Access) -> anyhow::Result<()> {
    let mode = match access {
        Access::Private => 0o600,
        Access::Public => 0o644,
    };
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(content)?;
        file.sync_all()?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            Some(_) | None => Ok(()),
        }
    };
    write().or_fail("file-unwritable", || {
        format!("cannot write {}", path.display())
    })
}

/// Replaces a private file as a whole: after a crash there is the old content or the new.
///
/// # Errors
///
/// What the file system answers, with the path.
pub fn replace(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let next = path.with_extension("next");
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&next)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&next, path)?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            Some(_) | None => Ok(()),
        }
    };
    write().or_fail("file-unwritable", || {
        format!("cannot write {}", path.display())
    })
}

/// Reads a whole file.
///
/// # Errors
///
/// What the file system answers, with the path.
pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).or_fail("file-unreadable", || {
        format!("cannot read {}", path.display())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_file_is_readable_by_its_owner_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write_new(&path, b"one", Access::Private).unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(write_new(&path, b"two", Access::Private).is_err());
        assert_eq!(read(&path).unwrap(), b"one");
    }
}
