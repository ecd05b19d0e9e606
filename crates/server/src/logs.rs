//! Log lines on standard error. They carry no address, no name, no number and no token.

use clap::ValueEnum;
use tracing::Level;

/// How a log line is written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Starts logging for the whole process; a second call changes nothing.
pub fn start(format: LogFormat, level: Level) {
    let lines = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(level);
    // A subscriber that is already there was set by an embedding program and stays.
    let _already_set = match format {
        LogFormat::Plain => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
