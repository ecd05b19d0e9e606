//! `bauta operator`: what an operator needs before its first start.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use credential::jose::SigningKey;
use credential::origin::Origin;
use rand_core::{Rng, UnwrapErr};
use service::tags::TagKey;
use zeroize::Zeroizing;

use crate::files::{self, Access};

/// What `bauta operator` can do.
#[derive(Debug, Subcommand)]
pub enum OperatorCommand {
    /// Make the operator's keys and the trust file that wallets and gateways get.
    ///
    /// The folder then holds `operator.key`, `attester.key` and `tag.key`, which are secret, and
    /// `operator.json` (the trust file) and `attester.json` (for the trustees), which are public.
    Init {
        /// Folder for the files; nothing in it is overwritten.
        #[arg(long)]
        out: PathBuf,
        /// The operator's origin, such as `https://id.example`.
        #[arg(long)]
        origin: String,
        /// The name under which this operator attests evidence to the trustees.
        #[arg(long, default_value = "enrolment")]
        attester: String,
    },
}

impl OperatorCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        let OperatorCommand::Init {
            out,
            origin,
            attester,
        } = self;
        init(&out, &Origin::parse(&origin)?, &attester)
    }
}

fn init(out: &Path, origin: &Origin, attester: &str) -> anyhow::Result<()> {
    files::make_private_folder(out)?;
    let (operator_key, attester_key) = (SigningKey::generate(), SigningKey::generate());
    let mut tag_key = Zeroizing::new([0; TagKey::LENGTH]);
    UnwrapErr(getrandom::SysRng).fill_bytes(tag_key.as_mut_slice());
    let trust = serde_json::json!({ "origin": origin, "operator_key": operator_key.public() });
    let attester = serde_json::json!({ "name": attester, "key": attester_key.public() });
    files::write_new(
        &out.join("operator.key"),
        &operator_key.to_pkcs8(),
        Access::Private,
    )?;
    files::write_new(
        &out.join("attester.key"),
        &attester_key.to_pkcs8(),
        Access::Private,
    )?;
    files::write_new(&out.join("tag.key"), tag_key.as_slice(), Access::Private)?;
    files::write_new(
        &out.join("attester.json"),
        &serde_json::to_vec(&attester)?,
        Access::Public,
    )?;
    files::write_new(
        &out.join("operator.json"),
        &serde_json::to_vec(&trust)?,
        Access::Public,
    )
}
