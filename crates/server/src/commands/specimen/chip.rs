//! `bauta specimen chip`: a specimen for a reader, as a process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::chip::{self, Chip};
use crate::commands::runtime;
use crate::files;
use crate::reader::on_this_machine;
use crate::serve::Stdin;

/// Which specimen, and where it is reached.
#[derive(Debug, Args)]
pub struct ChipArgs {
    /// Folder of a specimen, as `bauta specimen passport` makes it.
    folder: PathBuf,
    /// Address of the loopback interface at which to wait for readers; it is printed.
    #[arg(long, default_value = "127.0.0.1:0", conflicts_with = "vpcd")]
    listen: SocketAddr,
    /// Lie on the virtual reader (vsmartcard's vpcd) that listens there.
    #[arg(long, value_name = "ADDRESS")]
    vpcd: Option<SocketAddr>,
    /// End when standard input closes, too.
    #[arg(long)]
    stop_with_stdin: bool,
}

impl ChipArgs {
    /// Runs the chip until SIGTERM or SIGINT.
    ///
    /// # Errors
    ///
    /// `argument-invalid`, `file-unreadable`, `address-taken`, `reader-missing`.
    pub(super) fn run(&self) -> anyhow::Result<()> {
        files::read(&self.folder.join("EF.DG1"))?;
        let mut chip = Blank;
        let chip: &mut dyn Chip = &mut chip;
        let stdin = if self.stop_with_stdin {
            Stdin::Watched
        } else {
            Stdin::Ignored
        };
        let address = on_this_machine(self.vpcd.unwrap_or(self.listen))?;
        let runtime = runtime()?;
        match self.vpcd {
            Some(_) => runtime.block_on(chip::attach(chip, address, stdin)),
            None => runtime.block_on(chip::listen(chip, address, stdin)),
        }
    }
}

/// A chip that knows no command yet.
struct Blank;

impl Chip for Blank {
    fn answer(&mut self, _: &[u8]) -> Vec<u8> {
        UNKNOWN_INSTRUCTION.to_vec()
    }

    fn reset(&mut self) {}
}

/// Source: ISO/IEC 7816-4, status `6D00`.
const UNKNOWN_INSTRUCTION: [u8; 2] = [0x6d, 0x00];
