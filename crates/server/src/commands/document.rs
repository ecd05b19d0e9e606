//! `bauta document`: what a machine can tell of a travel document.

pub mod inspect;
pub mod readers;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use credential::time::UnixTime;
use mrtd::{
    CountryCode, PassiveAuthError, Revocation, SecurityObject, SigningTime, TrustStore,
    VerifiedSecurityObject,
};
use serde::Serialize;

use super::say;
use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::files;

/// What `bauta document` can do.
#[derive(Debug, Subcommand)]
pub enum DocumentCommand {
    /// Verify a security object (EF.SOD) up to a trusted authority. Ends with 0 when signature and
    /// chain hold, with 3 when they do but rest on SHA-1, with 1 for everything else.
    Verify(VerifyArgs),
    /// Explain a document to a person: what was checked, what failed and why, with the section of
    /// the standard. Ends with 0, 3 or 1 as `verify` does.
    Inspect(inspect::InspectArgs),
    /// List this machine's readers, and on which of them a chip lies.
    Readers(readers::ReadersArgs),
}

/// What is verified against what.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The file EF.SOD as it was read from the chip.
    file: PathBuf,
    /// A master list (.ml), a file of certificates, or a folder of both.
    #[arg(long)]
    trust: PathBuf,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What is said of a security object. What stands in it although it was refused is only claimed.
#[derive(Serialize)]
struct Report {
    verdict: Verdict,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    /// How the object is signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signer_algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data_groups: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Valid,
    Weak,
    Refused,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Verdict::Valid => "valid",
            Verdict::Weak => "weak",
            Verdict::Refused => "refused",
        }
    }
}

impl DocumentCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// A [`Failure`]: of id `document-weak` or `document-refused` after the report was printed.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            DocumentCommand::Verify(args) => args.verify(),
            DocumentCommand::Inspect(args) => args.inspect(),
            DocumentCommand::Readers(args) => args.list(),
        }
    }
}

impl VerifyArgs {
    fn verify(&self) -> anyhow::Result<()> {
        let file = files::read(&self.file).or_fail("file-unreadable", || "the security object")?;
        let trust = load_trust(&self.trust)?;
        let report = examine(&file, &trust, mrtd::UnixTime(clock::now().0));
        if self.json {
            say(&serde_json::to_string(&report)?);
        } else {
            report.print();
        }
        match report.verdict {
            Verdict::Valid => Ok(()),
            Verdict::Weak => Err(Failure::of("document-weak", report.reason).into()),
            Verdict::Refused => Err(Failure::of("document-refused", report.reason).into()),
        }
    }
}

/// The authorities of a file or folder.
pub(super) fn load_trust(path: &Path) -> anyhow::Result<TrustStore> {
    let loaded = if path.is_dir() {
        TrustStore::load_folder(path)
    } else {
        TrustStore::load_file(path)
    };
    loaded.or_fail("file-invalid", || "the trusted authorities")
}

fn examine(file: &[u8], trust: &TrustStore, now: mrtd::UnixTime) -> Report {
    let object = match SecurityObject::parse(file) {
        Ok(object) => object,
        Err(error) => return Report::refused(&error.into()),
    };
    let claims = object.claims();
    match object.verify(trust, now) {
        Ok(verified) => Report::of(&verified),
        Err(error) => Report {
            country: claims.country.map(|country| country.to_string()),
            algorithm: claims.algorithm,
            ..Report::refused(&error)
        },
    }
}

impl Report {
    fn refused(error: &PassiveAuthError) -> Report {
        Report {
            verdict: Verdict::Refused,
            reason: format!("{:#}", anyhow::Error::new(error.clone())),
            country: None,
            algorithm: None,
            signer_algorithm: None,
            hash: None,
            data_groups: Vec::new(),
            time: None,
            time_basis: None,
            revocation: None,
        }
    }

    fn of(object: &VerifiedSecurityObject) -> Report {
        let country = object.signer_country();
        let weaknesses: Vec<_> = object
            .weaknesses()
            .iter()
            .map(ToString::to_string)
            .collect();
        let (verdict, reason) = if weaknesses.is_empty() {
            let reason = format!("signature and chain hold up to an authority of {country}");
            (Verdict::Valid, reason)
        } else {
            let what = weaknesses.join("; ");
            let reason = format!("signature and chain hold up to {country}, but {what}");
            (Verdict::Weak, reason)
        };
        let algorithms = object.algorithms().clone();
        let (time, basis) = time(object.signing_time());
        Report {
            verdict,
            reason,
            country: Some(country.to_string()),
            algorithm: Some(algorithms.object),
            signer_algorithm: Some(algorithms.signer),
            hash: Some(algorithms.data_groups),
            data_groups: object.data_groups().collect(),
            time,
            time_basis: Some(basis),
            revocation: Some(revocation(object.revocation(), country)),
        }
    }

    fn print(&self) {
        let claimed = if self.verdict == Verdict::Refused {
            " (claimed)"
        } else {
            ""
        };
        let groups: Vec<_> = self.data_groups.iter().map(ToString::to_string).collect();
        let groups = self
            .hash
            .map(|hash| format!("{} by {hash}", groups.join(", ")));
        let country = self.country.as_ref().map(|text| format!("{text}{claimed}"));
        let algorithm = self.algorithm.as_ref();
        let algorithm = algorithm.map(|text| format!("{text}{claimed}"));
        let time = match (&self.time, self.time_basis) {
            (Some(time), Some(basis)) => Some(format!("{time}, {basis}")),
            (_, basis) => basis.map(str::to_owned),
        };
        let rows = [
            ("country", country),
            ("signature", algorithm),
            ("signer", self.signer_algorithm.clone()),
            ("groups", groups),
            ("signed", time),
            ("revocation", self.revocation.clone()),
            ("verdict", Some(self.verdict.as_str().to_owned())),
            ("reason", Some(self.reason.clone())),
        ];
        for (name, value) in rows {
            if let Some(value) = value {
                say(&format!("{name:<12}{value}"));
            }
        }
    }
}

/// The day of signing, and what it is known from.
pub(super) fn time(signing: SigningTime) -> (Option<String>, &'static str) {
    let day = |time: mrtd::UnixTime| Some(clock::date(UnixTime(time.0)));
    match signing {
        SigningTime::Stated(time) => (day(time), "stated by the signer"),
        SigningTime::KeyInUseFrom(time) => (
            day(time),
            "the first day on which the signer's key was used",
        ),
        SigningTime::Unknown => (None, "unknown; the certificates are valid today"),
    }
}

pub(super) fn revocation(found: Revocation, country: CountryCode) -> String {
    match found {
        Revocation::NoList => format!("not looked up: no list of {country} is there"),
        Revocation::NotListed { made, stale } => {
            let made = clock::date(UnixTime(made.0));
            let stale = if stale {
                ", and a newer one is due"
            } else {
                ""
            };
            format!("not on the list of {country} of {made}{stale}")
        }
    }
}
