//! `bauta trustee`: one trustee, and the dealing of shares.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use oprf::{GroupKey, ShareKey};
use rand_core::UnwrapErr;
use service::trustee::Trustee;
use store::RateLimit;
use store::sqlite::SqliteTrustee;
use zeroize::Zeroizing;

use crate::config;
use crate::config::trustee::TrusteeConfig;
use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};
use crate::http::trustee;
use crate::{clock, serve};

/// How often answers that may no longer be repeated are forgotten.
const TICK: Duration = Duration::from_secs(5);

/// Options of `bauta trustee`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TrusteeCommand {
    /// The configuration, `trustee.toml`.
    #[arg(long, required = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<TrusteeAction>,
}

#[derive(Debug, Subcommand)]
enum TrusteeAction {
    /// Deal a new key among trustees. Whoever runs this knows the whole key while it runs: it is
    /// for demonstrations.
    Deal {
        /// Folder for `group.json` and one folder `trustee-N` with `share.key` each.
        #[arg(long)]
        out: PathBuf,
        /// How many trustees have to answer.
        #[arg(long)]
        threshold: u8,
        /// How many trustees there are.
        #[arg(long)]
        trustees: u8,
    },
}

impl TrusteeCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match (self.action, self.config) {
            (
                Some(TrusteeAction::Deal {
                    out,
                    threshold,
                    trustees,
                }),
                _,
            ) => deal(&out, threshold, trustees),
            (None, Some(path)) => {
                let config: TrusteeConfig = config::load(&path)?;
                crate::commands::runtime()?.block_on(run(&config))
            }
            (None, None) => Err(Failure::of("argument-invalid", "--config is needed").into()),
        }
    }
}

/// Deals a key: `group.json` is public, each `trustee-N/share.key` belongs to one trustee.
fn deal(out: &Path, threshold: u8, trustees: u8) -> anyhow::Result<()> {
    let mut rng = UnwrapErr(getrandom::SysRng);
    let (shares, group) = oprf::deal(threshold, trustees, &mut rng)?;
    files::make_private_folder(out)?;
    for share in &shares {
        let folder = out.join(format!("trustee-{}", u8::from(share.index())));
        files::make_private_folder(&folder)?;
        files::write_new(&folder.join("share.key"), share.expose(), Access::Private)?;
    }
    files::write_new(
        &out.join("group.json"),
        &serde_json::to_vec(&group)?,
        Access::Public,
    )
}

async fn run(config: &TrusteeConfig) -> anyhow::Result<()> {
    files::make_private_folder(&config.state_folder)?;
    let share = Zeroizing::new(files::read(&config.share_file)?);
    let share =
        ShareKey::from_bytes(&share).or_fail("file-invalid", || "the share file is not a share")?;
    let group: GroupKey = serde_json::from_slice(&files::read(&config.group_file)?)
        .or_fail("file-invalid", || {
            format!("{} is not a group key", config.group_file.display())
        })?;
    let store = SqliteTrustee::open(&config.state_folder.join("trustee.sqlite")).await?;
    let attester = (config.attester.name.clone(), config.attester.key);
    let limit = RateLimit {
        evaluations: config.evaluations_per_minute,
        seconds: 60,
    };
    let trustee = Arc::new(Trustee::new(
        share,
        group,
        attester,
        limit,
        Arc::new(store),
    )?);
    let sweeper = tokio::spawn(sweep(Arc::clone(&trustee)));
    let served = serve::serve(&config.server, trustee::routes(trustee)).await;
    sweeper.abort();
    served
}

async fn sweep(trustee: Arc<Trustee>) {
    loop {
        // At once after the start: afterwards the file is opened only when something is due.
        if let Err(error) = trustee.forget_expired(clock::now()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot forget");
        }
        tokio::time::sleep(TICK).await;
    }
}
