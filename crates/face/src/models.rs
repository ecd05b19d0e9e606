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
        let read = |pinned: Pinned| pinned.read(folder);
        Ok(Models {
            detector: read(DETECTOR)?,
            landmarks: read(LANDMARKS)?,
            eye: read(EYE)?,
            matcher_a: read(MATCHER_A)?,
            matcher_b: read(MATCHER_B)?,
        })
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

struct Pinned {
    file: &'static str,
    sha256: &'static str,
}

impl Pinned {
    fn read(&self, folder: &Path) -> Result<Vec<u8>, ModelsError> {
        let file = self.file;
        let mut octets = Vec::new();
        File::open(folder.join(file))
            .and_then(|opened| opened.take(LENGTH_MAX).read_to_end(&mut octets))
            .map_err(|source| ModelsError::Unreadable { file, source })?;
        if hex::encode(Sha256::digest(&octets)) != self.sha256 {
            return Err(ModelsError::Altered { file });
        }
        Ok(octets)
    }
}

/// More than any of the files has.
const LENGTH_MAX: u64 = 1 << 25;

// Source of the digests: tools/face_models/networks.sha256, which the converter's result is held
// against as well.
const DETECTOR: Pinned = Pinned {
    file: "detector.onnx",
    sha256: "91e4bac52a712cef51dcb6bbbf3881576a0e19cbc03fc6f309f7c929d7eceb0c",
};
const LANDMARKS: Pinned = Pinned {
    file: "landmarks.onnx",
    sha256: "e8440e3f065616f2d809935382283b84c966e7ec6aa5543d093283bf52a95a72",
};
const EYE: Pinned = Pinned {
    file: "eye.onnx",
    sha256: "94dc74725e098eb1f7ce322663705d4791b0668e8d9ad76efbb0e50d0c269ad3",
};
const MATCHER_A: Pinned = Pinned {
    file: "matcher-a.onnx",
    sha256: "c0a7bda43818e068a1a15e1aa81354954a55ba50a01eaec525ba4065e4072581",
};
const MATCHER_B: Pinned = Pinned {
    file: "matcher-b.onnx",
    sha256: "0306da6688abca8969e03ac40a9cebc8a5cafaaec6d684c15c3e02426d75c70f",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_pins_the_same_files() {
        let tool = include_str!("../../../tools/face_models/networks.sha256");
        let ours = [DETECTOR, LANDMARKS, EYE, MATCHER_A, MATCHER_B]
            .map(|pinned| format!("{}  {}\n", pinned.sha256, pinned.file));
        assert_eq!(tool, ours.concat());
    }

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
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let pinned = Pinned {
            file: "Cargo.toml",
            ..DETECTOR
        };
        assert!(source.exists());
        let error = pinned.read(source.parent().unwrap()).unwrap_err();
        assert!(matches!(error, ModelsError::Altered { file: "Cargo.toml" }));
    }
}
