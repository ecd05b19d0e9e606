//! `bauta document inspect`: a document explained to a person, check by check.

mod checks;

use std::path::{Path, PathBuf};

use clap::Args;
use mrtd::{ChipReader, Mrz, TrustStore};
use serde::Serialize;

use super::load_trust;
use crate::clock;
use crate::commands::say;
use crate::document::{DocumentFiles, access_key, open_chip};
use crate::failure::Failure;
use crate::reader::Reader;

/// What is inspected.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Folder with the document's files (EF.SOD, EF.DG1, …), or a reader: a part of its name,
    /// `auto` for the only one with a chip, or the address of a specimen's chip.
    document: String,
    /// A master list (.ml), a file of certificates, or a folder of both: without it nobody can tell
    /// whether a state has signed.
    #[arg(long)]
    trust: Option<PathBuf>,
    /// File with what opens the chip: the access number, or the lines of the machine-readable zone
    /// as printed. Default: it is asked for.
    #[arg(long)]
    access: Option<PathBuf>,
    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Serialize)]
struct Report {
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
    checks: Vec<Check>,
}

/// One check.
#[derive(Serialize)]
struct Check {
    check: String,
    /// Where the standard asks for it.
    section: &'static str,
    outcome: Outcome,
    what: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passed,
    Weak,
    Failed,
    NotChecked,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// Every check passed; what was not checked says so.
    Passed,
    Weak,
    /// Nobody has looked at the signature.
    Unverified,
    Failed,
}

/// What the zone says of the holder.
#[derive(Serialize)]
struct Holder {
    family_name: String,
    given_names: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    native_name: Option<String>,
    born: String,
    sex: char,
    nationality: String,
    issuing_state: String,
    document_number: String,
    expires: String,
}

impl InspectArgs {
    /// Inspects the document.
    ///
    /// # Errors
    ///
    /// `document-weak` or `document-refused` after the report was printed; what keeps it from being
    /// read.
    pub(super) fn inspect(&self) -> anyhow::Result<()> {
        let trust = self.trust.as_deref().map(load_trust).transpose()?;
        let now = mrtd::UnixTime(clock::now().0);
        let report = if Path::new(&self.document).is_dir() {
            let files = DocumentFiles::of_folder(Path::new(&self.document))?;
            Report::of(&files, None, trust.as_ref(), now)
        } else {
            let mut reader = Reader::open(&self.document)?;
            let mut chip = open_chip(&mut reader, &access_key(self.access.as_deref())?)?;
            let files = DocumentFiles::of_chip(&mut chip, &READ, &mut |line| eprintln!("{line}"))?;
            Report::of(&files, Some(chip), trust.as_ref(), now)
        };
        if self.json {
            say(&serde_json::to_string(&report)?);
        } else {
            report.print();
        }
        report.ending()
    }
}

impl Report {
    fn of(
        files: &DocumentFiles,
        chip: Option<ChipReader<'_>>,
        trust: Option<&TrustStore>,
        now: mrtd::UnixTime,
    ) -> Report {
        let (zone, checks) = checks::all(files, chip, trust, now);
        let has = |outcome| checks.iter().any(|check: &Check| check.outcome == outcome);
        let signature = checks.iter().find(|check| check.check == checks::SIGNATURE);
        let verdict = if has(Outcome::Failed) {
            Verdict::Failed
        } else if signature.is_none_or(|check| check.outcome == Outcome::NotChecked) {
            Verdict::Unverified
        } else if has(Outcome::Weak) {
            Verdict::Weak
        } else {
            Verdict::Passed
        };
        Report {
            verdict,
            holder: zone.as_ref().map(Holder::of),
            checks,
        }
    }

    fn print(&self) {
        if let Some(holder) = &self.holder {
            holder.print();
        }
        for check in &self.checks {
            let mark = match check.outcome {
                Outcome::Passed => "passed",
                Outcome::Weak => "WEAK",
                Outcome::Failed => "FAILED",
                Outcome::NotChecked => "-",
            };
            let Check {
                check,
                section,
                what,
                ..
            } = check;
            say(&format!("{mark:<8}{check:<26}{what}  [{section}]"));
        }
        say(
            "\nIn brackets: ICAO Doc 9303, 8th edition. A line that begins with - was not checked.",
        );
        say(match self.verdict {
            Verdict::Passed => "Every check that could be made has passed.",
            Verdict::Unverified => "Nobody can tell whether a state signed this document.",
            Verdict::Weak => "The document rests on something that is no longer safe.",
            Verdict::Failed => "The document is not to be relied on.",
        });
    }

    fn ending(&self) -> anyhow::Result<()> {
        let first = |outcome| self.checks.iter().find(|check| check.outcome == outcome);
        let ended = |id, outcome| {
            let what = first(outcome).map_or("", |check| check.what.as_str());
            Err(Failure::of(id, what).into())
        };
        match self.verdict {
            Verdict::Passed => Ok(()),
            Verdict::Weak => ended("document-weak", Outcome::Weak),
            Verdict::Unverified => ended("document-unverified", Outcome::NotChecked),
            Verdict::Failed => ended("document-refused", Outcome::Failed),
        }
    }
}

impl Holder {
    fn of(zone: &Mrz) -> Holder {
        let day = |date: mrtd::CalendarDate| {
            format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
        };
        Holder {
            family_name: zone.family_name().to_owned(),
            given_names: zone.given_names().to_owned(),
            native_name: zone.native_name().map(str::to_owned),
            born: day(zone.birth_date()),
            sex: zone.sex().to_mrz(),
            nationality: zone.nationality().to_string(),
            issuing_state: zone.issuing_state().to_string(),
            document_number: zone.document_number().to_owned(),
            expires: day(zone.expiry()),
        }
    }

    fn print(&self) {
        let names = [&self.given_names, &self.family_name].into_iter();
        let names = names
            .chain(&self.native_name)
            .filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(String::as_str).collect();
        say(&format!(
            "{}\nborn {}, sex {}, nationality {}\ndocument {} of {}, expires {}\n",
            names.join(" "),
            self.born,
            self.sex,
            self.nationality,
            self.document_number,
            self.issuing_state,
            self.expires,
        ));
    }
}

/// What is read of a chip: all that is not shut to everybody, as fingers (3) and eyes (4) are.
const READ: [u8; 14] = [1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
