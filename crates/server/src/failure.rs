//! Why a command failed, for a person and for a script: a stable id, what happened, what to do.

use std::fmt;

use credential::site_entry::is_control;
use serde::Deserialize;

use crate::client::{Answer, CallError};

/// A refusal with its stable id, what happened and what to do next.
#[derive(Debug)]
pub struct Failure {
    /// Stable id, kebab-case.
    pub id: String,
    /// What happened.
    pub what: String,
    /// What to do next; empty where there is nothing.
    pub next: &'static str,
}

impl Failure {
    /// A failure with a next step; the one of its id where it is empty.
    #[must_use]
    pub fn new(id: &str, what: impl fmt::Display, next: &'static str) -> Failure {
        Failure {
            id: id.to_owned(),
            what: what.to_string(),
            next: if next.is_empty() { next_step(id) } else { next },
        }
    }

    /// What the process ends with: 3 for a document that holds but rests on SHA-1, 1 for all else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.id == "document-weak" { 3 } else { 1 }
    }

    /// A failure whose next step is the one of its id.
    #[must_use]
    pub fn of(id: &str, what: impl fmt::Display) -> Failure {
        Failure::new(id, what, "")
    }
}

/// What a person can do about a failure; empty where there is nothing.
fn next_step(id: &str) -> &'static str {
    match id {
        "argument-invalid" => "Run the command with --help to see what it takes.",
        "configuration-invalid" => "Mend the file, then start again.",
        "file-unreadable" => "Check the path, and who may read it.",
        "file-unwritable" => {
            "Nothing was overwritten. Choose another place, or remove what is there yourself."
        }
        "file-invalid" => "Give the file that bauta wrote or the other party publishes.",
        "address-taken" => "Stop what uses the address, or configure another one.",
        "server-unreachable" => {
            "Check the address and the connection, then run the same command again."
        }
        "unknown-session" | "code-ended" | "evidence-already-used" => {
            "Begin again with `bauta wallet enrol`."
        }
        "wrong-transaction-code" => {
            "Go on with `bauta wallet enrol --resume` and type it again; it is taken three times."
        }
        "document-weak" => "Use another document; this one cannot be relied on.",
        "list-not-trusted" => {
            "Compare a fingerprint with one that the state publishes elsewhere, then run the same \
             command with --root FINGERPRINT."
        }
        "list-older" => "Nothing was written: a newer list of that state is there.",
        "document-not-authentic" | "document-unusable" | "document-without-portrait" => {
            "Read the document again; if it fails again, ask at the counter."
        }
        "document-expired" => "Come with a document that is valid.",
        "trustees-unavailable"
        | "registration-busy"
        | "rate-limited"
        | "too-many-enrolments"
        | "issuing-paused"
        | "too-many-nonces"
        | "internal-error"
        | "server-failed"
        | "request-timeout" => "Nothing is lost. Try the same again in a few minutes.",
        "already-registered" => "Bring back your backup first: bauta wallet restore FILE",
        "commitment-mismatch" => {
            "This wallet holds other secrets than the registered ones: bring back the backup of \
             the registered wallet in a folder of its own (--home)."
        }
        "passphrase-wrong" => "Type it as it was shown, hyphens included.",
        "backup-invalid" => "Try another copy of the backup.",
        "request-unknown" | "request-expired" | "request-ended" | "login-unknown" => {
            "Reload the site's page and use its new link."
        }
        "certificate-required" => {
            "Reload the site's page and use its new link: it asks for the certificate then."
        }
        "site-age-differs" => {
            "Nothing was registered. Give the same age, or wait until that entry has ended."
        }
        "site-busy" => "Nothing was registered. Run the same command again.",
        "clock-ahead" => {
            "If that is the date, start once with it: --today DATE. If not, set the clock; going on \
             would destroy the keys of the present week."
        }
        "issuer-key-gone" => {
            "Set the clock if it is behind. A key that was destroyed does not come back: certificates \
             are issued from the next epoch on."
        }
        "invalid-nonce" => "Nothing is lost. Run the same command again.",
        "officer-statement-refused" => "Check --id, --key, and this machine's clock.",
        _ => next_step_at_a_reader(id),
    }
}

fn next_step_at_a_reader(id: &str) -> &'static str {
    match id {
        "reader-support-missing" => {
            "Build it with support: cargo build --release -p server --features pcsc (on Debian it \
             needs the packages libpcsclite-dev and pkg-config)."
        }
        "reader-service-missing" => {
            "Install and start the service, on Debian: apt-get install pcscd && systemctl start \
             pcscd.socket"
        }
        "reader-missing" => {
            "Connect it, and see with `bauta document readers` whether it is there and how it is \
             called."
        }
        "reader-ambiguous" => {
            "Leave one document on the readers, or name the reader as `bauta document readers` does."
        }
        "reader-busy" => "End the other program, then run the same command again.",
        "chip-missing" => {
            "Run the same command again and lay the document flat on the reader; a passport opened \
             at its data page."
        }
        "chip-unreachable" => {
            "Lay the document on the reader again and leave it there; a specimen's chip has to run."
        }
        "chip-closed" => {
            "Compare what you typed with the document, then run the same command again."
        }
        "chip-answer-invalid" => {
            "Run the same command again without moving the document; if it fails again, the chip is \
             damaged or none of a travel document."
        }
        "document-unverified" => "Give a master list or a folder of authorities: --trust PATH",
        "document-incomplete" => "Give its file EF.DG11 too, or read the chip with --reader.",
        "chip-not-genuine" => {
            "Enrol again without moving the document; if that fails again, the chip is a copy or \
             broken. With --data-alone it is not asked, and the certificate says \"low\"."
        }
        "resident-missing" => {
            "Type number and name when asked, or give them on standard input, a line each."
        }
        "resident-number-invalid" | "resident-name-invalid" | "resident-birth-invalid" => {
            "Compare with the card what you typed, then run the same command again."
        }
        "register-missing" => {
            "Come with a document that has a chip; this operator asks no register."
        }
        "not-in-register" | "register-undecided" => {
            "Compare with the card what you typed; if it is right, ask the register's office."
        }
        "card-expired" | "card-withdrawn" => "Come with a card that is valid.",
        "access-key-missing" => {
            "Type it when asked, or give a file with it: --access FILE. It is the access number on \
             the document, or the lines of its machine-readable zone."
        }
        "access-key-invalid" => {
            "Type the access number alone, or each line of the machine-readable zone as printed, \
             with every \"<\"."
        }
        _ => next_step_before_a_camera(id),
    }
}

fn next_step_before_a_camera(id: &str) -> &'static str {
    match id {
        "camera-missing" => {
            "Connect the camera, or name another one: --face /dev/video1. Then run `bauta wallet enrol \
             --resume --face …`; without --face an officer looks."
        }
        "ffmpeg-missing" => {
            "Install it (on Debian: apt-get install ffmpeg) or name it in BAUTA_FFMPEG, then run \
             `bauta wallet enrol --resume --face …`."
        }
        "frames-missing" => {
            "Put a video that ffmpeg reads, or JPEG files named by their milliseconds, where the wallet \
             looks, within 45 seconds after the last prompt."
        }
        "frames-too-large" => "Film with fewer pixels: 640 a side are enough.",
        "picture-unusable" => {
            "Give a picture as a camera takes it, JPEG or JPEG 2000; for a specimen, of one face that \
             looks straight."
        }
        "capture-late" => "Send what was filmed at once.",
        "face-not-seen" | "face-not-live" | "face-not-matched" | "face-not-one-person" => {
            "Look for even light, hold the camera still, and move when it is said, not before."
        }
        _ => next_step_of_enrolment(id),
    }
}

fn next_step_of_enrolment(id: &str) -> &'static str {
    match id {
        "consent-unsigned" => "Begin again with `bauta wallet enrol`; nothing of you was sent.",
        "false-match-rate-unsupported" => {
            "Ask for a higher rate, or measure more people: bauta face evaluate DIR --json"
        }
        "too-few-people" => {
            "Give a folder with a folder for each of several people, and their photographs in it."
        }
        "level-unsupported" => "Remove face.highest_level.",
        "networks-missing" => {
            "Make them with tools/face-models and give the folder it prints: face.networks, or \
             --networks"
        }
        "consent-missing" => {
            "Read the notice and answer with yes, or give --agree notice. Nothing was sent."
        }
        "evidence-missing" => {
            "Its evidence was not sent yet: give the folder of the document, --reader or --resident \
             as before."
        }
        "chip-awaited" => "Run the same command with --reader, or begin again without --resume.",
        "enrolment-over"
        | "enrolment-incomplete"
        | "session-moved"
        | "notice-changed"
        | "evidence-not-chosen" => {
            "Begin again: run the command with your document and without --resume."
        }
        "review-needed" => "Begin again: an officer will tell you from the other person.",
        "look-again" | "other-evidence" => {
            "Run `bauta officer show` for the session, and confirm with --evidence and the \
             evidence_digest that it prints, or refuse."
        }
        _ => "",
    }
}

/// Gives an error its id and says what it means here.
pub trait OrFail<T> {
    /// The value, or a [`Failure`]; one that is already a failure stays as it is.
    ///
    /// # Errors
    ///
    /// The failure.
    fn or_fail<W: fmt::Display>(self, id: &str, what: impl FnOnce() -> W) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_fail<W: fmt::Display>(self, id: &str, what: impl FnOnce() -> W) -> anyhow::Result<T> {
        self.map_err(|error| {
            let error = error.into();
            if error.is::<Failure>() {
                return error;
            }
            Failure::of(id, format!("{}: {error:#}", what())).into()
        })
    }
}

impl<T> OrFail<T> for Option<T> {
    fn or_fail<W: fmt::Display>(self, id: &str, what: impl FnOnce() -> W) -> anyhow::Result<T> {
        self.ok_or_else(|| Failure::of(id, what()).into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.what, self.id)?;
        if self.next.is_empty() {
            Ok(())
        } else {
            write!(f, "\n{}", self.next)
        }
    }
}

impl std::error::Error for Failure {}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        match error {
            CallError::Unreachable(_) => Failure::of("server-unreachable", error),
            CallError::TooLarge => Failure::of("answer-too-large", error),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(error) => Failure::of("local-failure", format!("{error:#}")),
        }
    }
}

/// The members that this program reads of a refusal over HTTP.
#[derive(Deserialize)]
struct Refused {
    id: Option<String>,
    error: Option<String>,
    detail: Option<String>,
    title: Option<String>,
    error_description: Option<String>,
}

/// The failure that a refusing answer tells of. It is a stranger's text: only a well-formed id
/// counts as one, and nothing of it may steer the terminal.
#[must_use]
pub fn refused(answer: &Answer) -> Failure {
    let status = answer.status;
    let unknown = || Failure::of("server-failed", format!("the server answered {status}"));
    let Ok(body) = answer.json::<Refused>() else {
        return unknown();
    };
    let Some(id) = body.id.or(body.error).filter(|id| is_id(id)) else {
        return unknown();
    };
    let what = body.detail.or(body.error_description).or(body.title);
    let plain = |text: String| text.chars().filter(|c| !is_control(*c)).take(300).collect();
    let what = what.map_or_else(|| format!("the server answered {status}"), plain);
    Failure::of(&id, what)
}

/// Ids of this project have hyphens, those of OAuth underscores.
fn is_id(text: &str) -> bool {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    (1..=60).contains(&text.len()) && text.bytes().all(allowed)
}
