//! `bauta wallet enrol`: from a document to a certificate in the vault.

mod desk;
mod evidence;
mod face;
mod notice;

use std::path::{Path, PathBuf};

use clap::Args;
use credential::attributes::{Attributes, Generation};
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::jose::SigningKey;
use openid4vc::vci::CredentialOffer;
use reqwest::Method;
use serde_json::json;
use wallet::enrol::{self, Session, SessionState};
use wallet::vault::{OperatorTrust, Person};

use self::desk::Desk;
pub(super) use self::desk::call;
use self::evidence::{Evidence, Kind};
use self::notice::Agreement;
use super::home::Home;
use super::overview::{attributes_text, damaged, day};
use super::receive::{self, Identity};
use super::{Output, read_line};
use crate::camera::Source;
use crate::clock;
use crate::failure::Failure;
use crate::files;
use crate::reader::Reader;

/// What `enrol` takes.
#[derive(Debug, Args)]
pub(super) struct EnrolArgs {
    /// Folder with the document's files EF.DG1, EF.DG2 and EF.SOD, as read from its chip. Such
    /// files may be copies, so the certificate says `low`; with --reader the chip is asked itself.
    #[arg(required_unless_present_any = ["reader", "resident", "resume", "withdraw"], conflicts_with_all = ["reader", "resident"])]
    document: Option<PathBuf>,
    /// Read the chip on this reader: a part of its name as `bauta document readers` shows it,
    /// `auto` for the only one with a chip, or the address of a specimen's chip.
    #[arg(long)]
    reader: Option<String>,
    /// Enrol by a number and a name that an authoritative register knows, without a chip. Both are
    /// read from standard input, a line each, and the birth date where the number leaves it open.
    #[arg(long, value_enum, conflicts_with = "reader")]
    resident: Option<Kind>,
    /// File with what opens the chip: the access number, or the lines of the machine-readable zone
    /// as printed. Default: it is asked for.
    #[arg(long, requires = "reader")]
    access: Option<PathBuf>,
    /// Read the chip without asking it for a proof: the certificate says `low`. For chips that fail
    /// to prove themselves.
    #[arg(long, requires = "reader")]
    data_alone: bool,
    /// Let a machine compare your face with the portrait, so that no officer has to. `camera` is this
    /// machine's camera; or the name of another one (/dev/video1), the address of one on the network,
    /// a video file, or a folder: of these the wallet takes what is filmed while it says what to do.
    #[arg(long, conflicts_with = "resident")]
    face: Option<String>,
    /// Agree to what the operator's notice says, without being asked.
    #[arg(long, value_enum)]
    agree: Vec<Agreement>,
    /// Go on with an enrolment that was interrupted. Once its evidence was sent, none is needed.
    #[arg(long)]
    resume: bool,
    /// Take back the consent to an enrolment that was interrupted: the operator wipes what it has of
    /// it.
    #[arg(long, conflicts_with_all = ["document", "reader", "resident", "resume"])]
    withdraw: bool,
    /// The operator's public file operator.json. Needed once, for a new wallet.
    #[arg(long)]
    operator: Option<PathBuf>,
    /// PEM file with the only authorities to trust for TLS. Default: the platform's.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The transaction code that the officer hands over. Default: it is read from standard input.
    #[arg(long)]
    transaction_code: Option<String>,
}

/// Runs the command.
pub(super) async fn run(args: EnrolArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut home = match &args.operator {
        Some(path) => Home::open_or_create(folder, &read_operator(path)?, args.ca.as_deref())?,
        None => Home::open(folder)?,
    };
    if args.withdraw {
        Desk::resume(&mut home).await?.0.withdraw().await?;
        home.forget_enrolment()?;
        output.result(
            "Nothing of the enrolment is left at the operator.",
            &json!({}),
        );
        return Ok(());
    }
    let device = home.keys.holder().map_err(damaged)?;
    home.save_keys()?;
    let reached = reach_offer(&args, &mut home, &device, output).await;
    if let Err(failure) = &reached
        && failure.id == "unknown-session"
    {
        home.forget_enrolment()?;
    }
    let (desk, confirmed, offer) = match reached {
        Err(failure) if home.keys.enrolment.is_some() => return Err(gone_on_from(failure)),
        reached => reached?,
    };
    let code = match args.transaction_code {
        given @ Some(_) => given,
        None if offer.transaction_code().is_some() => Some(ask_code(output)?),
        None => None,
    };
    let (attributes, generation) = (confirmed.attributes()?, confirmed.generation()?);
    let identity = Identity {
        attributes,
        generation,
        device: &device,
    };
    receive::run(&mut home, &desk.client, &offer, code, &identity).await?;
    home.forget_enrolment()?;
    report(&home, output)
}

/// What passes by itself loses nothing of a session, but the same command again would begin anew.
fn gone_on_from(failure: Failure) -> Failure {
    let next = match failure.id.as_str() {
        "trustees-unavailable"
        | "session-moved"
        | "request-timeout"
        | "internal-error"
        | "server-failed"
        | "server-unreachable" => {
            "Nothing is lost. In a few minutes go on with `bauta wallet enrol --resume` and the \
             options that you gave."
        }
        _ => failure.next,
    };
    Failure { next, ..failure }
}

/// Goes through the steps up to the offer of a certificate, from where the session is.
async fn reach_offer(
    args: &EnrolArgs,
    home: &mut Home,
    device: &SigningKey,
    output: Output,
) -> Result<(Desk, Confirmed, CredentialOffer), Failure> {
    let (mut desk, session) = if args.resume {
        Desk::resume(home).await?
    } else {
        Desk::begin(home, device).await?
    };
    let camera = args.face.as_deref().map(Source::parse).transpose()?;
    let expected = show_evidence((&mut desk, session), home, args, output).await?;
    let agreed = home.keys.enrolment.as_ref().and_then(|it| it.consented);
    let camera = camera.filter(|_| agreed == Some(FaceConsent::Given));
    let session = face::show(&mut desk, (camera.as_ref(), device), output).await?;
    let confirmed = decide((&mut desk, session), home, output).await?;
    confirmed.check(&expected, home)?;
    let offer = desk
        .agree_on_secrets(home, device, &confirmed, output)
        .await?;
    Ok((desk, confirmed, offer))
}

/// Agrees to the notice and sends the evidence, as far as the session has not come yet; what the
/// certificate has to say.
async fn show_evidence(
    (desk, mut session): (&mut Desk, Session),
    home: &mut Home,
    args: &EnrolArgs,
    output: Output,
) -> Result<Attributes, Failure> {
    if session.state == SessionState::AwaitingConsent {
        let chosen = match args.resident {
            Some(_) => ChosenEvidence::ResidentNumber,
            None => ChosenEvidence::Document,
        };
        let face = args.face.is_some();
        session = notice::agree(desk, home, (chosen, face, &args.agree), output).await?;
    }
    let incomplete = || {
        let what = "this enrolment was interrupted before its evidence was sent";
        Failure::of("enrolment-incomplete", what)
    };
    let ongoing = home.keys.enrolment.as_mut().ok_or_else(unexpected)?;
    // Whatever state the operator says the session is in.
    if ongoing.consented.is_none() {
        let what = "the operator has signed no consent for this enrolment";
        return Err(Failure::of("consent-unsigned", what));
    }
    if !matches!(
        session.state,
        SessionState::AwaitingEvidence | SessionState::AwaitingChip
    ) {
        return ongoing.expected.clone().ok_or_else(incomplete);
    }
    let mut reader = args.reader.as_deref().map(Reader::open).transpose()?;
    let evidence = Evidence::gather(args, reader.as_mut(), output)?;
    output.progress("Sending the evidence to the operator …");
    let expected = evidence.send(desk, session, output).await?;
    ongoing.expected = Some(expected.clone());
    home.save_keys()?;
    Ok(expected)
}

/// Has the machine decide where nothing speaks against it, or else waits for an officer.
async fn decide(
    (desk, mut session): (&mut Desk, Session),
    home: &mut Home,
    output: Output,
) -> Result<Confirmed, Failure> {
    if session.state == SessionState::Checked {
        session = desk.send(Method::POST, "/decision", &json!({})).await?;
        if session.state == SessionState::Confirmed {
            return Ok(Confirmed(session));
        }
    }
    let reasons = session.review.unwrap_or_default();
    if session.state == SessionState::AwaitingOfficer {
        let text: String = reasons.iter().map(|reason| why(reason)).collect();
        output.progress(&format!(
            "The evidence is in order.\n{text}Show yourself to an officer and name this session:\n  \
             {}\n(the officer runs: bauta officer confirm {})",
            desk.session, desk.session
        ));
    }
    if output == Output::Json {
        // A script needs the session before the command ends.
        let value = json!({ "session": desk.session, "review": reasons });
        output.result("", &value);
    }
    desk.wait_for_decision(home).await
}

/// A reason for which a machine may not decide, as a line; nothing for one that is not known.
fn why(reason: &str) -> &'static str {
    match reason {
        "chip-not-proved" => "  An officer has to look: no chip has proved itself.\n",
        "resident-number" => "  An officer has to look: a number alone is no evidence.\n",
        "face-not-checked" => "  An officer has to look: no machine has compared your face.\n",
        "face-not-matched" => "  An officer has to look: the machine was not sure of your face.\n",
        "face-not-live" => {
            "  An officer has to look: the machine did not see a person who did what was said.\n"
        }
        _ => "",
    }
}

fn ask_code(output: Output) -> Result<String, Failure> {
    if output == Output::Text {
        eprint!("Transaction code from the officer: ");
    }
    read_line().filter(|code| !code.is_empty()).ok_or_else(|| {
        let next = "Go on with `bauta wallet enrol --resume`, and give it with --transaction-code \
                    or on standard input.";
        Failure::new(
            "transaction-code-missing",
            "the officer's transaction code is needed",
            next,
        )
    })
}

fn read_operator(path: &Path) -> Result<OperatorTrust, Failure> {
    serde_json::from_slice(&files::read(path)?).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Failure::new(
            "operator-file-invalid",
            what,
            "Give the operator.json that the operator publishes.",
        )
    })
}

/// What the operator says once the person is confirmed.
struct Confirmed(Session);

impl Confirmed {
    fn attributes(&self) -> Result<&Attributes, Failure> {
        self.0.attributes.as_ref().ok_or_else(unexpected)
    }

    /// Whether the operator would certify what the document says, and the person's generation:
    /// anything else could mark the holder at every site that sees it.
    fn check(&self, expected: &Attributes, home: &Home) -> Result<(), Failure> {
        let known = home
            .vault
            .person
            .as_ref()
            .filter(|_| self.0.registered == Some(true));
        let generation = known.map_or(Generation::First.as_str(), Person::generation);
        if self.attributes()? != expected || self.generation()? != generation {
            let what = "the operator would certify something else than your document says";
            let next = "Nothing was certified. Tell others, not the operator alone.";
            return Err(Failure::new("attributes-differ", what, next));
        }
        Ok(())
    }

    fn generation(&self) -> Result<&str, Failure> {
        self.0.generation.as_deref().ok_or_else(unexpected)
    }

    fn nonce(&self) -> Result<&str, Failure> {
        self.0.nonce.as_deref().ok_or_else(unexpected)
    }
}

fn report(home: &Home, output: Output) -> Result<(), Failure> {
    let certificate = home.keys.certificate(clock::now());
    let (Some(person), Some(certificate)) = (&home.vault.person, certificate) else {
        return Err(unexpected());
    };
    let number = person.web_number().map_err(damaged)?;
    let until = certificate.accepted_until();
    let text = format!(
        "Registered. Your web number is {number}\nThe certificate is valid until {}:\n{}\n\
         Make a backup now: bauta wallet backup FILE\n\
         Have `bauta wallet renew` run every hour: it renews the certificate in time.",
        day(until),
        attributes_text(certificate.attributes())
    );
    let value = json!({ "web_number": number.to_string(), "accepted_until": until });
    output.result(&text, &value);
    Ok(())
}

pub(super) fn unexpected() -> Failure {
    Failure::new(
        "server-failed",
        "the operator's answer is of another form",
        "",
    )
}

pub(super) fn enrol_failure(error: enrol::EnrolError) -> Failure {
    Failure::new(
        "answer-invalid",
        error,
        "This wallet kept nothing of it. Enrol again; if it fails again, tell the operator.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_passes_is_gone_on_from_instead_of_beginning_anew() {
        for id in ["trustees-unavailable", "request-timeout", "server-failed"] {
            let failure = gone_on_from(Failure::of(id, "it failed"));
            assert!(failure.next.contains("--resume"), "{id}");
        }
        let failure = gone_on_from(Failure::of("document-expired", "it has expired"));
        assert_eq!(failure.next, Failure::of("document-expired", "").next);
    }
}
