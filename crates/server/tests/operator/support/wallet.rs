//! A wallet's side of an enrolment, over the wire.

use ::wallet::enrol::{self, Committed};
use ::wallet::vault::Person;
use credential::attributes::Attributes;
use credential::consent::{ChosenEvidence, FaceConsent};
use credential::jose::{self, SigningKey};
use credential::manifest::Manifest;
use mrtd::specimen::SpecimenPassport;
use openid4vc::Secret;
use openid4vc::uri::HttpsUri;
use openid4vc::vci::{CredentialOffer, CredentialResponse, PreAuthorizedRequest};
use reqwest::Method;
use serde_json::{Value, json};
use server::client::Answer;
use server::clock;

use super::World;

/// An enrolment session in a wallet's hands.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) device: SigningKey,
}

/// What an answer says, whether it is a refusal or not.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) raw: Answer,
}

impl Reply {
    pub(crate) fn of(raw: Answer) -> Reply {
        let body = raw.json().unwrap_or(Value::Null);
        Reply {
            status: raw.status.as_u16(),
            body,
            raw,
        }
    }

    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.body
        );
        self.body
    }

    /// Status and stable identifier of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (
            self.status,
            self.body["id"].as_str().unwrap_or("no identifier"),
        )
    }
}

/// A way to say which refusal is expected.
pub(crate) fn assert_refused(reply: &Reply, status: u16, id: &str) {
    assert_eq!(reply.refusal(), (status, id), "{}", reply.body);
}

impl World {
    /// Sends a JSON body, or none, with a bearer token where there is one.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Reply {
        self.call_at(None, method, path, (token, body)).await
    }

    /// As [`World::call`], for a version of the session.
    pub(crate) async fn call_at(
        &self,
        version: Option<u32>,
        method: Method,
        path: &str,
        (token, body): (Option<&str>, Option<&Value>),
    ) -> Reply {
        let mut request = self.client.requests().request(method, self.url(path));
        if let Some(version) = version {
            request = request.header("if-match", format!("\"{version}\""));
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::of(self.client.send(request).await.unwrap())
    }

    /// A session whose holder has agreed to show a document.
    pub(crate) async fn begin(&self) -> Session {
        let session = self.begin_unread().await;
        self.agree(&session, ChosenEvidence::Document).await.ok();
        session
    }

    /// A session whose holder has not read the notice yet.
    pub(crate) async fn begin_unread(&self) -> Session {
        let device = SigningKey::generate();
        let body = serde_json::to_value(enrol::begin(&device)).unwrap();
        let begun = self
            .call(Method::POST, "/enrolment", None, Some(&body))
            .await
            .ok();
        Session {
            id: begun["session"].as_str().unwrap().to_owned(),
            token: begun["token"].as_str().unwrap().to_owned(),
            device,
        }
    }

    /// Agrees to the notice, but not to the face check.
    pub(crate) async fn agree(&self, session: &Session, evidence: ChosenEvidence) -> Reply {
        self.agree_to(session, evidence, FaceConsent::Withheld)
            .await
    }

    /// Agrees to show a document and the face.
    pub(crate) async fn agree_with_face(&self, session: &Session) -> Reply {
        self.agree_to(session, ChosenEvidence::Document, FaceConsent::Given)
            .await
    }

    async fn agree_to(
        &self,
        session: &Session,
        evidence: ChosenEvidence,
        face: FaceConsent,
    ) -> Reply {
        let notice = "/.well-known/bauta/notice";
        let notice = self.call(Method::GET, notice, None, None).await;
        let body = enrol::consent(&notice.raw.body, evidence, face);
        let body = serde_json::to_value(body).unwrap();
        self.put(session, "consent", &body).await
    }

    /// Sends a step for the session as it is now.
    pub(crate) async fn step(
        &self,
        method: Method,
        session: &Session,
        step: &str,
        body: &Value,
    ) -> Reply {
        let path = format!("/enrolment/{}/{step}", session.id);
        let version = self.version(session).await;
        let sent = (Some(session.token.as_str()), Some(body));
        self.call_at(version, method, &path, sent).await
    }

    /// The version of a session; none of one that has ended.
    pub(crate) async fn version(&self, session: &Session) -> Option<u32> {
        let path = format!("/enrolment/{}", session.id);
        let token = Some(session.token.as_str());
        let status = self.call(Method::GET, &path, token, None).await;
        let tag = status.raw.headers.get("etag")?.to_str().unwrap();
        Some(tag.trim_matches('"').parse().unwrap())
    }

    pub(crate) async fn put(&self, session: &Session, step: &str, body: &Value) -> Reply {
        self.step(Method::PUT, session, step, body).await
    }

    pub(crate) async fn send_document(
        &self,
        session: &Session,
        passport: &SpecimenPassport,
    ) -> Reply {
        self.put(session, "document", &document(passport)).await
    }

    /// A session that waits for an officer.
    pub(crate) async fn present(&self, passport: &SpecimenPassport) -> Session {
        let session = self.begin().await;
        self.send_document(&session, passport).await.ok();
        session
    }

    pub(crate) async fn status(&self, session: &Session) -> Value {
        let path = format!("/enrolment/{}", session.id);
        self.call(Method::GET, &path, Some(&session.token), None)
            .await
            .ok()
    }

    pub(crate) async fn nonce(&self, session: &Session) -> String {
        self.status(session).await["nonce"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) async fn post(&self, session: &Session, step: &str, body: &Value) -> Reply {
        self.step(Method::POST, session, step, body).await
    }

    /// Commits to fresh secrets.
    pub(crate) async fn commit(&self, session: &Session) -> (Person, Offer) {
        let nonce = self.nonce(session).await;
        let draft = enrol::register(&self.origin, &nonce, &session.device);
        let body = serde_json::to_value(&draft.request).unwrap();
        let answer = self.post(session, "commitment", &body).await.ok();
        let committed: Committed = serde_json::from_value(answer.clone()).unwrap();
        (draft.finish(&committed).unwrap(), Offer::parse(&answer))
    }

    /// Proves the commitment that the register holds.
    pub(crate) async fn restore(&self, session: &Session, person: &Person) -> Reply {
        let nonce = self.nonce(session).await;
        let request = enrol::restore(person, &self.origin, &nonce, &session.device).unwrap();
        self.post(session, "restore", &serde_json::to_value(request).unwrap())
            .await
    }

    pub(crate) async fn redeem(&self, code: &str, transaction_code: &str) -> Reply {
        let request = PreAuthorizedRequest {
            pre_authorized_code: Secret::from(code.to_owned()),
            tx_code: Some(transaction_code)
                .filter(|code| !code.is_empty())
                .map(|code| Secret::from(code.to_owned())),
        };
        let kind = "application/x-www-form-urlencoded";
        let request = self
            .client
            .requests()
            .post(self.url("/token"))
            .header("content-type", kind)
            .body(request.to_form().to_string());
        Reply::of(self.client.send(request).await.unwrap())
    }

    /// A person to whom a certificate is offered, with the access token for it.
    pub(crate) async fn offered(&self, number: u16) -> (Session, Person, String) {
        let session = self.present(&self.utopia.passport(number)).await;
        let code = self.confirm(&session).await;
        let (person, offer) = self.commit(&session).await;
        let token = self.redeem(&offer.code, &code).await.ok();
        let token = token["access_token"].as_str().unwrap().to_owned();
        (session, person, token)
    }

    pub(crate) async fn server_nonce(&self) -> String {
        let answer = self.call(Method::POST, "/nonce", None, None).await.ok();
        answer["c_nonce"].as_str().unwrap().to_owned()
    }

    /// A credential request for what the session's status says.
    pub(crate) async fn certificate_request(
        &self,
        session: &Session,
        person: &Person,
    ) -> enrol::CertificateRequest {
        let nonce = self.server_nonce().await;
        let status = self.status(session).await;
        let attributes: Attributes = serde_json::from_value(status["attributes"].clone()).unwrap();
        let identity = (&attributes, status["generation"].as_str().unwrap());
        let issuer = HttpsUri::parse(self.origin.as_str()).unwrap();
        let server = (&self.origin, &issuer, nonce.as_str());
        let device = (&session.device, None);
        enrol::request_certificate(person, identity, server, device, clock::now()).unwrap()
    }

    pub(crate) async fn send_credential_request(&self, token: &str, body: &str) -> Reply {
        let request = self
            .client
            .requests()
            .post(self.url("/credential"))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_owned());
        Reply::of(self.client.send(request).await.unwrap())
    }

    pub(crate) async fn manifest(&self) -> Manifest {
        let reply = self
            .call(Method::GET, "/.well-known/bauta/manifest", None, None)
            .await;
        let signed = String::from_utf8(reply.raw.body).unwrap();
        let trust = super::read_json(&self.path("keys/operator.json"));
        let key = serde_json::from_value(trust["operator_key"].clone()).unwrap();
        Manifest::verify(&signed, &self.origin, &key, clock::now()).unwrap()
    }

    /// Redeems the offer and receives a certificate that verifies under the manifest.
    pub(crate) async fn receive(
        &self,
        session: &Session,
        person: &Person,
        (offer, transaction_code): (&Offer, &str),
    ) -> Received {
        let redeemed = self.redeem(&offer.code, transaction_code).await.ok();
        let token = redeemed["access_token"].as_str().unwrap().to_owned();
        let request = self.certificate_request(session, person).await;
        let answer = self
            .send_credential_request(&token, &request.body)
            .await
            .ok();
        let response: CredentialResponse = serde_json::from_value(answer).unwrap();
        let issued = response.single().unwrap().to_owned();
        let manifest = self.manifest().await;
        let issuer = manifest.keys().of(clock::now().epoch()).unwrap();
        enrol::receive_certificate(&request, person, &issued, issuer)
            .ok()
            .unwrap();
        Received {
            token,
            body: request.body,
            issued,
        }
    }

    /// The whole enrolment of a person who is not registered yet.
    pub(crate) async fn enrol(&self, passport: &SpecimenPassport) -> (Session, Person) {
        let session = self.present(passport).await;
        let code = self.confirm(&session).await;
        let (person, offer) = self.commit(&session).await;
        self.receive(&session, &person, (&offer, &code)).await;
        (session, person)
    }
}

/// A certificate that was received, with what was sent for it.
pub(crate) struct Received {
    pub(crate) token: String,
    pub(crate) body: String,
    pub(crate) issued: String,
}

/// A credential offer.
pub(crate) struct Offer {
    pub(crate) code: String,
}

impl Offer {
    pub(crate) fn parse(answer: &Value) -> Offer {
        let offer = CredentialOffer::parse(&answer["credential_offer"].to_string())
            .ok()
            .unwrap();
        let grant = offer.grants.pre_authorized_code.unwrap();
        assert!(grant.tx_code.is_none_or(|form| form.length == Some(6)));
        Offer {
            code: grant.pre_authorized_code.expose().to_owned(),
        }
    }
}

pub(crate) fn document(passport: &SpecimenPassport) -> Value {
    let mut body = json!({
        "dg1": jose::encode(&passport.dg1),
        "dg2": jose::encode(&passport.dg2),
        "sod": jose::encode(&passport.sod),
    });
    for (number, file) in &passport.others {
        body[format!("dg{number}")] = jose::encode(file).into();
    }
    body
}
