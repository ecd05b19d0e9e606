//! `bauta site`: the register of sites, on the operator's own machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use credential::age::{BadYears, Years};
use credential::attributes::Item;
use credential::origin::Origin;
use credential::site_entry::{Gateway, Site};
use service::sites::{NewSite, SignInNeeds, SiteError, Sites};
use store::sqlite::SqliteSites;

use super::serve::{read_key, sites_file};
use crate::config::operator::OperatorConfig;
use crate::failure::{Failure, OrFail};
use crate::{clock, config, files};

/// What `bauta site` can do.
#[derive(Debug, Subcommand)]
pub enum SiteCommand {
    /// Register a site: sign its entry, store it, and write it to a file for its gateway.
    Add(Box<AddSite>),
}

/// A site.
#[derive(Debug, Args)]
pub struct AddSite {
    /// The operator's configuration, `operator.toml`.
    #[arg(long)]
    config: PathBuf,
    /// The site's origin, such as `https://forum.example`.
    #[arg(long)]
    origin: String,
    /// The site's name, as people see it.
    #[arg(long)]
    name: String,
    /// What the site asks for data for, as people see it.
    #[arg(long)]
    purpose: String,
    /// How people without a certificate are served.
    #[arg(long)]
    alternative: String,
    /// The origin of the site's gateway.
    #[arg(long)]
    gateway: String,
    /// SHA-256 over the DER of the gateway's request certificate, in base64url.
    #[arg(long, allow_hyphen_values = true)]
    x509_hash: String,
    /// An item that the site may ask for, such as `sex`; may be given several times.
    #[arg(long = "item")]
    items: Vec<String>,
    /// A law demands a valid certificate at every sign-in.
    #[arg(long)]
    requires_certificate: bool,
    /// An age in years that people have to have, from 1 to 120. They prove it once an account,
    /// without their date of birth, so `birthdate` cannot be an item then. One number a site:
    /// another one is taken when the last entry with the first has ended.
    #[arg(long, value_parser = age)]
    age_over: Option<Years>,
    /// How long the entry is valid, in days.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// File for the signed entry.
    #[arg(long)]
    out: PathBuf,
}

impl SiteCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        let SiteCommand::Add(site) = self;
        crate::commands::runtime()?.block_on(site.add())
    }
}

impl AddSite {
    async fn add(self: Box<Self>) -> anyhow::Result<()> {
        let config: OperatorConfig = config::load(&self.config)?;
        if config.origin.as_str().ends_with(":0") {
            return Err(Failure::of(
                "configuration-invalid",
                "the operator's origin needs its port: entries name it",
            )
            .into());
        }
        let key = read_key(&config.key_file)?;
        let new = self.parse()?;
        files::make_private_folder(&config.state_folder)?;
        let sites = open_sites(&config.state_folder).await?;
        // An entry that was registered cannot be taken back.
        if self.out.exists() {
            let what = format!("{} exists; nothing was registered", self.out.display());
            return Err(Failure::of("file-unwritable", what).into());
        }
        let added = sites.add(new, (&config.origin, &key), clock::now()).await;
        let entry = added.map_err(|error| match &error {
            SiteError::OtherAge(_) => Failure::of("site-age-differs", &error).into(),
            SiteError::Busy => Failure::of("site-busy", &error).into(),
            SiteError::Entry(_) => Failure::of("argument-invalid", &error).into(),
            SiteError::IdTaken | SiteError::Store(_) => anyhow::Error::from(error),
        })?;
        files::write_new(&self.out, entry.as_bytes(), files::Access::Public)
    }

    fn parse(&self) -> anyhow::Result<NewSite> {
        let item = |name: &String| {
            Item::parse(name).or_fail("argument-invalid", || {
                format!("there is no item named {name}")
            })
        };
        let items: Vec<Item> = self.items.iter().map(item).collect::<anyhow::Result<_>>()?;
        if self.age_over.is_some() && items.contains(&Item::Birthdate) {
            return Err(Failure::of(
                "argument-invalid",
                "an age is proved in place of the date of birth: leave out --age-over or \
                 --item birthdate",
            )
            .into());
        }
        Ok(NewSite {
            site: Site {
                origin: Origin::parse(&self.origin)?,
                name: self.name.clone(),
                purpose: self.purpose.clone(),
                alternative: self.alternative.clone(),
            },
            gateway: Gateway {
                origin: Origin::parse(&self.gateway)?,
                x509_hash: self.x509_hash.clone(),
            },
            items,
            sign_in: if self.requires_certificate {
                SignInNeeds::Certificate
            } else {
                SignInNeeds::Account
            },
            age_over: self.age_over,
            valid_days: self.days,
        })
    }
}

fn age(text: &str) -> Result<Years, String> {
    let years = text
        .parse()
        .ok()
        .and_then(|years: u8| Years::try_from(years).ok());
    years.ok_or_else(|| BadYears.to_string())
}

async fn open_sites(state_folder: &Path) -> anyhow::Result<Sites> {
    Ok(Sites::new(Arc::new(
        SqliteSites::open(&sites_file(state_folder)).await?,
    )))
}
