//! The program `bauta` as child processes, each stopped by its own handle.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde::Deserialize;

/// The program under test.
pub(crate) fn bauta() -> Command {
    Command::new(env!("CARGO_BIN_EXE_bauta"))
}

/// Runs a command to its end, which must be a success, and returns what it printed.
pub(crate) fn run_bauta(arguments: &[&str]) -> String {
    let output = bauta().args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bauta {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A server that says it is ready.
pub(crate) struct Running {
    child: Child,
    port: u16,
}

#[derive(Deserialize)]
struct Listening {
    listening: std::net::SocketAddr,
}

impl Running {
    pub(crate) fn start(command: &[&str], config: &Path) -> Running {
        // Temporary files of a server are among those that are searched.
        let temporary = config.with_file_name("tmp");
        std::fs::create_dir_all(&temporary).unwrap();
        let mut child = bauta()
            .env("TMPDIR", temporary)
            .args(["--log-level", "debug"])
            .args(command)
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(log_file(config))
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ready: Listening = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{} did not start: {}", config.display(), read_log(config)));
        Running {
            child,
            port: ready.listening.port(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.tell_to_stop();
        self.wait()
    }

    /// Sends SIGTERM.
    pub(crate) fn tell_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already gone after `kill` and `terminate`.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn log_path(config: &Path) -> std::path::PathBuf {
    config.with_extension("log")
}

fn log_file(config: &Path) -> std::fs::File {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(log_path(config))
        .unwrap()
}

fn read_log(config: &Path) -> String {
    std::fs::read_to_string(log_path(config)).unwrap_or_default()
}
