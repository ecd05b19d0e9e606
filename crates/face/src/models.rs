//! The files of the networks.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The five networks, each exactly the one that this crate was tested with.
pub struct Models {
    pub(crate) detector: Vec<u8>,
    pub(crate) landmarks: Vec<u8>,
    pub(crate) eye: Vec<u8>,
    pub(crate) matcher_a: Vec<u8>,
    pub(crate) matcher_b: Vec<u8>,
}

impl Models {
    /// Reads them from the folder that `tools/face-models` makes.
    ///
    /// # Errors
    ///
    /// [`ModelsError`] for the first file that is missing or another one.
    pub fn load(folder: &Path) -> Result<Models, ModelsError> {
        let read = |file| read(folder, file);
        Ok(Models {
            detector: read("detector.onnx")?,
            landmarks: read("landmarks.onnx")?,
            eye: read("eye.onnx")?,
            matcher_a: read("matcher-a.onnx")?,
            matcher_b: read("matcher-b.onnx")?,
        })
    }

    /// A name for these networks, which scores of others do not have: SHA-256 over their names and
    /// digests, in hexadecimal digits.
    #[must_use]
    pub fn name() -> String {
        hex::encode(Sha256::digest(PINNED))
    }
}

/// Why the networks cannot be used.
#[derive(Debug, Error)]
pub enum ModelsError {
    /// A file cannot be read.
    #[error("{file} cannot be read; `tools/face-models` makes it and prints its folder")]
    Unreadable {
        /// Its name.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A file is not the one that belongs here.
    #[error("{file} is not the network that it should be; `tools/face-models` makes that one")]
    Altered {
        /// Its name.
        file: &'static str,
    },
}

fn read(folder: &Path, file: &'static str) -> Result<Vec<u8>, ModelsError> {
    let mut octets = Vec::new();
    File::open(folder.join(file))
        .and_then(|opened| opened.take(LENGTH_MAX).read_to_end(&mut octets))
        .map_err(|source| ModelsError::Unreadable { file, source })?;
    let found = format!("{}  {file}", hex::encode(Sha256::digest(&octets)));
    if PINNED.lines().all(|pinned| pinned != found) {
        return Err(ModelsError::Altered { file });
    }
    Ok(octets)
}

/// More than any of the files has.
const LENGTH_MAX: u64 = 1 << 25;

/// SHA-256 and name of each; the converter's result is held against the same list.
const PINNED: &str = include_str!("../../../tools/face_models/networks.sha256");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named_with_the_way_to_get_it() {
        let nowhere = Path::new(env!("CARGO_MANIFEST_DIR")).join("no-such-folder");
        let error = Models::load(&nowhere).err().unwrap();
        assert!(matches!(
            error,
            ModelsError::Unreadable {
                file: "detector.onnx",
                ..
            }
        ));
        assert!(error.to_string().contains("tools/face-models"));
    }

    #[test]
    fn another_file_under_the_right_name_is_refused() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let error = read(folder, "Cargo.toml").unwrap_err();
        assert!(matches!(error, ModelsError::Altered { file: "Cargo.toml" }));
    }
}
