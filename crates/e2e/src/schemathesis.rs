//! schemathesis, unchanged, asks the operator whatever a description lets it ask.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::jose::PublicKey;
use serde_json::{Value, json};
use server::demo::deployment::Party;

use crate::binaries::prepared;
use crate::recorder::Exchange;
use crate::world::World;

/// The folder of what schemathesis is told.
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/openapi");

/// What came of asking.
pub struct Outcome {
    /// Whether every answer was as described.
    pub fits: bool,
    /// What schemathesis or the script said.
    pub said: String,
    /// Operations with a status that they answered.
    pub answers: BTreeSet<(String, u16)>,
}

/// Who asks.
pub enum Asker<'s> {
    /// Somebody who has nothing but this device key.
    Stranger(PublicKey),
    /// Somebody with this key who enrols and decides on enrolments: what clients/openapi/enrolment.py
    /// needs for that.
    Enrolling(PublicKey, &'s Value),
}

/// Has the operator asked; `more` are further options of `st run`.
///
/// # Errors
///
/// When it cannot be run.
pub fn ask(
    world: &World,
    description: &Path,
    asker: &Asker<'_>,
    more: &[&str],
) -> anyhow::Result<Outcome> {
    let mut st = Command::new(python()?.with_file_name("st"));
    st.arg("--config-file")
        .arg(Path::new(CLIENT).join("schemathesis.toml"));
    st.args(["run", "--no-color", "--url"]);
    st.arg(world.deployment().origin(Party::Operator));
    st.arg("--tls-verify").arg(world.deployment().ca());
    st.args(more).arg(description);
    let device_key = match asker {
        Asker::Stranger(key) => key,
        Asker::Enrolling(key, sessions) => {
            st.env("SESSIONS", sessions.to_string());
            key
        }
    };
    st.env("DEVICE_KEY", serde_json::to_string(device_key)?);
    run(world, st)
}

/// Compares what others asked and were answered with a description.
///
/// # Errors
///
/// When it cannot be run.
pub fn compare(
    world: &World,
    description: &Path,
    exchanges: &[Exchange],
) -> anyhow::Result<Outcome> {
    let exchanges: Vec<Value> = exchanges.iter().map(written).collect();
    let file = world.scratch()?.join("exchanges.json");
    std::fs::write(&file, Value::from(exchanges).to_string())?;
    let mut script = Command::new(python()?);
    script.arg(Path::new(CLIENT).join("exchanges.py"));
    script.arg(description).arg(file);
    run(world, script)
}

fn written(exchange: &Exchange) -> Value {
    let (asked, said) = (&exchange.asked, &exchange.said);
    json!({
        "method": asked.method.as_str(),
        "path": asked.path,
        "headers": texts(&asked.headers),
        "body": STANDARD.encode(&asked.body),
        "status": said.status.as_u16(),
        "answer_headers": texts(&said.headers),
        "answer": STANDARD.encode(&said.body),
    })
}

fn texts(headers: &HeaderMap) -> BTreeMap<String, String> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.to_string(), value)
    };
    headers.iter().map(text).collect()
}

fn python() -> anyhow::Result<PathBuf> {
    prepared("BAUTA_SCHEMATHESIS")
}

fn run(world: &World, mut command: Command) -> anyhow::Result<Outcome> {
    let folder = world.scratch()?;
    let answers = folder.join("answers");
    std::fs::write(&answers, "")?;
    command
        .current_dir(folder)
        .env("ANSWERS", &answers)
        .env("PYTHONPATH", CLIENT)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NO_PROXY", "*");
    let done = command.output().context("cannot run schemathesis")?;
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    // 1: something differs. Anything else is a failure of the tool itself.
    ensure!(matches!(done.status.code(), Some(0 | 1)), "{said}");
    Ok(Outcome {
        fits: done.status.success(),
        said,
        answers: read_answers(&answers)?,
    })
}

fn read_answers(file: &Path) -> anyhow::Result<BTreeSet<(String, u16)>> {
    let text = std::fs::read_to_string(file)?;
    let pair = |line: &str| {
        let (operation, status) = line.split_once(' ').context("an operation and a status")?;
        Ok((operation.to_owned(), status.parse()?))
    };
    text.lines().map(pair).collect()
}
