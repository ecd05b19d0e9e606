//! Core dumps of running processes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Writes the memory of a running process to a file in `folder`; the process goes on.
///
/// # Errors
///
/// When `gcore` is missing or cannot attach: then nothing is known about the memory, so the
/// caller has to fail.
pub fn dump_core(id: u32, folder: &Path) -> anyhow::Result<PathBuf> {
    let prefix = folder.join("core");
    let output = Command::new("gcore")
        .arg("-o")
        .arg(&prefix)
        .arg(id.to_string())
        .output()
        .context("cannot run gcore (Debian package gdb)")?;
    let core = folder.join(format!("core.{id}"));
    if !output.status.success() || !core.is_file() {
        bail!(
            "gcore cannot dump the process {id}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(core)
}
