//! The enrolment session at the operator, as the wallet holds it.

use std::time::Duration;

use credential::jose::SigningKey;
use openid4vc::vci::CredentialOffer;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service::enrolment::parse_session;
use wallet::enrol::{self, Begun, Committed, OngoingEnrolment, Session, SessionState};
use wallet::vault::Person;
use zeroize::Zeroizing;

use super::{Confirmed, enrol_failure, unexpected};
use crate::client::{Answer, HttpsClient};
use crate::commands::wallet::Output;
use crate::commands::wallet::home::Home;
use crate::commands::wallet::overview::damaged;
use crate::failure::{Failure, refused};

/// How long the wallet asks again whether an officer has confirmed.
const OFFICER_WAIT: Duration = Duration::from_secs(15 * 60);
const POLL: Duration = Duration::from_secs(1);
/// How long a request may take: longer than the operator gives it.
const PATIENCE: Duration = Duration::from_secs(75);

/// The enrolment session at the operator.
pub(super) struct Desk {
    pub(super) client: HttpsClient,
    pub(super) base: String,
    pub(super) session: String,
    token: Zeroizing<String>,
    /// The entity tag of the session as it was last seen.
    version: String,
}

/// An answer that carries the offer, beside what else it says.
#[derive(Deserialize)]
struct Offered {
    credential_offer: CredentialOffer,
}

impl Desk {
    /// Begins a session, in the place of one that was interrupted.
    pub(super) async fn begin(
        home: &mut Home,
        device: &SigningKey,
    ) -> Result<(Desk, Session), Failure> {
        // Where the operator does not hear it, that session ends by itself.
        if let Ok((before, _)) = Desk::resume(home).await
            && before.withdraw().await.is_ok()
        {
            home.forget_enrolment()?;
        }
        let client = home.client()?;
        let url = format!("{}/enrolment", home.vault.operator.origin);
        let post = client.requests().post(url).json(&enrol::begin(device));
        let begun: Begun = call(&client, post).await?;
        // It is shown to the person, who tells it to an officer.
        parse_session(&begun.session).ok_or_else(unexpected)?;
        home.keys.enrolment = Some(OngoingEnrolment::new(begun));
        home.save_keys()?;
        Desk::resume(home).await
    }

    /// Goes on with the session that this wallet holds; one that is over is forgotten.
    pub(super) async fn resume(home: &mut Home) -> Result<(Desk, Session), Failure> {
        let over = || Failure::of("enrolment-over", "there is no enrolment to go on with");
        let ongoing = home.keys.enrolment.as_ref().ok_or_else(over)?;
        let mut desk = Desk {
            client: home.client()?,
            base: home.vault.operator.origin.as_str().to_owned(),
            session: ongoing.session.clone(),
            token: Zeroizing::new(ongoing.token().to_owned()),
            version: String::new(),
        };
        let answer = desk.client.send(desk.request(Method::GET, "")).await?;
        if answer.status == StatusCode::NOT_FOUND {
            home.forget_enrolment()?;
            return Err(over());
        }
        let session: Session = desk.take(&answer)?;
        match session.state {
            SessionState::Refused | SessionState::Issued => {
                home.forget_enrolment()?;
                Err(over())
            }
            SessionState::AwaitingConsent
            | SessionState::AwaitingEvidence
            | SessionState::AwaitingChip
            | SessionState::AwaitingFace
            | SessionState::Checked
            | SessionState::AwaitingOfficer
            | SessionState::Confirmed
            | SessionState::Offered => Ok((desk, session)),
        }
    }

    fn request(&self, method: Method, step: &str) -> RequestBuilder {
        let url = format!("{}/enrolment/{}{step}", self.base, self.session);
        let request = self.client.requests().request(method, url);
        request.bearer_auth(self.token.as_str()).timeout(PATIENCE)
    }

    /// Reads an answer and the version that it names.
    fn take<T: DeserializeOwned>(&mut self, answer: &Answer) -> Result<T, Failure> {
        if !answer.status.is_success() {
            return Err(refused(answer));
        }
        let tag = answer.headers.get(header::ETAG);
        if let Some(tag) = tag.and_then(|tag| tag.to_str().ok()) {
            tag.clone_into(&mut self.version);
        }
        answer.json().map_err(|_| unexpected())
    }

    /// Sends a step of the enrolment, for the session as it was last seen.
    pub(super) async fn send<T: DeserializeOwned>(
        &mut self,
        method: Method,
        step: &str,
        body: &(impl serde::Serialize + Sync),
    ) -> Result<T, Failure> {
        let request = self.request(method, step).json(body);
        let request = request.header(header::IF_MATCH, &self.version);
        let answer = self.client.send(request).await?;
        self.take(&answer)
    }

    /// Takes the consent back.
    pub(super) async fn withdraw(&self) -> Result<(), Failure> {
        let answer = self.client.send(self.request(Method::DELETE, "")).await?;
        if answer.status.is_success() || answer.status == StatusCode::NOT_FOUND {
            Ok(())
        } else {
            Err(refused(&answer))
        }
    }

    /// Where the session is.
    pub(super) async fn look(&mut self) -> Result<Session, Failure> {
        let answer = self.client.send(self.request(Method::GET, "")).await?;
        self.take(&answer)
    }

    /// Asks until there is a decision; after a refusal the enrolment is forgotten.
    pub(super) async fn wait_for_decision(
        &mut self,
        home: &mut Home,
    ) -> Result<Confirmed, Failure> {
        let ended = tokio::time::Instant::now() + OFFICER_WAIT;
        loop {
            let session = self.look().await?;
            match session.state {
                SessionState::Confirmed | SessionState::Offered => return Ok(Confirmed(session)),
                SessionState::Refused => {
                    home.forget_enrolment()?;
                    let id = session.refusal.as_deref().unwrap_or("enrolment-refused");
                    return Err(Failure::new(id, "the enrolment was refused", ""));
                }
                SessionState::Issued => return Err(unexpected()),
                SessionState::AwaitingConsent
                | SessionState::AwaitingEvidence
                | SessionState::AwaitingChip
                | SessionState::AwaitingFace
                | SessionState::Checked
                | SessionState::AwaitingOfficer => {}
            }
            if tokio::time::Instant::now() >= ended {
                let next = "Run `bauta wallet enrol --resume` when an officer is at hand.";
                let what = "no officer confirmed in time";
                return Err(Failure::new("officer-timeout", what, next));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Registers fresh secrets, or shows the register that this wallet has the known ones.
    pub(super) async fn agree_on_secrets(
        &mut self,
        home: &mut Home,
        device: &SigningKey,
        confirmed: &Confirmed,
        output: Output,
    ) -> Result<CredentialOffer, Failure> {
        if confirmed.0.registered == Some(true) {
            output.progress("The register knows you already: proving that this is your wallet …");
            return self.restore(home, device, confirmed.nonce()?).await;
        }
        if home.vault.registered {
            let next = "Use another folder (--home), for another person as for another try.";
            let what = "this wallet holds the secrets of another registration";
            return Err(Failure::new("wallet-in-use", what, next));
        }
        let origin = &home.vault.operator.origin;
        let ongoing = home.keys.enrolment.as_mut().ok_or_else(unexpected)?;
        let nonce = confirmed.nonce()?;
        let body = ongoing.register(origin, nonce, device).request.clone();
        home.save_keys()?;
        let sent = self.send(Method::POST, "/commitment", &body).await;
        let answer: Value = sent.inspect_err(|refused| {
            if refused.id == "commitment-mismatch"
                && let Some(ongoing) = &mut home.keys.enrolment
            {
                ongoing.forget_draft();
            }
        })?;
        let committed: Committed = parse(&answer)?;
        let ongoing = home.keys.enrolment.as_mut().ok_or_else(unexpected)?;
        let draft = ongoing.register(origin, nonce, device);
        let person: Person = draft.finish(&committed).map_err(enrol_failure)?;
        home.vault.person = Some(person);
        home.vault.sites.clear();
        home.keys.forget_all();
        home.save_vault()?;
        home.save_keys()?;
        Ok(parse::<Offered>(&answer)?.credential_offer)
    }

    async fn restore(
        &mut self,
        home: &mut Home,
        device: &SigningKey,
        nonce: &str,
    ) -> Result<CredentialOffer, Failure> {
        let person = home.vault.person.as_ref().ok_or_else(|| {
            let next = "Bring back your backup first: bauta wallet restore FILE";
            let what = "this person is registered already";
            Failure::new("already-registered", what, next)
        })?;
        let ongoing = home.keys.enrolment.as_mut().ok_or_else(unexpected)?;
        let origin = &home.vault.operator.origin;
        let proof = ongoing.restore(person, origin, nonce, device);
        let body = proof.map_err(damaged)?.clone();
        home.save_keys()?;
        let answer: Offered = self.send(Method::POST, "/restore", &body).await?;
        Ok(answer.credential_offer)
    }
}

pub(in crate::commands::wallet) async fn call<T: DeserializeOwned>(
    client: &HttpsClient,
    request: RequestBuilder,
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
