//! The wallet and the officer's tool, run as a person and an officer run them.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use server::demo::deployment::Deployment;

/// Variables that a process is given on top of the test's own.
pub type Environment = Vec<(OsString, OsString)>;

/// A refusal with its stable id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The stable id.
    pub id: String,
    /// What was said.
    pub what: String,
}

/// The id under which an officer's decision that ended the session is told.
pub const ENDED: &str = "enrolment-ended";

/// What a command answers: an object, or a refusal.
pub type Answer = Result<Value, Refused>;

/// One person's wallet.
#[derive(Clone)]
pub struct Wallet<'a> {
    deployment: &'a Deployment,
    name: String,
    environment: Environment,
}

/// An enrolment under way: the wallet waits for an officer.
pub struct Enrolment<'a> {
    wallet: &'a Wallet<'a>,
    child: Child,
    output: BufReader<ChildStdout>,
    /// The session's id, as the person tells it to the officer.
    pub session: String,
}

impl<'a> Wallet<'a> {
    /// The wallet `name`, which need not exist yet.
    #[must_use]
    pub fn new(deployment: &'a Deployment, name: &str) -> Wallet<'a> {
        Wallet {
            deployment,
            name: name.to_owned(),
            environment: Environment::new(),
        }
    }

    /// Its name among the deployment's wallets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same wallet in another environment.
    #[must_use]
    pub fn within(&self, environment: &Environment) -> Wallet<'a> {
        Wallet {
            environment: environment.clone(),
            ..self.clone()
        }
    }

    /// Runs a command that asks nothing.
    ///
    /// # Errors
    ///
    /// When it cannot be run or answers in another form; a refusal is an answer.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Answer> {
        let done = self.command(arguments)?.stdin(Stdio::null()).output()?;
        let text = String::from_utf8(done.stdout)?;
        let last = text.lines().last().unwrap_or_default();
        answer(last).with_context(|| {
            let said = String::from_utf8_lossy(&done.stderr);
            format!("bauta wallet {arguments:?} said {said}")
        })
    }

    /// Signs in or up with a request link, agreeing to what the site asks.
    ///
    /// # Errors
    ///
    /// As [`Wallet::run`].
    pub fn sign_in(&self, link: &str) -> anyhow::Result<Answer> {
        self.run(&["sign-in", link, "--yes"])
    }

    /// Sends the document; returns when the wallet waits for an officer, or was refused.
    ///
    /// # Errors
    ///
    /// As [`Wallet::run`].
    pub fn begin_enrolment(
        &self,
        document: &Path,
    ) -> anyhow::Result<Result<Enrolment<'_>, Refused>> {
        self.begin_enrolment_of(&[document.as_os_str()])
    }

    /// As [`Wallet::begin_enrolment`], with the arguments that name the document or its chip.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn begin_enrolment_of(
        &self,
        document: &[&OsStr],
    ) -> anyhow::Result<Result<Enrolment<'_>, Refused>> {
        self.begin_enrolment_typing(document, &[])
    }

    /// An enrolment with these arguments, in which the person has agreed to the notice; its input and
    /// output are the caller's.
    ///
    /// # Errors
    ///
    /// When it cannot be started.
    pub fn start_enrolment(&self, arguments: &[&OsStr]) -> anyhow::Result<Child> {
        let mut command = self.command(&["enrol"])?;
        command.args(arguments);
        command.args(["--agree", "notice"]);
        command.arg("--operator").arg(self.deployment.trust_file());
        command.arg("--ca").arg(self.deployment.ca());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command.spawn()?)
    }

    fn begin_enrolment_typing(
        &self,
        document: &[&OsStr],
        lines: &[&str],
    ) -> anyhow::Result<Result<Enrolment<'_>, Refused>> {
        let mut child = self.start_enrolment(document)?;
        if let Some(input) = &mut child.stdin {
            for line in lines {
                writeln!(input, "{line}")?;
            }
        }
        let output = child.stdout.take().context("the output is piped")?;
        let mut output = BufReader::new(output);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let said = match answer(&line) {
            Ok(Ok(said)) => said,
            Ok(Err(refused)) => {
                child.wait()?;
                return Ok(Err(refused));
            }
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        let session = said["session"].as_str().context("no session")?.to_owned();
        Ok(Ok(Enrolment {
            wallet: self,
            child,
            output,
            session,
        }))
    }

    /// Enrols with a document before an officer who confirms.
    ///
    /// # Errors
    ///
    /// As [`Wallet::run`].
    pub fn enrol(&self, document: &Path) -> anyhow::Result<Answer> {
        self.enrol_with(&[document.as_os_str()])
    }

    /// Enrols with lines that the person types: number and name.
    ///
    /// # Errors
    ///
    /// As [`Wallet::run`].
    pub fn enrol_as_resident(&self, kind: &str, lines: &[&str]) -> anyhow::Result<Answer> {
        self.enrol_typing(&["--resident", kind].map(OsStr::new), lines)
    }

    /// Enrols with the chip on a reader, opened by the zone that is printed on the document of this
    /// folder.
    ///
    /// # Errors
    ///
    /// As [`Wallet::run`].
    pub fn enrol_by_chip(&self, reader: &str, document: &Path) -> anyhow::Result<Answer> {
        self.enrol_reading(reader, document, &[])
    }

    /// Enrols with what a chip holds, without its proof.
    ///
    /// # Errors
    ///
    /// As [`Wallet::run`].
    pub fn enrol_by_data_of_chip(&self, reader: &str, document: &Path) -> anyhow::Result<Answer> {
        self.enrol_reading(reader, document, &["--data-alone"])
    }

    fn enrol_reading(
        &self,
        reader: &str,
        document: &Path,
        more: &[&str],
    ) -> anyhow::Result<Answer> {
        let zone = document.join("zone.txt");
        let mut evidence = ["--reader", reader, "--access"].map(OsStr::new).to_vec();
        evidence.push(zone.as_os_str());
        evidence.extend(more.iter().map(OsStr::new));
        self.enrol_with(&evidence)
    }

    fn enrol_with(&self, document: &[&OsStr]) -> anyhow::Result<Answer> {
        self.enrol_typing(document, &[])
    }

    fn enrol_typing(&self, evidence: &[&OsStr], lines: &[&str]) -> anyhow::Result<Answer> {
        let enrolment = match self.begin_enrolment_typing(evidence, lines)? {
            Ok(enrolment) => enrolment,
            Err(refused) => return Ok(Err(refused)),
        };
        match enrolment.confirm()? {
            Ok(code) => enrolment.finish(&code),
            // The wallet hears why.
            Err(refused) if refused.id == ENDED => enrolment.finish(""),
            Err(refused) => Ok(Err(refused)),
        }
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = self.deployment.wallet(&self.name)?;
        command.arg("--json").args(arguments);
        command.envs(self.environment.iter().cloned());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }
}

impl Enrolment<'_> {
    /// The officer confirms; gives the transaction code that the officer hands over.
    ///
    /// # Errors
    ///
    /// When the officer's tool cannot be run.
    pub fn confirm(&self) -> anyhow::Result<Result<String, Refused>> {
        self.confirm_within(&self.wallet.environment)
    }

    /// As [`Enrolment::confirm`], by an officer who lives at another time than the wallet.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn confirm_within(
        &self,
        environment: &Environment,
    ) -> anyhow::Result<Result<String, Refused>> {
        let mut command = self.wallet.deployment.officer("confirm")?;
        command.arg(&self.session);
        command.envs(environment.iter().cloned());
        let done = command.output()?;
        if done.status.success() {
            let code = String::from_utf8(done.stdout)?.trim().to_owned();
            return Ok(Ok(code));
        }
        let what = String::from_utf8(done.stderr)?.trim().to_owned();
        // The tool says "WHAT [id]", and what to do on a line of its own.
        let id = what.rsplit_once('[').and_then(|(_, id)| id.split_once(']'));
        let Some((id, _)) = id else {
            bail!("the officer's tool said {what}");
        };
        let id = id.to_owned();
        Ok(Err(Refused { id, what }))
    }

    /// The person types the transaction code.
    ///
    /// # Errors
    ///
    /// When the wallet answers in another form.
    pub fn finish(self, code: &str) -> anyhow::Result<Answer> {
        Ok(self.finish_heard(code)?.0)
    }

    /// As [`Enrolment::finish`], with what the wallet said to the person on standard error.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn finish_heard(mut self, code: &str) -> anyhow::Result<(Answer, String)> {
        if let Some(mut input) = self.child.stdin.take() {
            // A wallet that refuses without asking for the code has closed its input.
            let _closed = writeln!(input, "{code}");
        }
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let mut said = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            errors.read_to_string(&mut said)?;
        }
        self.child.wait()?;
        let last = text.lines().last().unwrap_or_default();
        Ok((answer(last)?, said))
    }
}

impl Drop for Enrolment<'_> {
    fn drop(&mut self) {
        // Both fail only when the wallet has ended.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn answer(line: &str) -> anyhow::Result<Answer> {
    let value: Value =
        serde_json::from_str(line).with_context(|| format!("the wallet answered {line:?}"))?;
    ensure!(value.is_object(), "the wallet answered {line}");
    let Some(id) = value.get("error") else {
        return Ok(Ok(value));
    };
    let Some(id) = id.as_str() else {
        bail!("a refusal without an id: {line}");
    };
    Ok(Err(Refused {
        id: id.to_owned(),
        what: value["what"].as_str().unwrap_or_default().to_owned(),
    }))
}
