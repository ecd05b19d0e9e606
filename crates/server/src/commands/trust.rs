//! `bauta trust`: the folder of authorities whose documents an operator accepts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use credential::jose;
use credential::time::UnixTime;
use mrtd::{Authority, CountryCode, MasterList, MasterListError, TrustFolderError, TrustStore};
use serde::Serialize;

use super::document::load_trust;
use super::say;
use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::files;

/// What `bauta trust` can do.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// Put a master list, a certificate of a new key, or a revocation list into a trust folder,
    /// once it is known whose it is.
    Import(ImportArgs),
    /// List the trusted authorities of a folder or file.
    List(ListArgs),
}

/// What is imported.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// A master list (.ml), a certificate (.cer, .crt, .der) or a revocation list (.crl).
    file: PathBuf,
    /// The trust folder, which an operator's configuration names.
    #[arg(long)]
    into: PathBuf,
    /// SHA-256 of the state's authority, known from elsewhere; needed for the first list or
    /// certificate of a state. Hexadecimal, with or without colons.
    #[arg(long)]
    root: Option<String>,
}

/// What is listed.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// The trust folder, or a file of it.
    from: PathBuf,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl TrustCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// A [`Failure`]; nothing is written then.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            TrustCommand::Import(args) => args.import(),
            TrustCommand::List(args) => args.list(),
        }
    }
}

impl ImportArgs {
    fn import(&self) -> anyhow::Result<()> {
        let file = files::read(&self.file).or_fail("file-unreadable", || "the file")?;
        let ending = self.file.extension().and_then(|ending| ending.to_str());
        let (name, what) = match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
            "ml" => self.master_list(&file)?,
            "cer" | "crt" | "der" => self.certificate(&file)?,
            "crl" => self.revocation_list(&file)?,
            _ => {
                let what = "the name of the file ends in none of .ml, .cer, .crt, .der and .crl";
                return Err(Failure::of("argument-invalid", what).into());
            }
        };
        let path = self.into.join(name);
        files::replace(&path, &file).or_fail("file-unwritable", || "the trust folder")?;
        say(&format!("{what}\n{}", path.display()));
        Ok(())
    }

    /// What is trusted already; nothing where the folder is empty.
    fn known(&self) -> anyhow::Result<TrustStore> {
        match TrustStore::load_folder(&self.into) {
            Err(TrustFolderError::Empty(_)) => Ok(TrustStore::default()),
            loaded => loaded.or_fail("file-invalid", || "the trust folder"),
        }
    }

    /// The name under which a master list is kept, one for each state that makes lists.
    fn master_list(&self, file: &[u8]) -> anyhow::Result<(String, String)> {
        let unreadable = || "the master list";
        let list = MasterList::parse(file).or_fail("file-invalid", unreadable)?;
        let trust = match &self.root {
            Some(root) => {
                let root = fingerprint(root)?;
                let mut roots = list.roots();
                roots.retain(|der| digest(der) == root);
                store(roots)?
            }
            None => self.known()?,
        };
        match list.is_signed_under(&trust, mrtd::UnixTime(clock::now().0)) {
            Err(MasterListError::UnknownAuthority) => return Err(untrusted(&list).into()),
            checked => checked.or_fail("file-invalid", unreadable)?,
        }
        let country = country_or_none(list.country());
        let Some(signed) = list.signed_at() else {
            let what = "the master list does not say when it was signed";
            return Err(Failure::of("file-invalid", what).into());
        };
        let name = format!("{country}.ml");
        let path = self.into.join(&name);
        if path.exists() {
            let present = files::read(&path).or_fail("file-unreadable", || "the trust folder")?;
            let present = MasterList::parse(&present).or_fail("file-invalid", unreadable)?;
            // An old list would bring back authorities that a newer one left out.
            if present.signed_at() > Some(signed) {
                return Err(Failure::of("list-older", "the master list is older").into());
            }
        } else if self.root.is_none() {
            // That a state's passports are accepted is no reason to accept what it says of others.
            return Err(untrusted(&list).into());
        }
        let what = format!(
            "master list of {country} of {}: {} certificates",
            clock::date(UnixTime(signed.0)),
            list.certificates().len()
        );
        Ok((name, what))
    }

    fn certificate(&self, file: &[u8]) -> anyhow::Result<(String, String)> {
        let single = store(vec![file])?;
        let what = || format!("the certificate with SHA-256 {}", hex::encode(digest(file)));
        match &self.root {
            Some(root) if fingerprint(root)? == digest(file) => {}
            Some(_) => return Err(Failure::of("list-not-trusted", what()).into()),
            None => self
                .known()?
                .check_link(file)
                .or_fail("list-not-trusted", what)?,
        }
        let country = single.authorities().next().and_then(|one| one.country());
        let country = country_or_none(country);
        Ok((
            file_name(&country, digest(file), "cer"),
            format!("certificate of an authority of {country}"),
        ))
    }

    fn revocation_list(&self, file: &[u8]) -> anyhow::Result<(String, String)> {
        let mut known = self.known()?;
        let added = known.add_revocation_list(file);
        let added = added.or_fail("list-not-trusted", || "the revocation list")?;
        let Some(authority) = added else {
            return Err(Failure::of("list-older", "the revocation list is older").into());
        };
        let country = country_or_none(authority.country());
        Ok((
            file_name(&country, authority.fingerprint(), "crl"),
            format!("revocation list of {country}"),
        ))
    }
}

impl ListArgs {
    fn list(&self) -> anyhow::Result<()> {
        let trust = load_trust(&self.from)?;
        let mut authorities: Vec<_> = trust.authorities().collect();
        authorities.sort_by_key(|one| (country_or_none(one.country()), one.validity().from));
        let mut countries = BTreeSet::new();
        for authority in &authorities {
            countries.insert(country_or_none(authority.country()));
            let row = Row::of(*authority);
            if self.json {
                say(&serde_json::to_string(&row)?);
            } else {
                say(&format!(
                    "{:<4}{:<26}{} to {}  {}",
                    row.country, row.key, row.from, row.until, row.sha256
                ));
            }
        }
        if !self.json {
            say(&format!(
                "{} certificates of {} countries, {} revocation lists",
                authorities.len(),
                countries.len(),
                trust.revocation_lists()
            ));
            for what in trust.left_out() {
                say(&format!("left out: {what}"));
            }
        }
        Ok(())
    }
}

/// An authority as it is listed.
#[derive(Serialize)]
struct Row {
    country: String,
    key: String,
    from: String,
    until: String,
    sha256: String,
}

impl Row {
    fn of(authority: Authority<'_>) -> Row {
        let day = |time: mrtd::UnixTime| clock::date(UnixTime(time.0));
        let validity = authority.validity();
        Row {
            country: country_or_none(authority.country()),
            // Shown, because a document under this key is refused with the same words.
            key: authority.key().unwrap_or_else(|error| error.to_string()),
            from: day(validity.from),
            until: day(validity.until),
            sha256: hex::encode(authority.fingerprint()),
        }
    }
}

fn untrusted(list: &MasterList) -> Failure {
    let roots = list
        .roots()
        .into_iter()
        .map(|root| hex::encode(digest(root)));
    let what = format!(
        "whose the list is has to be known from elsewhere; its authority has one of {}",
        roots.collect::<Vec<_>>().join(", ")
    );
    Failure::of("list-not-trusted", what)
}

fn store(certificates: Vec<&[u8]>) -> anyhow::Result<TrustStore> {
    TrustStore::from_der(certificates)
        .map_err(|(_, error)| error)
        .or_fail("file-invalid", || "the certificate")
}

/// Two letters, or two dashes where the certificate names no state that can be read.
fn country_or_none(country: Option<CountryCode>) -> String {
    country.map_or_else(|| "--".to_owned(), |code| code.to_string())
}

fn file_name(country: &str, digest: [u8; 32], ending: &str) -> String {
    let short: String = hex::encode(digest).chars().take(16).collect();
    format!("{country}-{short}.{ending}")
}

fn digest(der: &[u8]) -> [u8; 32] {
    jose::sha256(der)
}

/// 32 bytes in hexadecimal, with or without colons.
fn fingerprint(text: &str) -> anyhow::Result<[u8; 32]> {
    let digits: String = text.chars().filter(|one| *one != ':').collect();
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| Failure::of("argument-invalid", "--root takes 64 hexadecimal digits"))?;
    Ok(bytes)
}
