//! `bauta wallet enrol`: from a document to a certificate in the vault.

mod evidence;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use credential::attributes::{Attributes, Generation};
use credential::jose::SigningKey;
use openid4vc::vci::CredentialOffer;
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wallet::enrol::{self, Begun, Committed, Session, SessionState};
use wallet::vault::{OperatorTrust, Person};
use zeroize::Zeroizing;

use self::evidence::{Evidence, Kind};
use super::home::Home;
use super::overview::{attributes_text, damaged, day};
use super::receive::{self, Identity};
use super::{Output, read_line};
use crate::client::HttpsClient;
use crate::clock;
use crate::failure::{Failure, refused};
use crate::files;
use crate::reader::Reader;

/// What `enrol` takes.
#[derive(Debug, Args)]
pub(super) struct EnrolArgs {
    /// Folder with the document's files EF.DG1, EF.DG2 and EF.SOD, as read from its chip. Such
    /// files may be copies, so the certificate says `low`; with --reader the chip is asked itself.
    #[arg(required_unless_present_any = ["reader", "resident"], conflicts_with_all = ["reader", "resident"])]
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

/// How long the wallet asks again whether an officer has confirmed.
const OFFICER_WAIT: Duration = Duration::from_secs(15 * 60);
const POLL: Duration = Duration::from_secs(1);

/// Runs the command.
pub(super) async fn run(args: EnrolArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let mut reader = args.reader.as_deref().map(Reader::open).transpose()?;
    let evidence = Evidence::gather(&args, reader.as_mut(), output)?;
    let mut home = match &args.operator {
        Some(path) => Home::open_or_create(folder, &read_operator(path)?, args.ca.as_deref())?,
        None => Home::open(folder)?,
    };
    let device = home.keys.holder().map_err(damaged)?;
    home.save_keys()?;
    let desk = Desk::begin(&home, &device).await?;
    output.progress("Sending the evidence to the operator …");
    let expected = evidence.send(&desk, output).await?;
    output.progress(&format!(
        "The evidence is in order. Show yourself to an officer and name this session:\n  {}\n\
         (the officer runs: bauta officer confirm {})",
        desk.session, desk.session
    ));
    if output == Output::Json {
        // A script needs the session before the command ends.
        output.result("", &json!({ "session": desk.session }));
    }
    let confirmed = desk.wait_for_officer().await?;
    confirmed.check(&expected, &home)?;
    let offer = desk
        .agree_on_secrets(&mut home, &device, &confirmed, output)
        .await?;
    let code = match args.transaction_code {
        Some(code) => code,
        None => ask_code(output)?,
    };
    let (attributes, generation) = (confirmed.attributes()?, confirmed.generation()?);
    let identity = Identity {
        attributes,
        generation,
        device: &device,
    };
    receive::run(&mut home, &desk.client, &offer, code, &identity).await?;
    report(&home, output)
}

fn ask_code(output: Output) -> Result<String, Failure> {
    if output == Output::Text {
        eprint!("Transaction code from the officer: ");
    }
    read_line().filter(|code| !code.is_empty()).ok_or_else(|| {
        let next = "Give it with --transaction-code or on standard input.";
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

/// The enrolment session at the operator.
struct Desk {
    client: HttpsClient,
    base: String,
    session: String,
    token: Zeroizing<String>,
}

/// What the operator says once an officer has confirmed.
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

/// An answer that carries the offer, beside what else it says.
#[derive(Deserialize)]
struct Offered {
    credential_offer: CredentialOffer,
}

impl Desk {
    async fn begin(home: &Home, device: &SigningKey) -> Result<Desk, Failure> {
        let client = home.client()?;
        let base = home.vault.operator.origin.as_str().to_owned();
        let post = client
            .requests()
            .post(format!("{base}/enrolment"))
            .json(&enrol::begin(device));
        let begun: Begun = call(&client, post).await?;
        let token = Zeroizing::new(begun.token);
        Ok(Desk {
            client,
            base,
            session: begun.session,
            token,
        })
    }

    fn url(&self, step: &str) -> String {
        format!("{}/enrolment/{}{step}", self.base, self.session)
    }

    /// Sends a part of the evidence.
    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        step: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        let request = self.client.requests().request(method, self.url(step));
        let request = request.bearer_auth(self.token.as_str()).json(body);
        call(&self.client, request).await
    }

    async fn wait_for_officer(&self) -> Result<Confirmed, Failure> {
        let ended = tokio::time::Instant::now() + OFFICER_WAIT;
        loop {
            let get = self
                .client
                .requests()
                .get(self.url(""))
                .bearer_auth(self.token.as_str());
            let session: Session = call(&self.client, get).await?;
            match session.state {
                SessionState::Confirmed | SessionState::Offered => return Ok(Confirmed(session)),
                SessionState::Refused => {
                    let id = session.refusal.as_deref().unwrap_or("enrolment-refused");
                    return Err(Failure::new(id, "the enrolment was refused", ""));
                }
                SessionState::Issued => return Err(unexpected()),
                SessionState::Open | SessionState::AwaitingChip | SessionState::AwaitingOfficer => {
                }
            }
            if tokio::time::Instant::now() >= ended {
                let next = "Begin again with `bauta wallet enrol` when an officer is at hand.";
                return Err(Failure::new(
                    "officer-timeout",
                    "no officer confirmed in time",
                    next,
                ));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Registers fresh secrets, or shows the register that this wallet has the known ones.
    async fn agree_on_secrets(
        &self,
        home: &mut Home,
        device: &SigningKey,
        confirmed: &Confirmed,
        output: Output,
    ) -> Result<CredentialOffer, Failure> {
        let nonce = confirmed.nonce()?;
        let origin = home.vault.operator.origin.clone();
        if confirmed.0.registered == Some(true) {
            output.progress("The register knows you already: proving that this is your wallet …");
            let person = home.vault.person.as_ref().ok_or_else(|| {
                let next = "Bring back your backup first: bauta wallet restore FILE";
                Failure::new(
                    "already-registered",
                    "this person is registered already",
                    next,
                )
            })?;
            let body = enrol::restore(person, &origin, nonce, device).map_err(damaged)?;
            let answer: Offered = self.post("/restore", &body).await?;
            return Ok(answer.credential_offer);
        }
        if home.vault.registered {
            let next = "Use another folder (--home), for another person as for another try.";
            let what = "this wallet holds the secrets of another registration";
            return Err(Failure::new("wallet-in-use", what, next));
        }
        let (draft, body) = enrol::register(&origin, nonce, device);
        let answer: Value = self.post("/commitment", &body).await?;
        let committed: Committed = parse(&answer)?;
        let person: Person = draft.finish(&committed).map_err(enrol_failure)?;
        home.vault.person = Some(person);
        home.vault.sites.clear();
        home.keys.forget_all();
        home.save_vault()?;
        home.save_keys()?;
        Ok(parse::<Offered>(&answer)?.credential_offer)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        step: &str,
        body: &enrol::CommitmentRequest,
    ) -> Result<T, Failure> {
        let post = self
            .client
            .requests()
            .post(self.url(step))
            .bearer_auth(self.token.as_str());
        call(&self.client, post.json(body)).await
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

pub(super) async fn call<T: DeserializeOwned>(
    client: &HttpsClient,
    request: reqwest::RequestBuilder,
) -> Result<T, Failure> {
    let answer = client.send(request).await?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    answer.json().map_err(|_| unexpected())
}

fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|_| unexpected())
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
