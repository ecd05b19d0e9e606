//! What a person shows: a document with or without its chip, or a number and a name.

use std::io::IsTerminal;

use clap::ValueEnum;
use credential::attributes::Attributes;
use credential::jose;
use credential::origin::Origin;
use mrtd::{ActiveKey, CardAccess, ChipQuestion, ChipReader, SecurityInfos};
use reqwest::Method;
use serde_json::{Value, json};
use service::enrolment::{
    ChipProof, ResidentUpload, parse_session, resident_attributes, signed_challenge,
};
use service::residents::{CardDates, IsoDate, NumberKind, ResidentNumber};
use wallet::enrol::{ChipChallenge, Session, SessionState};
use zeroize::Zeroizing;

use super::desk::Desk;
use super::{EnrolArgs, unexpected};
use crate::clock;
use crate::commands::wallet::{Output, read_line, warn};
use crate::document::{DocumentFiles, NOT_THE_SIGNED_ONE, access_key, open_chip, read_failure};
use crate::failure::Failure;
use crate::reader::Reader;

/// What a person shows.
pub(super) enum Evidence<'r> {
    /// A document's files, and its chip where it lies on a reader.
    Document(DocumentFiles, Option<ChipReader<'r>>),
    /// What an authoritative register is asked about, and what a certificate will say then.
    Resident(Value, Box<Attributes>),
}

/// What a number is of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    /// The resident identity card of a Chinese citizen.
    ResidentCard,
    /// The residence permit of a Hong Kong resident.
    HongKongPermit,
    /// The residence permit of a Macau resident.
    MacauPermit,
    /// The residence permit of a Taiwan resident.
    TaiwanPermit,
    /// The permanent resident card of a foreigner.
    PermanentResidentCard,
}

/// What a person is told whose document is data alone.
const NOT_PROVED: &str = "No chip has proved that this document is the original one: the certificate \
     will say \"low\". To have \"substantial\", read the chip with --reader, without --data-alone.";

impl<'r> Evidence<'r> {
    /// Reads the chip, the files, or what the person types.
    pub(super) fn gather(
        args: &EnrolArgs,
        reader: Option<&'r mut Reader>,
        output: Output,
    ) -> Result<Evidence<'r>, Failure> {
        if let Some(kind) = args.resident {
            return typed(kind);
        }
        if let Some(reader) = reader {
            let access = access_key(args.access.as_deref())?;
            output.progress("Opening the chip: leave the document on the reader …");
            let mut chip = open_chip(reader, &access)?;
            let files =
                DocumentFiles::of_chip(&mut chip, &FILES, &mut |line| output.progress(line))?;
            warn_of_card_access(&chip, &files);
            let chip = Some(chip).filter(|_| !args.data_alone);
            return Ok(Evidence::Document(files, chip));
        }
        let folder = args.document.as_deref().ok_or_else(|| {
            let what = "there is nothing to show";
            Failure::of("evidence-missing", what)
        })?;
        Ok(Evidence::Document(DocumentFiles::of_folder(folder)?, None))
    }

    /// Sends it; what a certificate about it has to say.
    pub(super) async fn send(
        self,
        desk: &mut Desk,
        session: Session,
        output: Output,
    ) -> Result<Attributes, Failure> {
        match self {
            Evidence::Document(files, chip) => {
                // Else it was sent before an interruption.
                let session = if session.state == SessionState::AwaitingEvidence {
                    let body = body(&files, chip.is_some())?;
                    desk.send(Method::PUT, "/document", &body).await?
                } else {
                    session
                };
                let proof = prove((desk, session), &files, chip, output).await?;
                attributes(&files, proof)
            }
            Evidence::Resident(body, attributes) => {
                let _: Session = desk.send(Method::PUT, "/resident", &body).await?;
                Ok(*attributes)
            }
        }
    }
}

/// Tells the person where the chip offered something else before there was a channel than data group
/// 14 says. Whether the group is signed only the operator can tell, and refuses the document if not.
///
/// The enrolment goes on. ICAO Doc 9303-11 §4.2 demands that EF.CardAccess is verified, but not that a
/// document is refused for it, and nothing rests on the file any more: the data are signed, the
/// chip's proof is asked for under new keys, and what somebody may have listened to has been read
/// already. Only a person can find out which of the two it is, with another reader.
fn warn_of_card_access(chip: &ChipReader<'_>, files: &DocumentFiles) {
    let group = files.groups.get(&14);
    let compared = group.map(|group| CardAccess::compare(chip.card_access(), group));
    if let Some(Err(error)) = compared {
        warn(&format!(
            "Warning: {error}: {NOT_THE_SIGNED_ONE}. Whoever listened may find out what is on the \
             chip.\nTry another reader that you trust: if the warning comes there too, the \
             document was made so."
        ));
    }
}

/// What is sent of a document.
fn body(document: &DocumentFiles, has_chip: bool) -> Result<Value, Failure> {
    let file = |number| document.groups.get(&number).map(jose::encode);
    // Who sends the chip's keys is asked for its answer.
    let of_chip = |number| file(number).filter(|_| has_chip);
    Ok(json!({
        "dg1": jose::encode(document.group(1)?),
        "dg2": jose::encode(document.group(2)?),
        "dg11": file(11),
        "dg14": of_chip(14),
        "dg15": of_chip(15),
        "sod": jose::encode(&document.sod),
    }))
}

/// Lets the document's chip answer where there is one.
async fn prove(
    (desk, session): (&mut Desk, Session),
    document: &DocumentFiles,
    chip: Option<ChipReader<'_>>,
    output: Output,
) -> Result<ChipProof, Failure> {
    if chip.is_none() && session.chip.is_some() {
        return Err(Failure::of(
            "chip-awaited",
            "the operator waits for the chip's answer",
        ));
    }
    let can_prove = chip.is_some() && has_key(document);
    let (Some(chip), Some(challenge)) = (chip, session.chip) else {
        if can_prove {
            // Who asks some chips and not others has two kinds of people.
            let what = "the operator does not ask the chip, which can prove itself";
            return Err(Failure::of("attributes-differ", what));
        }
        output.progress(NOT_PROVED);
        return Ok(ChipProof::NotAsked);
    };
    output.progress("The chip proves that it is the original one …");
    let answer = ask_chip(chip, document, challenge, desk)?;
    let body = json!({ "answer": jose::encode(answer) });
    let _: Session = desk.send(Method::POST, "/chip", &body).await?;
    Ok(ChipProof::Shown)
}

/// What is read of a chip: zone, portrait, the person's number, and what the chip can prove itself
/// with.
const FILES: [u8; 5] = [1, 2, 11, 14, 15];

/// What a certificate about this document says.
fn attributes(document: &DocumentFiles, proof: ChipProof) -> Result<Attributes, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| Failure::of("document-unusable", error);
    let now = mrtd::UnixTime(clock::now().0);
    let today = mrtd::CalendarDate::from_unix(now).map_err(|error| unreadable(&error))?;
    let details = document.groups.get(&11).map(|file| mrtd::parse_dg11(file));
    let details = details.transpose().map_err(|error| unreadable(&error))?;
    let born = details.and_then(|details| details.birth_date);
    let mrz = mrtd::parse_dg1_of(document.group(1)?, today, born);
    let mrz = mrz.map_err(|error| unreadable(&error))?;
    service::enrolment::attributes(&mrz, proof).map_err(|error| unreadable(&error))
}

/// The chip's answer to what the operator asks it.
fn ask_chip(
    mut chip: ChipReader<'_>,
    document: &DocumentFiles,
    challenge: ChipChallenge,
    desk: &Desk,
) -> Result<Vec<u8>, Failure> {
    let octets = |text: &str| jose::decode(text).map_err(|_| unexpected());
    let protocols = protocols(document).ok_or_else(unexpected)?;
    let answer = match challenge {
        ChipChallenge::ChipAuthentication {
            cipher,
            key_id,
            public_key,
            command,
        } => {
            let question = ChipQuestion {
                cipher,
                key_id: key_id.as_deref().map(octets).transpose()?,
                public_key: octets(&public_key)?,
                command: octets(&command)?,
            };
            chip.ask(&question, &protocols)
        }
        // A signature can be shown to others; it is given only where there is no other proof.
        ChipChallenge::ActiveAuthentication { .. } if protocols.offers_chip_authentication() => {
            return Err(unexpected());
        }
        ChipChallenge::ActiveAuthentication { nonce } => {
            let nonce = octets(&nonce)?.try_into().map_err(|_| unexpected())?;
            let session = parse_session(&desk.session).ok_or_else(unexpected)?;
            let origin = Origin::parse(&desk.base).map_err(|_| unexpected())?;
            let challenge = signed_challenge(&origin, session, &nonce);
            let key = ActiveKey::parse(document.group(15)?, &protocols);
            let key = key.map_err(|error| Failure::of("document-unusable", error))?;
            chip.sign(&challenge, key.signature_len())
        }
    };
    answer.map_err(|error| read_failure(&error))
}

/// The chip's protocols; `None` where the list cannot be read.
fn protocols(document: &DocumentFiles) -> Option<SecurityInfos> {
    let file = document.groups.get(&14);
    let protocols = file.map(|file| SecurityInfos::parse_dg14(file));
    Some(protocols.transpose().ok()?.unwrap_or_default())
}

/// Whether the chip has a key that it can be asked about.
fn has_key(document: &DocumentFiles) -> bool {
    let Some(protocols) = protocols(document) else {
        return false;
    };
    let signs = document.groups.get(&15);
    let signs = signs.is_some_and(|file| ActiveKey::parse(file, &protocols).is_ok());
    protocols.offers_chip_authentication() || signs
}

/// Number and name, a line each, as the person types them.
fn typed<'r>(kind: Kind) -> Result<Evidence<'r>, Failure> {
    let kind = kind.of_number();
    let today = mrtd::CalendarDate::from_unix(mrtd::UnixTime(clock::now().0));
    let today = today.map_err(|error| Failure::of("local-failure", error))?;
    let number = Zeroizing::new(line("Number: ")?);
    let birth_is_open = ResidentNumber::parse(kind, &number, today)
        .map_err(|error| Failure::of("resident-number-invalid", error))?
        .birth()
        .is_none();
    let name = Zeroizing::new(line("Name as on the card: ")?);
    let mut dates = CardDates::default();
    if birth_is_open {
        let birth = IsoDate::parse(&line("Date of birth, YYYY-MM-DD: ")?);
        let refused = |error| Failure::of("resident-birth-invalid", error);
        dates.birth = Some(birth.map_err(refused)?);
    }
    let mut body = json!({ "kind": kind, "number": *number, "name": *name });
    if let (Some(birth), Some(members)) = (dates.birth, body.as_object_mut()) {
        members.insert("birth".to_owned(), json!(birth));
    }
    let upload = ResidentUpload {
        kind,
        number,
        name,
        dates,
    };
    let unusable = |error: &dyn std::fmt::Display| Failure::of("document-unusable", error);
    let claim = upload.claim(today).map_err(|error| unusable(&error))?;
    let attributes = resident_attributes(&claim).map_err(|error| unusable(&error))?;
    Ok(Evidence::Resident(body, Box::new(attributes)))
}

fn line(question: &str) -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        eprint!("{question}");
    }
    let typed = read_line().filter(|line| !line.is_empty());
    typed.ok_or_else(|| Failure::of("resident-missing", "number and name are needed"))
}

impl Kind {
    fn of_number(self) -> NumberKind {
        match self {
            Kind::ResidentCard => NumberKind::Resident,
            Kind::HongKongPermit => NumberKind::HongKongPermit,
            Kind::MacauPermit => NumberKind::MacauPermit,
            Kind::TaiwanPermit => NumberKind::TaiwanPermit,
            Kind::PermanentResidentCard => NumberKind::PermanentResident,
        }
    }
}
