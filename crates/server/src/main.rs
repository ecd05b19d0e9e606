//! `bauta`: every role of the service in one program.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use server::commands::connector::ConnectorCommand;
use server::commands::demo::DemoCommand;
use server::commands::document::DocumentCommand;
use server::commands::face::FaceCommand;
use server::commands::gateway::GatewayArgs;
use server::commands::officer::OfficerCommand;
use server::commands::operator::OperatorCommand;
use server::commands::serve::ServeCommand;
use server::commands::site::SiteCommand;
use server::commands::specimen::SpecimenCommand;
use server::commands::tls::TlsCommand;
use server::commands::trust::TrustCommand;
use server::commands::trustee::TrusteeCommand;
use server::commands::wallet::WalletArgs;
use server::failure::Failure;
use server::logs::{self, LogFormat};

/// Freed memory is overwritten, so that what was read from a document does not outlive its use.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// A national online identity service that nobody can use to follow people.
#[derive(Parser)]
#[command(name = "bauta", version, arg_required_else_help = true)]
struct Cli {
    /// How log lines are written to standard error.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Plain)]
    log_format: LogFormat,
    /// The least urgent level that is logged.
    #[arg(long, global = true, default_value = "info")]
    log_level: tracing::Level,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine and walk one specimen person through it.
    Demo(DemoCommand),
    /// Run the operator: enrolment, issuer, register and register of sites.
    Serve(ServeCommand),
    /// What an operator needs before its first start, and after a backup was restored.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Work as an officer.
    #[command(subcommand)]
    Officer(OfficerCommand),
    /// Register sites.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Run a trustee, or deal the shares of a new group.
    Trustee(TrusteeCommand),
    /// Run the connector of an authoritative register over a table, or fill the table.
    Connector(ConnectorCommand),
    /// Make certificates for servers on the loopback interface.
    #[command(subcommand)]
    Tls(TlsCommand),
    /// The gateway of a site: run it, or make its keys.
    Gateway(GatewayArgs),
    /// Examine travel documents.
    #[command(subcommand)]
    Document(DocumentCommand),
    /// Evaluate how faces are compared.
    #[command(subcommand)]
    Face(FaceCommand),
    /// The authorities of states whose documents are trusted.
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Make specimen passports of a state that does not exist.
    #[command(subcommand)]
    Specimen(SpecimenCommand),
    /// The holder's wallet.
    Wallet(WalletArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    logs::start(cli.log_format, cli.log_level);
    let outcome = match cli.command {
        Command::Demo(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Operator(command) => command.run(),
        Command::Officer(command) => command.run(),
        Command::Site(command) => command.run(),
        Command::Trustee(command) => command.run(),
        Command::Connector(command) => command.run(),
        Command::Tls(command) => command.run(),
        Command::Gateway(command) => command.run(),
        Command::Document(command) => command.run(),
        Command::Face(command) => command.run(),
        Command::Trust(command) => command.run(),
        Command::Specimen(command) => command.run(),
        Command::Wallet(command) => block_on(command.run()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = Failure::from(error);
            eprintln!("bauta: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Runs a command that talks to servers, on this thread.
fn block_on(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command)
}
