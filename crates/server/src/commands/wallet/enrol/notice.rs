//! What people are told before anything is sent, and whether they agree.

use std::fmt::Write;
use std::io::IsTerminal;

use clap::ValueEnum;
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::site_entry::is_control;
use reqwest::Method;
use serde_json::Value;
use wallet::enrol::{self, Consented, Notice, Processing, Session};

use super::desk::Desk;
use super::{enrol_failure, unexpected};
use crate::commands::wallet::home::Home;
use crate::commands::wallet::{Output, read_line};
use crate::failure::{Failure, refused};

/// What can be agreed to on the command line, after reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Agreement {
    /// The notice.
    Notice,
    /// That a machine compares the face.
    Face,
}

/// Shows the notice, asks, and sends the consent; the receipt is kept.
pub(super) async fn agree(
    desk: &mut Desk,
    home: &mut Home,
    (evidence, camera, agreed): (ChosenEvidence, bool, &[Agreement]),
    output: Output,
) -> Result<Session, Failure> {
    let url = format!("{}/.well-known/bauta/notice", desk.base);
    let answer = desk.client.send(desk.client.requests().get(url)).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    let notice: Notice = answer.json().map_err(|_| unexpected())?;
    output.progress(&plain(&text(&notice, evidence)));
    let question = "Do you agree? Type yes or no: ";
    if !ask(Agreement::Notice, agreed, (question, output))? {
        return Err(Failure::of("consent-missing", "you did not agree"));
    }
    let face = if camera {
        ask_face(&notice, agreed, output)?
    } else {
        FaceConsent::Withheld
    };
    let consent = enrol::consent(&answer.body, evidence, face);
    let taken: Value = desk.send(Method::PUT, "/consent", &consent).await?;
    let receipt: Consented = serde_json::from_value(taken.clone()).map_err(|_| unexpected())?;
    let receipt = receipt.receipt(&consent, &desk.session, &home.vault.operator);
    home.vault.consents.push(receipt.map_err(enrol_failure)?);
    home.save_vault()?;
    let ongoing = home.keys.enrolment.as_mut().ok_or_else(unexpected)?;
    ongoing.consented = Some(face);
    home.save_keys()?;
    serde_json::from_value(taken).map_err(|_| unexpected())
}

/// Asks for the face by itself: who says no enrols all the same.
fn ask_face(notice: &Notice, agreed: &[Agreement], output: Output) -> Result<FaceConsent, Failure> {
    let Some(processing) = notice.processing.iter().find(|use_| use_.id == "face") else {
        output.progress("This operator has no machine compare faces: an officer will look.");
        return Ok(FaceConsent::Withheld);
    };
    let mut text = "For your face alone:\n".to_owned();
    describe(processing, &mut text);
    output.progress(plain(&text).trim_end());
    let question = "May a machine compare your face? Type yes or no: ";
    Ok(if ask(Agreement::Face, agreed, (question, output))? {
        FaceConsent::Given
    } else {
        FaceConsent::Withheld
    })
}

/// Whether the person agrees, by an option or at the terminal.
fn ask(
    what: Agreement,
    agreed: &[Agreement],
    (question, output): (&str, Output),
) -> Result<bool, Failure> {
    if agreed.contains(&what) {
        return Ok(true);
    }
    // A script was shown nothing.
    if output == Output::Json || !std::io::stdin().is_terminal() {
        let what = match what {
            Agreement::Notice => "nobody has agreed to the notice",
            Agreement::Face => "nobody has agreed that a machine compares the face",
        };
        return Err(Failure::of("consent-missing", what));
    }
    eprint!("{question}");
    Ok(matches!(read_line().as_deref(), Some("yes" | "y")))
}

/// The operator's text, of which nothing steers the terminal.
fn plain(text: &str) -> String {
    let kept = |c: &char| *c == '\n' || !is_control(*c);
    text.chars().filter(kept).collect()
}

/// The notice as people read it: what is used for this kind of evidence.
fn text(notice: &Notice, evidence: ChosenEvidence) -> String {
    let left_out = match evidence {
        ChosenEvidence::Document => "resident_number",
        ChosenEvidence::ResidentNumber => "document",
    };
    let mut text = format!(
        "{} registers you and is responsible for your data (questions: {}). Notice {}.\n",
        notice.controller, notice.contact, notice.version
    );
    let used = notice
        .processing
        .iter()
        .filter(|use_| use_.id != left_out && use_.id != "face");
    for processing in used {
        describe(processing, &mut text);
    }
    // Writing to a text cannot fail.
    let _written = write!(
        text,
        "You can take your consent back {}.",
        notice.withdrawal
    );
    text
}

fn describe(processing: &Processing, text: &mut String) {
    let Processing {
        data,
        purpose,
        retention,
        recipients,
        ..
    } = processing;
    let _written = writeln!(
        text,
        "  {}\n    for: {purpose}\n    kept: {retention}",
        data.join(", ")
    );
    if !recipients.is_empty() {
        let _written = writeln!(text, "    seen by: {}", recipients.join(", "));
    }
    if let Some(otherwise) = &processing.otherwise {
        let _written = writeln!(text, "    instead: {otherwise}");
    }
}
