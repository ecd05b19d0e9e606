//! `bauta-sites`: a small forum and a small shop that log people in through their gateways.
//!
//! They are sites like any other: they speak OpenID Connect by the crate `openidconnect`, know
//! nothing of certificates, wallets or the operator, and share no code with the rest of this
//! project. What a site has to write to let people log in is `provider.rs`, nothing else.
#![forbid(unsafe_code)]

mod config;
mod failure;
mod forum;
mod http_client;
mod login;
mod page;
mod provider;
mod serve;
mod shop;
mod store;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;
use crate::web::Site;

/// Two small sites that log people in through their gateways.
#[derive(Parser)]
#[command(name = "bauta-sites", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    site: Kind,
}

#[derive(Subcommand)]
enum Kind {
    /// People write under a name they choose; a moderator can ban an account.
    Forum(RunArgs),
    /// Three products, a basket, orders.
    Shop(RunArgs),
}

#[derive(Args)]
struct RunArgs {
    /// Configuration file.
    #[arg(long)]
    config: PathBuf,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    match run(&Cli::parse().site) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bauta-sites: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(kind: &Kind) -> anyhow::Result<()> {
    let (Kind::Forum(args) | Kind::Shop(args)) = kind;
    let config = Config::load(&args.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let app = match kind {
            Kind::Forum(_) => {
                let site = Arc::new(Site::new(&config, forum::SCHEMA)?);
                let moderator = config.moderator_token()?;
                web::around(forum::routes(Arc::clone(&site), moderator), &site)
            }
            Kind::Shop(_) => {
                let site = Arc::new(Site::new(&config, shop::SCHEMA)?);
                web::around(shop::routes(Arc::clone(&site)), &site)
            }
        };
        serve::serve(&config.server, app).await
    })
}
