//! The chip of a specimen as a process of its own, as long as a person lays it on the reader.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use anyhow::Context;
use serde_json::Value;

use super::deployment::bauta;

/// A running chip. It ends when it is dropped, and with this process.
pub struct Chip {
    child: Child,
    address: String,
}

impl Chip {
    /// Starts the chip of a specimen's folder and waits until readers reach it.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(specimen: &Path) -> anyhow::Result<Chip> {
        let mut command = bauta()?;
        command.args(["specimen", "chip", "--stop-with-stdin"]);
        let mut child = command
            .arg(specimen)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the chip")?;
        let output = child.stdout.take().context("the output was piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("the chip did not start")?;
        let address = said.get("listening").and_then(Value::as_str);
        let address = address.context("the chip names no address")?.to_owned();
        Ok(Chip { child, address })
    }

    /// What `--reader` takes.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}
