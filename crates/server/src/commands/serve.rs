//! `bauta serve`: the operator.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::time::UnixTime;
use face::Evaluation;
use mrtd::TrustStore;
use openid4vc::uri::HttpsUri;
use oprf::ShareIndex;
use service::attestation;
use service::enrolment::{
    EnrolmentPolicy, EnrolmentSetup, Enrolments, FaceCheck, Notice, NoticeScope,
};
use service::issuer::{Clock, EpochKeys, Issuer, KeyFolderError};
use service::officer::{OfficerId, Officers};
use service::register::Registrations;
use service::renewal::Renewals;
use service::residents::AuthoritativeRegister;
use service::sites::Sites;
use service::tags::{Quorum, TagKey, TrusteeClient};
use store::sqlite::{SqliteRegister, SqliteSessions, SqliteSites};
use store::{RegisterStore, SessionStore};
use zeroize::Zeroizing;

use super::face::{recognizer, unsupported};
use crate::authority::HttpsRegister;
use crate::client::HttpsClient;
use crate::config::operator::{HighestLevel, NoticeConfig, OperatorConfig, TrusteesConfig};
use crate::config::{self};
use crate::failure::{Failure, OrFail};
use crate::http::operator::{self, Operator};
use crate::serve::Bound;
use crate::trustees::HttpsTrustee;
use crate::{clock, files};

/// Subfolder of the state folder with the issuer's keys.
const KEY_FOLDER: &str = "issuer-keys";
/// How often what has expired is forgotten.
const TICK: Duration = Duration::from_secs(5);

/// Options of `bauta serve`.
#[derive(Debug, Args)]
pub struct ServeCommand {
    /// The configuration, `operator.toml`.
    #[arg(long)]
    config: PathBuf,
    /// Today's date, such as 2027-01-15, from another clock than this machine's. Needed after a
    /// pause of more than a week: going on destroys the issuer's older keys.
    #[arg(long, value_name = "DATE")]
    today: Option<String>,
}

impl ServeCommand {
    /// Runs the operator until it is told to stop.
    ///
    /// # Errors
    ///
    /// What is missing or wrong in the configuration, or why it cannot listen.
    pub fn run(self) -> anyhow::Result<()> {
        let config: OperatorConfig = config::load(&self.config)?;
        let today = self.today.as_deref();
        crate::commands::runtime()?.block_on(serve(&config, today))
    }
}

async fn serve(config: &OperatorConfig, today: Option<&str>) -> anyhow::Result<()> {
    let bound = Bound::new(&config.server).await?;
    let origin = with_port(&config.origin, bound.address().port())?;
    let operator = Arc::new(build(config, origin, today).await?);
    let sweeper = tokio::spawn(sweep(Arc::clone(&operator)));
    let served = bound
        .run(operator::routes(Arc::clone(&operator.operator)))
        .await;
    sweeper.abort();
    served
}

/// The operator with what is swept on a timer.
struct Running {
    operator: Arc<Operator>,
    sessions: Arc<dyn SessionStore>,
}

async fn build(
    config: &OperatorConfig,
    origin: Origin,
    today: Option<&str>,
) -> anyhow::Result<Running> {
    let state = &config.state_folder;
    files::make_private_folder(state)?;
    let keys = Arc::new(open_keys(&state.join(KEY_FOLDER), today)?);
    let register: Arc<dyn RegisterStore> =
        Arc::new(SqliteRegister::open(&register_file(state)).await?);
    let sessions: Arc<dyn SessionStore> =
        Arc::new(SqliteSessions::open(&state.join("sessions.sqlite")).await?);
    let trust = TrustStore::load_folder(&config.trust_folder)?;
    for what in trust.left_out() {
        tracing::warn!(what, "left out of the trusted authorities");
    }
    let setup = EnrolmentSetup {
        origin: origin.clone(),
        policy: policy(config)?,
        trust,
        quorum: quorum(config)?,
        notice: notice(config, &origin),
        face: face_check(config)?,
        authority: authority(config)?,
    };
    let enrolments = Enrolments::new(setup, Arc::clone(&register), Arc::clone(&sessions));
    let enrolments = Arc::new(enrolments);
    let identifier = HttpsUri::parse(origin.as_str())?;
    let key = Arc::new(read_key(&config.key_file)?);
    let renewals = Renewals::new(
        origin.clone(),
        Arc::clone(&key),
        Arc::clone(&keys),
        Arc::clone(&register),
        Arc::clone(&sessions),
    );
    let operator = Operator {
        key,
        officers: officers(config, &origin, &sessions)?,
        issuer: Issuer::new(
            identifier,
            Arc::clone(&enrolments),
            Arc::clone(&sessions),
            Arc::clone(&keys),
            config.enrolment.nonces_max,
        ),
        registrations: Registrations::new(origin.clone(), register, Arc::clone(&sessions)),
        renewals,
        sites: Sites::new(Arc::new(SqliteSites::open(&sites_file(state)).await?)),
        origin,
        enrolments,
        keys,
    };
    Ok(Running {
        operator: Arc::new(operator),
        sessions,
    })
}

/// Opens the issuer's keys. `today` is the date that somebody has read from another clock.
fn open_keys(folder: &Path, today: Option<&str>) -> anyhow::Result<EpochKeys> {
    files::make_private_folder(folder)?;
    let now = clock::now();
    let clock = match today {
        Some(date) if is_today(date, now) => Clock::Checked,
        Some(_) | None => Clock::Unchecked,
    };
    EpochKeys::open(folder, now, clock).map_err(|error| {
        let today = clock::date(now);
        let failure = match &error {
            KeyFolderError::Ahead { .. } => Failure::of(
                "clock-ahead",
                format!("{error}; this machine's clock says {today}"),
            ),
            KeyFolderError::Gone(_) => Failure::of(
                "issuer-key-gone",
                format!("{error}; this machine's clock says {today}"),
            ),
            KeyFolderError::Io(..) => Failure::of("file-unreadable", &error),
            KeyFolderError::Damaged(_) => Failure::of("file-invalid", &error),
        };
        failure.into()
    })
}

/// Whether a date is the clock's, as far as people anywhere on earth can agree on one.
fn is_today(date: &str, now: UnixTime) -> bool {
    let days = [now.minus_secs(86_400), now, now.plus_secs(86_400)];
    days.into_iter().any(|day| clock::date(day) == date)
}

/// Where the register is stored.
pub(super) fn register_file(state_folder: &Path) -> PathBuf {
    state_folder.join("register.sqlite")
}

/// Where the register of sites is stored.
pub(super) fn sites_file(state_folder: &Path) -> PathBuf {
    state_folder.join("sites.sqlite")
}

/// The configured origin; its port is the bound one where 0 is configured.
pub(super) fn with_port(origin: &Origin, port: u16) -> anyhow::Result<Origin> {
    match origin.as_str().strip_suffix(":0") {
        Some(host) => Ok(Origin::parse(&format!("{host}:{port}"))?),
        None => Ok(origin.clone()),
    }
}

fn notice(config: &OperatorConfig, origin: &Origin) -> Notice {
    let or_origin = |text: &Option<String>| text.clone().unwrap_or_else(|| origin.to_string());
    let NoticeConfig {
        controller,
        contact,
    } = &config.notice;
    let scope = NoticeScope {
        resident_numbers: config.authority.is_some(),
        faces: config.face.is_some(),
    };
    Notice::new(&or_origin(controller), &or_origin(contact), scope)
}

/// What compares faces, if its threshold follows from data.
fn face_check(config: &OperatorConfig) -> anyhow::Result<Option<FaceCheck>> {
    let Some(face) = &config.face else {
        return Ok(None);
    };
    if face.highest_level == HighestLevel::High {
        let what = "face.highest_level: \"high\" needs certified matchers, and these are not";
        return Err(Failure::of("level-unsupported", what).into());
    }
    let path = &face.evaluation_file;
    let evaluation =
        Evaluation::parse(&files::read(path)?).or_fail("file-invalid", || path.display())?;
    let threshold = evaluation
        .threshold(face.false_match_rate)
        .ok_or_else(|| unsupported("face.false_match_rate", face.false_match_rate, &evaluation))?;
    // Half of the processors: a comparison is work for seconds, and other requests go on beside it.
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let half = NonZeroUsize::new(processors.get() / 2).unwrap_or(NonZeroUsize::MIN);
    let recognizer = recognizer(&face.networks, half)?;
    Ok(Some(FaceCheck::new(recognizer, threshold, half)))
}

fn policy(config: &OperatorConfig) -> anyhow::Result<EnrolmentPolicy> {
    let session_secs = config.enrolment.session_secs;
    if !(1..=attestation::LIFETIME_MAX_SECS).contains(&session_secs) {
        return Err(Failure::of(
            "configuration-invalid",
            format!(
                "enrolment.session_secs must be 1 to {}",
                attestation::LIFETIME_MAX_SECS
            ),
        )
        .into());
    }
    Ok(EnrolmentPolicy {
        session_secs,
        sessions_max: config.enrolment.sessions_max,
    })
}

fn authority(config: &OperatorConfig) -> anyhow::Result<Option<Arc<dyn AuthoritativeRegister>>> {
    let Some(authority) = &config.authority else {
        return Ok(None);
    };
    let key = Arc::new(read_key(&config.trustees.attester_key_file)?);
    let attester = (config.trustees.attester.clone(), key);
    let register = HttpsRegister::new(authority, &config.client, attester)?;
    Ok(Some(Arc::new(register)))
}

fn quorum(config: &OperatorConfig) -> anyhow::Result<Quorum> {
    let TrusteesConfig {
        group_file,
        attester,
        attester_key_file,
        members,
    } = &config.trustees;
    let group = serde_json::from_slice(&files::read(group_file)?)
        .or_fail("file-invalid", || {
            format!("{} is not a group key", group_file.display())
        })?;
    let client = HttpsClient::new(&config.client)?;
    let mut trustees: Vec<Arc<dyn TrusteeClient>> = Vec::new();
    for member in members {
        let index = ShareIndex::try_from(member.index)
            .or_fail("configuration-invalid", || "a trustee's index")?;
        trustees.push(Arc::new(HttpsTrustee::new(
            index,
            &member.origin,
            client.clone(),
        )));
    }
    let tag_key = Zeroizing::new(files::read(&config.tag_key_file)?);
    let key = Arc::new(read_key(attester_key_file)?);
    let attester = (attester.clone(), key);
    Ok(Quorum::new(
        group,
        trustees,
        attester,
        TagKey::from_bytes(&tag_key)?,
    )?)
}

fn officers(
    config: &OperatorConfig,
    origin: &Origin,
    sessions: &Arc<dyn SessionStore>,
) -> anyhow::Result<Officers> {
    let mut keys = BTreeMap::new();
    for officer in &config.officers {
        if keys
            .insert(OfficerId(officer.id.clone()), officer.key)
            .is_some()
        {
            return Err(Failure::of(
                "configuration-invalid",
                format!("the officer {} is configured twice", officer.id),
            )
            .into());
        }
    }
    Ok(Officers::new(keys, origin.clone(), Arc::clone(sessions)))
}

/// Reads a signing key, PKCS#8 in DER.
pub(super) fn read_key(path: &Path) -> anyhow::Result<SigningKey> {
    let der = Zeroizing::new(files::read(path)?);
    SigningKey::from_pkcs8(&der).or_fail("file-invalid", || {
        format!("{} is not a key", path.display())
    })
}

/// Forgets what has expired, and turns the issuer's keys with the epoch.
async fn sweep(running: Arc<Running>) {
    let mut told = None;
    loop {
        // At once after the start: afterwards the files are opened only when something is due.
        let now = clock::now();
        running.operator.enrolments.forget_expired(now);
        if let Err(error) = running.sessions.forget_expired(now).await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot forget");
        }
        let failure = running.operator.keys.turn(now).err();
        tell_once(&mut told, failure);
        tokio::time::sleep(TICK).await;
    }
}

/// Logs why the keys do not turn, once for as long as it is the same. Until then no certificate is
/// issued.
fn tell_once(told: &mut Option<String>, failure: Option<KeyFolderError>) {
    let text = failure.as_ref().map(ToString::to_string);
    if *told == text {
        return;
    }
    match failure {
        Some(error @ KeyFolderError::Ahead { .. }) => tracing::error!(
            id = "clock-ahead",
            error = &error as &dyn std::error::Error,
            "the clock has leapt: no certificate is issued until it is set right"
        ),
        Some(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "cannot turn the keys: no certificate is issued"
        ),
        None => tracing::info!("the keys turn again"),
    }
    *told = text;
}
