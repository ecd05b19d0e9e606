//! `bauta specimen chip`: a specimen for a reader, as a process.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use mrtd::specimen::SpecimenChip;
use rand_core::UnwrapErr;

use super::chip_file::ChipFile;
use crate::chip::{self, Chip};
use crate::commands::runtime;
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
    /// `argument-invalid`, `file-unreadable`, `file-invalid`, `address-taken`, `reader-missing`.
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let mut chip = Powered {
            chip: ChipFile::open(&self.folder)?,
            rng: UnwrapErr(getrandom::SysRng),
        };
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

/// A specimen's chip with what it draws its secrets from.
struct Powered {
    chip: SpecimenChip,
    rng: UnwrapErr<getrandom::SysRng>,
}

impl Chip for Powered {
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.chip.answer(command, &mut self.rng)
    }

    fn reset(&mut self) {
        self.chip.reset();
    }
}
