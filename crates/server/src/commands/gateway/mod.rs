//! `bauta gateway`: the gateway of one site.

mod init;
mod run;
mod set_up;

use std::path::PathBuf;

use crate::failure::OrFail;
use clap::{Args, Subcommand};

/// Runs the gateway of a site, or makes its keys.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct GatewayArgs {
    /// Configuration file of the gateway to run.
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<GatewayCommand>,
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    /// Make the keys of a new gateway and print what its site entry must name.
    Init(init::InitArgs),
}

impl GatewayArgs {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Some(GatewayCommand::Init(args)) => args.run(),
            None => run::run(&self.config.or_fail(
                "argument-invalid",
                || "name the configuration: --config FILE",
            )?),
        }
    }
}
