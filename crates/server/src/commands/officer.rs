//! `bauta officer`: an officer's tool, on the officer's own machine.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use credential::attributes::Attributes;
use credential::jose::{self, SigningKey};
use credential::origin::Origin;
use rand_core::{Rng, UnwrapErr};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use service::officer::{Decision, OfficerId, OfficerRequest, Verdict};

use super::serve::read_key;
use crate::client::{Answer, CallError, HttpsClient};
use crate::clock;
use crate::config::ClientConfig;
use crate::failure::{Failure, OrFail, refused};
use crate::files::{self, Access};

/// How often a decision is sent when no answer comes.
const ATTEMPTS: usize = 3;
/// How long a statement for one request is made to last, in seconds.
const STATEMENT_SECS: u64 = 30;

/// What `bauta officer` can do.
#[derive(Debug, Subcommand)]
pub enum OfficerCommand {
    /// Make an officer's key and print what goes into the operator's configuration.
    Keygen {
        /// The officer's name in statements; not a person's name.
        #[arg(long)]
        id: String,
        /// File for the private key.
        #[arg(long)]
        out: PathBuf,
    },
    /// List the enrolments that wait for an officer, each with the reasons why.
    List(Connection),
    /// Show what to compare with the person and the paper document.
    Show {
        /// Who asks whom.
        #[command(flatten)]
        connection: Connection,
        /// The session.
        #[arg(allow_hyphen_values = true)]
        session: String,
        /// File for the portrait of the chip; nothing is overwritten.
        #[arg(long)]
        portrait: Option<PathBuf>,
    },
    /// Confirm that the person is the document's holder; prints the code to hand over.
    Confirm {
        /// Who asks whom.
        #[command(flatten)]
        connection: Connection,
        /// The session.
        #[arg(allow_hyphen_values = true)]
        session: String,
        /// The `evidence_digest` that `show` printed: what was shown is confirmed, and nothing else.
        #[arg(long, value_name = "DIGEST", allow_hyphen_values = true)]
        evidence: Option<String>,
    },
    /// Refuse an enrolment.
    Refuse {
        /// Who asks whom.
        #[command(flatten)]
        connection: Connection,
        /// The session.
        #[arg(allow_hyphen_values = true)]
        session: String,
        /// Why, in a few words without personal data.
        #[arg(long)]
        reason: String,
    },
}

/// Who asks whom.
#[derive(Debug, Args)]
pub struct Connection {
    /// The operator's origin.
    #[arg(long, env = "BAUTA_OPERATOR")]
    operator: String,
    /// The officer's name in statements.
    #[arg(long, env = "BAUTA_OFFICER")]
    id: String,
    /// File with the officer's private key.
    #[arg(long, env = "BAUTA_OFFICER_KEY")]
    key: PathBuf,
    /// PEM file with the only certification authorities to trust.
    #[arg(long, env = "BAUTA_CA")]
    ca: Option<PathBuf>,
}

#[derive(Deserialize)]
struct List {
    sessions: Vec<Waiting>,
}

#[derive(Deserialize)]
struct Waiting {
    session: String,
    reasons: Vec<String>,
}

#[derive(Deserialize)]
struct Evidence {
    attributes: Attributes,
    portrait: Option<String>,
    chip: String,
    face: String,
    reasons: Vec<String>,
    review: Option<String>,
    evidence_digest: String,
}

/// What an officer compares with the person and the document.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    attributes: &'a Attributes,
    /// `shown` where the chip proved that it is the original one; `not_asked` where it could and was
    /// not, so that the data may be a copy; `no_key` where it cannot.
    chip: &'a str,
    /// `matched` where a machine found the living person to be the one of the portrait.
    face: &'a str,
    /// Why no machine decides.
    reasons: &'a [String],
    /// Where somebody of the same name, birth date and sex is registered: under what officers talk
    /// about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<&'a str>,
    /// For `confirm --evidence`.
    evidence_digest: &'a str,
}

#[derive(Deserialize)]
struct Decided {
    transaction_code: Option<String>,
}

impl OfficerCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// What went wrong, for the person at the terminal.
    pub fn run(self) -> anyhow::Result<()> {
        if let OfficerCommand::Keygen { id, out } = &self {
            return keygen(id, out);
        }
        crate::commands::runtime()?.block_on(self.call())
    }

    async fn call(self) -> anyhow::Result<()> {
        match self {
            OfficerCommand::Keygen { id, out } => keygen(&id, &out),
            OfficerCommand::List(connection) => {
                let list: List = Desk::open(&connection)?.get("/officer/enrolments").await?;
                list.sessions.iter().try_for_each(|one| {
                    print(&format!("{} {}", one.session, one.reasons.join(" ")))
                })
            }
            OfficerCommand::Show {
                connection,
                session,
                portrait,
            } => {
                let evidence = Desk::open(&connection)?.evidence(&session).await?;
                show(&evidence, portrait)
            }
            OfficerCommand::Confirm {
                connection,
                session,
                evidence,
            } => confirm(&Desk::open(&connection)?, &session, evidence).await,
            OfficerCommand::Refuse {
                connection,
                session,
                reason,
            } => {
                let desk = Desk::open(&connection)?;
                let digest = desk.evidence(&session).await?.evidence_digest;
                let decision = (Verdict::Refuse, reason.as_str());
                desk.decide(&session, digest, decision).await.map(|_| ())
            }
        }
    }
}

fn keygen(id: &str, out: &std::path::Path) -> anyhow::Result<()> {
    let key = SigningKey::generate();
    files::write_new(out, &key.to_pkcs8(), Access::Private)?;
    print(&serde_json::json!({ "id": id, "key": key.public() }).to_string())
}

/// Confirms what was shown. Where no digest says what that was, the reasons for a review are named here,
/// and a namesake's has to have been shown: it comes up after an officer has looked once.
async fn confirm(desk: &Desk, session: &str, shown: Option<String>) -> anyhow::Result<()> {
    let digest = match shown {
        Some(digest) => digest,
        None => {
            let evidence = desk.evidence(session).await?;
            let reasons = evidence.reasons.join(" ");
            writeln!(std::io::stderr(), "An officer decides because: {reasons}")
                .context("cannot write to standard error")?;
            if evidence.review.is_some() {
                let what = "somebody of the same name, birth date and sex is registered";
                return Err(Failure::of("look-again", what).into());
            }
            evidence.evidence_digest
        }
    };
    let decision = (Verdict::Confirm, "same person");
    let decided = desk.decide(session, digest, decision).await?;
    match decided.transaction_code {
        Some(code) => print(&code),
        None => {
            let what = "the enrolment was ended instead; the wallet shows the reason";
            Err(Failure::of("enrolment-ended", what).into())
        }
    }
}

fn show(evidence: &Evidence, portrait: Option<PathBuf>) -> anyhow::Result<()> {
    let shown = Shown {
        attributes: &evidence.attributes,
        chip: &evidence.chip,
        face: &evidence.face,
        reasons: &evidence.reasons,
        review: evidence.review.as_deref(),
        evidence_digest: &evidence.evidence_digest,
    };
    print(&serde_json::to_string_pretty(&shown)?)?;
    if let Some(path) = portrait {
        let portrait = evidence.portrait.as_deref();
        let portrait = portrait.or_fail("portrait-missing", || "this evidence has no portrait")?;
        let image =
            jose::decode(portrait).or_fail("server-failed", || "the portrait is not base64url")?;
        files::write_new(&path, &image, Access::Private)?;
    }
    Ok(())
}

fn print(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot write to standard output")
}

/// An officer's connection to the operator.
struct Desk {
    client: HttpsClient,
    origin: Origin,
    officer: OfficerId,
    key: SigningKey,
}

impl Desk {
    fn open(connection: &Connection) -> anyhow::Result<Desk> {
        let config = ClientConfig {
            ca_file: connection.ca.clone(),
            ..ClientConfig::default()
        };
        Ok(Desk {
            client: HttpsClient::new(&config)?,
            origin: Origin::parse(&connection.operator)?,
            officer: OfficerId(connection.id.clone()),
            key: read_key(&connection.key)?,
        })
    }

    async fn evidence(&self, session: &str) -> anyhow::Result<Evidence> {
        self.get(&format!("/officer/enrolments/{session}")).await
    }

    async fn decide(
        &self,
        session: &str,
        evidence_digest: String,
        (decision, reason): (Verdict, &str),
    ) -> anyhow::Result<Decided> {
        let decision = Decision {
            iss: self.officer.clone(),
            session: session.to_owned(),
            evidence_digest,
            decision,
            reason: reason.to_owned(),
            iat: clock::now(),
        };
        let body = serde_json::json!({ "decision": decision.sign(&self.key) });
        let path = format!("/officer/enrolments/{session}/decision");
        // The same decision gets the same code, so a lost answer is asked for again.
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let call = self.request(Method::POST, &path).json(&body);
            match self.client.send(call).await {
                Err(CallError::Unreachable(_)) if left > 0 => {}
                answer => return read(&answer?),
            }
        }
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        read(&self.client.send(self.request(Method::GET, path)).await?)
    }

    /// A request with a statement of its own.
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut jti = [0; 16];
        UnwrapErr(getrandom::SysRng).fill_bytes(&mut jti);
        let (url, iat) = (format!("{}{path}", self.origin), clock::now());
        let statement = OfficerRequest {
            iss: self.officer.clone(),
            aud: self.origin.clone(),
            iat,
            exp: iat.plus_secs(STATEMENT_SECS),
            jti: jose::encode(jti),
            htm: method.as_str().to_owned(),
            htu: url.clone(),
        };
        let authorization = format!("Officer {}", statement.sign(&self.key));
        self.client
            .requests()
            .request(method, url)
            .header("authorization", authorization)
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> anyhow::Result<T> {
    if answer.status != StatusCode::OK {
        return Err(refused(answer).into());
    }
    answer.json().or_fail(
        "server-failed",
        || "the operator's answer is not the one expected",
    )
}
