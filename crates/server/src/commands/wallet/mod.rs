//! `bauta wallet`: the holder's wallet on the command line.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

mod enrol;
mod home;
mod keep;
mod overview;
mod receive;
mod renew;
mod sign_in;

use crate::failure::Failure;

/// The wallet's commands.
#[derive(Debug, Args)]
pub struct WalletArgs {
    /// Folder of the wallet. Default: $BAUTA_WALLET_HOME, or `bauta/wallet` in the user's data
    /// folder.
    #[arg(long, global = true)]
    home: Option<PathBuf>,
    /// Answer with JSON objects on standard output, a line each; the last one is the result.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: WalletCommand,
}

#[derive(Debug, Subcommand)]
enum WalletCommand {
    /// Register with a document and receive the web certificate, or another one on a new device.
    Enrol(enrol::EnrolArgs),
    /// Receive the next week's certificate when its time has come; for a timer, every hour.
    Renew(renew::RenewArgs),
    /// Show the web number, the certificate and what it says.
    Show,
    /// Answer the request of a site: sign up there, or sign in.
    SignIn(sign_in::SignInArgs),
    /// List the sites at which this wallet has an account.
    Sites,
    /// List the sites that know this device, or forget one of them.
    Devices(keep::DevicesArgs),
    /// Write a backup of the secrets, under a passphrase.
    Backup(keep::BackupArgs),
    /// Make a wallet from a backup; enrol again afterwards to receive a certificate.
    Restore(keep::RestoreArgs),
    /// End the registration: no certificate is issued any more. Accounts stay as they are.
    End(keep::ConfirmArgs),
    /// Remove this wallet from this device. Without a backup its accounts are lost.
    Delete(keep::ConfirmArgs),
}

/// How answers are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Sentences for a person.
    Text,
    /// One JSON object.
    Json,
}

impl Output {
    /// A line for the person while a command runs; nothing for a script.
    fn progress(self, line: &str) {
        if self == Output::Text {
            // A closed standard output must not end an enrolment half-way.
            let _ = writeln!(io::stdout(), "{line}");
        }
    }

    /// The result of the command.
    fn result(self, text: &str, value: &Value) {
        let line = match self {
            Output::Text => text.to_owned(),
            Output::Json => value.to_string(),
        };
        let _ = writeln!(io::stdout(), "{line}");
    }
}

impl WalletArgs {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// A failure with a stable id; with `--json` it was printed already as an object.
    pub async fn run(self) -> anyhow::Result<()> {
        let output = if self.json {
            Output::Json
        } else {
            Output::Text
        };
        let outcome = match default_home(self.home) {
            Ok(home) => run(self.command, home, output).await,
            Err(failure) => Err(failure),
        };
        outcome.map_err(|failure| {
            if output == Output::Json {
                let Failure { id, what, next } = &failure;
                output.result("", &json!({ "error": id, "what": what, "next": next }));
            }
            failure.into()
        })
    }
}

async fn run(command: WalletCommand, home: PathBuf, output: Output) -> Result<(), Failure> {
    match command {
        WalletCommand::Enrol(args) => enrol::run(args, &home, output).await,
        WalletCommand::Renew(args) => renew::run(&args, &home, output).await,
        WalletCommand::Show => overview::show(&home, output),
        WalletCommand::SignIn(args) => sign_in::run(args, &home, output).await,
        WalletCommand::Sites => overview::sites(&home, output),
        WalletCommand::Devices(args) => keep::devices(&args, &home, output),
        WalletCommand::Backup(args) => keep::backup(&args, &home, output),
        WalletCommand::Restore(args) => keep::restore(&args, &home, output),
        WalletCommand::End(args) => keep::end(&args, &home, output).await,
        WalletCommand::Delete(args) => keep::delete(&args, &home, output),
    }
}

/// What a person has to know though the command goes on: on standard error, where a script does not
/// look for its answer.
fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn default_home(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    given.or_else(crate::config::wallet_home).ok_or_else(|| {
        let next = "Give a folder with --home, or set BAUTA_WALLET_HOME.";
        Failure::new("home-unknown", "the user's data folder is not known", next)
    })
}

/// Asks a person at the terminal; `None` where there is none to ask.
fn ask(question: &str) -> Option<String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return None;
    }
    let _ = write!(io::stderr(), "{question} ");
    let _ = io::stderr().flush();
    read_line()
}

/// One line of standard input without its end.
fn read_line() -> Option<String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    Some(line.trim().to_owned())
}

/// Goes on only when the person agrees, or `--yes` was given.
fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    match ask(&format!("{question} [y/N]")) {
        Some(answer) if matches!(answer.as_str(), "y" | "Y" | "yes") => Ok(()),
        Some(_) => Err(Failure::new(
            "declined",
            "you declined; nothing was changed",
            "",
        )),
        None => {
            let next = "There is no terminal to ask at: give --yes if you agree.";
            Err(Failure::new(
                "consent-missing",
                "this needs your consent",
                next,
            ))
        }
    }
}
