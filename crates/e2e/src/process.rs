//! Servers as child processes: started, watched and stopped.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::{faketime, wait};

/// A running server. Dropping it kills it.
pub struct Server {
    name: String,
    child: Child,
    /// Open as long as the server is to run: some end with their standard input.
    _input: Option<ChildStdin>,
    address: SocketAddr,
    /// The file with its standard error.
    errors: PathBuf,
}

#[derive(Deserialize)]
struct Ready {
    listening: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it says on which address it listens.
    ///
    /// Its standard output and standard error are appended to `NAME.out` and `NAME.err` in `logs`.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends, or does not become ready; the message has the end of its
    /// standard error.
    pub fn start(name: &str, mut command: Command, logs: &Path) -> anyhow::Result<Server> {
        let errors = log_file(logs, name, "err")?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = child.stdout.take().context("standard output is piped")?;
        let lines = copy_lines(BufReader::new(output), log_file(logs, name, "out")?);
        let input = child.stdin.take();
        match ready(&lines) {
            Ok(address) => Ok(Server {
                name: name.to_owned(),
                child,
                _input: input,
                address,
                errors: logs.join(format!("{name}.err")),
            }),
            Err(error) => {
                kill(&mut child);
                let said = last_lines(&logs.join(format!("{name}.err")));
                Err(error.context(format!("{name} is not ready; it said: {said}")))
            }
        }
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended by itself, with the end of what it said, or that it runs.
    pub fn describe(&mut self) -> String {
        match self.child.try_wait() {
            Ok(None) => format!("{} runs", self.name),
            Ok(Some(status)) => {
                format!(
                    "{} ended with {status}: {}",
                    self.name,
                    last_lines(&self.errors)
                )
            }
            Err(error) => format!("{}: {error}", self.name),
        }
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    ///
    /// When it does not stop in time.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let what = format!("the end of {}", self.name);
        wait::until(&what, || Ok(self.child.try_wait()?))
    }

    /// Kills it, as a crash would.
    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// Sends SIGKILL.
fn kill(child: &mut Child) {
    let _ended = child.kill();
    let _status = child.wait();
    faketime::sweep(child.id());
}

fn log_file(folder: &Path, name: &str, kind: &str) -> anyhow::Result<File> {
    let path: PathBuf = folder.join(format!("{name}.{kind}"));
    File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Copies lines to a file and hands out the first one; the thread ends with the process.
fn copy_lines(mut from: impl BufRead + Send + 'static, mut to: File) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while from.read_line(&mut line).is_ok_and(|length| length > 0) {
            // A full disk must not stop a server; the test that misses its log will fail.
            let _written = to.write_all(line.as_bytes());
            let _nobody_waits = sender.send(std::mem::take(&mut line));
        }
    });
    lines
}

fn ready(lines: &Receiver<String>) -> anyhow::Result<SocketAddr> {
    match lines.recv_timeout(wait::LIMIT) {
        Ok(line) => {
            let ready: Ready = serde_json::from_str(&line)
                .with_context(|| format!("the first line was {}", line.trim()))?;
            Ok(ready.listening)
        }
        Err(RecvTimeoutError::Timeout) => bail!("it did not say that it listens in time"),
        Err(RecvTimeoutError::Disconnected) => bail!("it ended"),
    }
}

fn last_lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.reverse();
    lines.join(" / ")
}
