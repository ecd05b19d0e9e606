//! What the demonstration compares faces with: networks, and photographs of somebody who plays the
//! specimen person.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::deployment::{Deployment, bauta, run};
use crate::config::path_from;
use crate::files::{self, Access};

/// The folders that `tools/face-models` makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faces {
    /// The networks.
    pub networks: PathBuf,
    /// The photographs.
    pub photographs: PathBuf,
}

impl Faces {
    /// Those that `BAUTA_FACE_MODELS` and `BAUTA_FACE_PHOTOGRAPHS` name.
    #[must_use]
    pub fn from_environment() -> Option<Faces> {
        let folder = |variable| path_from(variable).filter(|folder| folder.is_dir());
        Some(Faces {
            networks: folder("BAUTA_FACE_MODELS")?,
            photographs: folder("BAUTA_FACE_PHOTOGRAPHS")?,
        })
    }

    /// What stands in the passport.
    pub(super) fn portrait(&self) -> PathBuf {
        self.photographs.join("obama2.jpg")
    }

    /// Another photograph of the same person, who stands before the camera.
    fn picture(&self) -> PathBuf {
        self.photographs.join("obama.jpg")
    }

    /// Compares the photographs with each other.
    fn evaluate(&self) -> anyhow::Result<String> {
        let mut evaluate = bauta()?;
        evaluate.args(["face", "evaluate", "--json", "--networks"]);
        evaluate.arg(&self.networks);
        run(evaluate.arg(self.photographs.join("people")))
    }

    /// The operator's section, and beside its configuration what its threshold follows from. The
    /// photographs show no lower rate of false matches; a real operator needs thousands of people.
    ///
    /// # Errors
    ///
    /// When the comparison of the photographs fails, or the file cannot be written.
    pub(super) fn configure(&self, operator: &Path) -> anyhow::Result<String> {
        let file = operator.join("evaluation.json");
        files::write_new(&file, self.evaluate()?.as_bytes(), Access::Private)?;
        let networks = self
            .networks
            .to_str()
            .context("the networks' folder has an odd name")?;
        let networks = toml::Value::from(networks);
        Ok(format!(
            "[face]\nnetworks = {networks}\nevaluation_file = \"evaluation.json\"\n\
             false_match_rate = {FALSE_MATCH_RATE}\n\n"
        ))
    }
}

/// Somebody before the camera, until it is dropped.
pub struct Person {
    child: Child,
    folder: TempDir,
}

impl Person {
    /// Stands there and does what a wallet asks.
    ///
    /// # Errors
    ///
    /// When the program cannot start.
    pub fn start(deployment: &Deployment, faces: &Faces) -> anyhow::Result<Person> {
        let mut folder = tempfile::Builder::new();
        let folder = folder.prefix("camera-").tempdir_in(deployment.folder())?;
        let mut command = bauta()?;
        command.args(["specimen", "face", "--stop-with-stdin", "--networks"]);
        command
            .arg(&faces.networks)
            .arg("--folder")
            .arg(folder.path());
        let child = command
            .arg(faces.picture())
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start the person before the camera")?;
        Ok(Person { child, folder })
    }

    /// What `--face` takes.
    #[must_use]
    pub fn camera(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Before its folder goes.
        let _ended = self.child.wait();
    }
}

const FALSE_MATCH_RATE: f64 = 0.02;
