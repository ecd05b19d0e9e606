//! `bauta connector`: the reference connector of an authoritative register, and its table.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use credential::jose::SigningKey;
use credential::origin::Origin;
use mrtd::CalendarDate;
use service::residents::{AnswerCounts, Connector, ConnectorSetup, read_row};
use store::sqlite::SqliteResidents;
use zeroize::Zeroizing;

use super::serve::{read_key, with_port};
use crate::config::connector::ConnectorConfig;
use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};
use crate::http::connector;
use crate::serve::Bound;
use crate::{clock, config};

/// How often what has ended is forgotten and new counts are logged.
const TICK: Duration = Duration::from_secs(60);

/// Options of `bauta connector`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ConnectorCommand {
    /// The configuration, `connector.toml`.
    #[arg(long, required = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Option<ConnectorAction>,
}

#[derive(Debug, Subcommand)]
enum ConnectorAction {
    /// Make the key that signs answers: `connector.key`, which is secret, and `connector.json` for
    /// the operator.
    Init {
        /// Folder for the files; nothing in it is overwritten.
        #[arg(long)]
        out: PathBuf,
        /// The connector's origin, such as `https://register.example`.
        #[arg(long)]
        origin: String,
    },
    /// Bring rows into the table, all or none; a row replaces the one of its kind and number.
    Import {
        /// JSON lines, one row each: `kind`, `number`, `name`, and where known `birth`,
        /// `valid_from`, `valid_to`, `card_state` and `person_state`.
        rows: PathBuf,
        /// The SQLite file; made where there is none.
        #[arg(long)]
        into: PathBuf,
    },
}

impl ConnectorCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match (self.action, self.config) {
            (Some(ConnectorAction::Init { out, origin }), _) => {
                init(&out, &Origin::parse(&origin)?)
            }
            (Some(ConnectorAction::Import { rows, into }), _) => {
                crate::commands::runtime()?.block_on(import(&rows, &into))
            }
            (None, Some(path)) => {
                let config: ConnectorConfig = config::load(&path)?;
                crate::commands::runtime()?.block_on(run(&config))
            }
            (None, None) => Err(Failure::of("argument-invalid", "--config is needed").into()),
        }
    }
}

fn init(out: &Path, origin: &Origin) -> anyhow::Result<()> {
    files::make_private_folder(out)?;
    let key = SigningKey::generate();
    let public = serde_json::json!({ "origin": origin, "key": key.public() });
    files::write_new(&out.join("connector.key"), &key.to_pkcs8(), Access::Private)?;
    let public = serde_json::to_vec(&public)?;
    files::write_new(&out.join("connector.json"), &public, Access::Public)
}

async fn import(rows: &Path, into: &Path) -> anyhow::Result<()> {
    let text = Zeroizing::new(files::read(rows)?);
    let text = std::str::from_utf8(&text).or_fail("file-invalid", || "the rows are no UTF-8")?;
    let today = CalendarDate::from_unix(mrtd::UnixTime(clock::now().0))?;
    let mut records = Vec::new();
    for (row, line) in text.lines().zip(1_usize..) {
        let record = read_row(row, today).or_fail("file-invalid", || format!("line {line}"))?;
        records.push(record);
    }
    let imported = records.len();
    SqliteResidents::import(into, records).await?;
    super::say(&serde_json::json!({ "imported": imported }).to_string());
    Ok(())
}

async fn run(config: &ConnectorConfig) -> anyhow::Result<()> {
    let table = SqliteResidents::open(&config.table_file).await;
    let table = table.or_fail("file-invalid", || {
        format!("{} has no table of residents", config.table_file.display())
    })?;
    let bound = Bound::new(&config.server).await?;
    let setup = ConnectorSetup {
        key: read_key(&config.key_file)?,
        origin: with_port(&config.origin, bound.address().port())?,
        attester: (config.attester.name.clone(), config.attester.key),
        attempts_per_minute: config.attempts_per_minute.get(),
    };
    let connector = Arc::new(Connector::new(setup, Arc::new(table)));
    let sweeper = tokio::spawn(sweep(Arc::clone(&connector)));
    let served = bound.run(connector::routes(Arc::clone(&connector))).await;
    sweeper.abort();
    tell(&connector.counts());
    served
}

async fn sweep(connector: Arc<Connector>) {
    let mut told = AnswerCounts::default();
    loop {
        tokio::time::sleep(TICK).await;
        connector.forget_expired(clock::now());
        let counts = connector.counts();
        if counts != told {
            tell(&counts);
            told = counts;
        }
    }
}

/// Logs how often there was which answer since the start: no line belongs to one question.
fn tell(counts: &AnswerCounts) {
    tracing::info!(
        match = counts.matches,
        mismatch = counts.mismatches,
        no_record = counts.no_records,
        indeterminate = counts.indeterminate,
        refused = counts.refused,
        "answers since the start"
    );
}
