//! `bauta tls`: certificates for servers on the loopback interface.

use std::path::PathBuf;

use clap::Subcommand;

use crate::clock;
use crate::tls::LoopbackAuthority;

/// What `bauta tls` can do.
#[derive(Debug, Subcommand)]
pub enum TlsCommand {
    /// Make a server certificate, and the loopback CA before it where there is none.
    Leaf {
        /// Folder of the CA; clients trust its `ca.pem`.
        #[arg(long)]
        ca: PathBuf,
        /// A name of the server, such as `operator.localhost`; may be given several times.
        #[arg(long = "name", required = true)]
        names: Vec<String>,
        /// File for the certificate.
        #[arg(long)]
        certificate: PathBuf,
        /// File for the private key.
        #[arg(long)]
        key: PathBuf,
    },
}

impl TlsCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        let TlsCommand::Leaf {
            ca,
            names,
            certificate,
            key,
        } = self;
        let now = clock::now();
        let authority = LoopbackAuthority::open_or_make(&ca, now)?;
        authority.make_leaf(&names, now, &certificate, &key)
    }
}
