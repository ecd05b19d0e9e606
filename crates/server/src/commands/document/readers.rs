//! `bauta document readers`: what chips can be read with.

use clap::Args;
use serde_json::json;

use crate::commands::say;
use crate::reader;

/// How the readers are listed.
#[derive(Debug, Args)]
pub struct ReadersArgs {
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

impl ReadersArgs {
    /// Lists the readers.
    ///
    /// # Errors
    ///
    /// `reader-support-missing`, `reader-service-missing`.
    pub(super) fn list(&self) -> anyhow::Result<()> {
        let readers = reader::list()?;
        if self.json {
            say(&json!({ "readers": readers }).to_string());
            return Ok(());
        }
        if readers.is_empty() {
            say("no reader is connected to this machine");
        }
        for reader in readers {
            let chip = if reader.chip { "chip" } else { "empty" };
            say(&format!("{chip:<8}{}", reader.name));
        }
        Ok(())
    }
}
