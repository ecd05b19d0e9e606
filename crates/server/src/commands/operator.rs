//! `bauta operator`: what an operator needs before its first start, and after a backup was restored.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::renewal;
use credential::time::{Epoch, UnixTime};
use rand_core::{Rng, UnwrapErr};
use service::tags::TagKey;
use store::RegisterStore;
use store::sqlite::SqliteRegister;
use zeroize::Zeroizing;

use super::serve::register_file;
use crate::config::operator::OperatorConfig;
use crate::failure::Failure;
use crate::files::{self, Access};
use crate::{clock, config};

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
    /// After a backup of the register was restored: take it that everybody may have the newest
    /// certificate.
    ///
    /// The rows of the backup do not know the certificates that were issued since, and whoever has
    /// one would be refused as a forger. This raises the last epoch of all rows to `--epoch`, in one
    /// transaction; rows that are there already stay as they are. Stop the operator first.
    RaiseEpochs {
        /// The operator's configuration, `operator.toml`.
        #[arg(long)]
        config: PathBuf,
        /// The latest epoch of which a certificate may have been issued; by default that of which
        /// certificates are issued now.
        #[arg(long)]
        epoch: Option<u32>,
    },
}

impl OperatorCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            OperatorCommand::Init {
                out,
                origin,
                attester,
            } => init(&out, &Origin::parse(&origin)?, &attester),
            OperatorCommand::RaiseEpochs { config, epoch } => {
                let config: OperatorConfig = config::load(&config)?;
                let raised = raise_epochs(&config.state_folder, epoch.map(Epoch), clock::now());
                crate::commands::runtime()?.block_on(raised)
            }
        }
    }
}

#[expect(clippy::print_stdout, reason = "what the command has done")]
async fn raise_epochs(
    state_folder: &Path,
    epoch: Option<Epoch>,
    now: UnixTime,
) -> anyhow::Result<()> {
    let newest = newest_issued(now);
    let epoch = epoch.unwrap_or(newest);
    if epoch > newest {
        let what = format!(
            "no certificate of epoch {} has been issued yet; the newest are of epoch {}",
            epoch.0, newest.0
        );
        return Err(Failure::of("argument-invalid", what).into());
    }
    let file = register_file(state_folder);
    if !file.exists() {
        let what = format!("there is no register at {}", file.display());
        return Err(Failure::of("file-unreadable", what).into());
    }
    let raised = SqliteRegister::open(&file)
        .await?
        .raise_last_epochs(epoch)
        .await?;
    println!(
        "{}",
        serde_json::json!({ "epoch": epoch, "raised": raised })
    );
    Ok(())
}

/// The latest epoch of which certificates are issued at `now`.
fn newest_issued(now: UnixTime) -> Epoch {
    let next = now.epoch().next();
    if now >= renewal::opens(next) {
        next
    } else {
        now.epoch()
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
