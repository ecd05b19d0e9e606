//! `bauta specimen`: passports of a state that does not exist, for demonstrations and tests.

pub mod chip;
mod chip_file;
pub mod face;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use mrtd::specimen::{
    SignatureKind, SpecimenAuthority, SpecimenHolder, SpecimenPortrait, SpecimenSigner,
    specimen_holder,
};
use mrtd::{CalendarDate, Format, Period, UnixTime};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, UnwrapErr};
use serde::{Deserialize, Serialize};

use self::chip_file::{ChipFile, ChipSettings};
use crate::clock;
use crate::failure::{Failure, OrFail};
use crate::files::{self, Access};

/// What `bauta specimen` can do.
#[derive(Debug, Subcommand)]
pub enum SpecimenCommand {
    /// Make a signing authority of Utopia. Its certificate `trust/csca.cer` goes into the trust
    /// folder of an operator that is to accept the specimens.
    Authority {
        /// Folder for `authority.json` (secret) and `trust/csca.cer`.
        #[arg(long)]
        out: PathBuf,
    },
    /// Make a passport or a card: the files of its chip, `chip.json` with the chip's keys, and
    /// `zone.txt`, the machine-readable zone as printed.
    Passport(Box<PassportArgs>),
    /// Be the chip of a specimen, for a reader on this machine, until SIGTERM or SIGINT.
    Chip(chip::ChipArgs),
    /// Be somebody before a camera who does what a wallet says, made from one picture.
    Face(face::FaceArgs),
}

/// A passport.
#[derive(Debug, Args)]
pub struct PassportArgs {
    /// Folder of the authority.
    #[arg(long)]
    authority: PathBuf,
    /// Folder for the files.
    #[arg(long)]
    out: PathBuf,
    /// Which of the invented people it is for.
    #[arg(long, default_value_t = 1)]
    person: u16,
    /// Another family name: capital letters and spaces.
    #[arg(long)]
    family_name: Option<String>,
    /// Other given names: capital letters and spaces.
    #[arg(long)]
    given_names: Option<String>,
    /// Another date of birth, `YYYY-MM-DD`.
    #[arg(long)]
    birth_date: Option<String>,
    /// Another document number: 1 to 9 capital letters and digits, on cards also more.
    #[arg(long)]
    document_number: Option<String>,
    /// Another personal number: up to 14 capital letters and digits, 11 on a card, 7 on a larger one.
    #[arg(long)]
    personal_number: Option<String>,
    /// A passport (`td3`) or a card.
    #[arg(long, value_enum, default_value_t = Size::Td3)]
    format: Size,
    /// How the document is signed.
    #[arg(long, value_enum, default_value_t = Signature::Ecdsa)]
    signature: Signature,
    /// How the portrait is encoded. In JPEG 2000 everybody has the same face.
    #[arg(long, value_enum, default_value_t = Portrait::Jpeg)]
    portrait: Portrait,
    /// JPEG or JPEG 2000 file with another portrait than the drawn one, which no face check takes for
    /// a face.
    #[arg(long, conflicts_with = "portrait")]
    image: Option<PathBuf>,
    #[command(flatten)]
    chip: ChipSettings,
}

/// The size of a document, which decides its machine-readable zone.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Size {
    /// A card of the size of a bank card.
    Td1,
    /// A larger card.
    Td2,
    /// A passport.
    Td3,
}

/// The signature over a document.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Signature {
    /// ECDSA on P-256.
    Ecdsa,
    /// RSA with PKCS#1 v1.5.
    Rsa,
    /// RSA-PSS.
    Pss,
}

/// The encoding of a portrait.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Portrait {
    /// JPEG.
    Jpeg,
    /// JPEG 2000.
    Jpeg2000,
}

/// All that an authority is made of: with the same seed everything comes out the same.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authority {
    seed: [u8; 32],
    made: u64,
}

const YEAR: u64 = 365 * 86_400;

impl SpecimenCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            SpecimenCommand::Authority { out } => make_authority(&out),
            SpecimenCommand::Passport(args) => args.make(),
            SpecimenCommand::Chip(args) => args.run(),
            SpecimenCommand::Face(args) => args.run(),
        }
    }
}

fn make_authority(out: &Path) -> anyhow::Result<()> {
    let trust = out.join("trust");
    files::make_private_folder(&trust)?;
    let mut authority = Authority {
        seed: [0; 32],
        made: clock::now().0,
    };
    UnwrapErr(getrandom::SysRng).fill_bytes(&mut authority.seed);
    let (made, _) = authority.open(SignatureKind::EcdsaP256)?;
    let json = serde_json::to_vec(&authority)?;
    files::write_new(&out.join("authority.json"), &json, Access::Private)?;
    files::write_new(&trust.join("csca.cer"), made.certificate(), Access::Public)
}

impl Authority {
    /// The authority and a document signer that signs in the given way.
    fn open(&self, kind: SignatureKind) -> anyhow::Result<(SpecimenAuthority, SpecimenSigner)> {
        let period = |from: u64, years: u64| Period {
            from: UnixTime(from),
            until: UnixTime(from + years * YEAR),
        };
        // A day earlier, so that clocks may differ a little.
        let from = self.made.saturating_sub(86_400);
        let mut rng = ChaCha20Rng::from_seed(self.seed);
        let authority =
            SpecimenAuthority::generate(SignatureKind::EcdsaP256, period(from, 15), &mut rng)?;
        let signer = authority.issue_signer(kind, period(from, 3), period(from, 13), &mut rng)?;
        Ok((authority, signer))
    }
}

impl PassportArgs {
    fn make(self) -> anyhow::Result<()> {
        let file = self.authority.join("authority.json");
        let authority: Authority = serde_json::from_slice(&files::read(&file)?)
            .or_fail("file-invalid", || {
                format!("{} is not an authority", file.display())
            })?;
        let kind = match self.signature {
            Signature::Ecdsa => SignatureKind::EcdsaP256,
            Signature::Rsa => SignatureKind::RsaPkcs1,
            Signature::Pss => SignatureKind::RsaPss,
        };
        let (_, signer) = authority.open(kind)?;
        let out = self.out.clone();
        let chip = self.chip.clone();
        let holder = self.holder(UnixTime(clock::now().0))?;
        let mut rng = UnwrapErr(getrandom::SysRng);
        let chip = ChipFile::draw(chip);
        let passport = signer.issue_with(&holder, chip.keys()?.groups(), None, &mut rng)?;
        if std::fs::read_dir(&out).is_ok_and(|mut files| files.next().is_some()) {
            return Err(Failure::of(
                "file-unwritable",
                format!("{} holds files already: give another folder", out.display()),
            )
            .into());
        }
        // Made beside, under a name that nobody has, and moved as a whole: nobody finds half a
        // passport.
        let beside = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let beside = beside.unwrap_or(Path::new("."));
        files::make_private_folder(beside)?;
        let next = tempfile::Builder::new()
            .prefix(".passport-")
            .tempdir_in(beside)?;
        let mut written = vec![
            ("EF.DG1".to_owned(), &passport.dg1),
            ("EF.DG2".to_owned(), &passport.dg2),
            ("EF.SOD".to_owned(), &passport.sod),
        ];
        for (number, content) in &passport.others {
            written.push((format!("EF.DG{number}"), content));
        }
        for (name, content) in written {
            files::write_new(&next.path().join(name), content, Access::Private)?;
        }
        chip.write(next.path())?;
        let zone = passport.printed_zone.join("\n");
        files::write_new(
            &next.path().join(chip_file::ZONE),
            zone.as_bytes(),
            Access::Private,
        )?;
        std::fs::rename(next.keep(), &out).or_fail("file-unwritable", || {
            format!("cannot make {}", out.display())
        })
    }

    fn holder(self, now: UnixTime) -> anyhow::Result<SpecimenHolder> {
        let mut holder = specimen_holder(self.person, CalendarDate::from_unix(now)?)?;
        holder.format = match self.format {
            Size::Td1 => Format::Td1,
            Size::Td2 => Format::Td2,
            Size::Td3 => Format::Td3,
        };
        match (&self.image, self.portrait) {
            (Some(path), _) => holder.portrait = SpecimenPortrait::Image(files::read(path)?),
            (None, Portrait::Jpeg2000) => holder.portrait = SpecimenPortrait::Jpeg2000,
            (None, Portrait::Jpeg) => {}
        }
        if holder.format == Format::Td2 {
            holder.personal_number = None; // it has seven places for it
        }
        if let Some(text) = &self.birth_date {
            holder.birth_date = parse_date(text)
                .or_fail("argument-invalid", || "the date of birth is YYYY-MM-DD")?;
        }
        if let Some(name) = self.family_name {
            holder.family_name = name;
        }
        if let Some(names) = self.given_names {
            holder.given_names = names;
        }
        if let Some(number) = self.document_number {
            holder.document_number = number;
        }
        holder.personal_number = self.personal_number.or(holder.personal_number.take());
        Ok(holder)
    }
}

fn parse_date(text: &str) -> Option<CalendarDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    CalendarDate::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}
