//! An officer's requests, over the wire.

use std::fs;

use credential::jose::{self, SigningKey};
use credential::time::UnixTime;
use reqwest::Method;
use serde_json::{Value, json};
use server::clock;
use service::officer::{Decision, OfficerId, OfficerRequest, Verdict};

use super::World;
use super::wallet::{Reply, Session};

/// Someone who signs as an officer.
pub(crate) struct Officer {
    pub(crate) id: String,
    pub(crate) key: SigningKey,
}

impl World {
    /// The officer of the configuration.
    pub(crate) fn officer(&self) -> Officer {
        let der = fs::read(self.path("officer.key")).unwrap();
        Officer {
            id: "desk-1".to_owned(),
            key: SigningKey::from_pkcs8(&der).unwrap(),
        }
    }

    pub(crate) fn statement(
        &self,
        officer: &Officer,
        method: &Method,
        path: &str,
    ) -> OfficerRequest {
        let now = clock::now();
        OfficerRequest {
            iss: OfficerId(officer.id.clone()),
            aud: self.origin.clone(),
            iat: now,
            exp: now.plus_secs(60),
            jti: jose::encode(SigningKey::generate().sign(b"random")),
            htm: method.to_string(),
            htu: self.url(path),
        }
    }

    /// Sends a request under a signed statement, given in its compact form.
    pub(crate) async fn call_signed(
        &self,
        (method, path): (Method, &str),
        statement: &str,
        body: Option<&Value>,
    ) -> Reply {
        let mut request = self
            .client
            .requests()
            .request(method, self.url(path))
            .header("authorization", format!("Officer {statement}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::of(self.client.send(request).await.unwrap())
    }

    /// What officers see of the queue.
    pub(crate) async fn waiting(&self) -> Vec<Value> {
        let list = (Method::GET, "/officer/enrolments");
        let list = self.call_as(&self.officer(), list, None).await.ok();
        list["sessions"].as_array().unwrap().clone()
    }

    pub(crate) async fn call_as(
        &self,
        officer: &Officer,
        (method, path): (Method, &str),
        body: Option<&Value>,
    ) -> Reply {
        let statement = self.statement(officer, &method, path).sign(&officer.key);
        self.call_signed((method, path), &statement, body).await
    }

    pub(crate) async fn evidence(&self, session: &Session) -> Value {
        let path = format!("/officer/enrolments/{}", session.id);
        self.call_as(&self.officer(), (Method::GET, &path), None)
            .await
            .ok()
    }

    pub(crate) async fn decision(&self, session: &Session, verdict: Verdict) -> Decision {
        let evidence = self.evidence(session).await;
        Decision {
            iss: OfficerId("desk-1".to_owned()),
            session: session.id.clone(),
            evidence_digest: evidence["evidence_digest"].as_str().unwrap().to_owned(),
            decision: verdict,
            reason: "test".to_owned(),
            iat: UnixTime(clock::now().0),
        }
    }

    pub(crate) async fn send_decision(&self, session: &Session, signed: &str) -> Reply {
        let path = format!("/officer/enrolments/{}/decision", session.id);
        let body = json!({ "decision": signed });
        self.call_as(&self.officer(), (Method::POST, &path), Some(&body))
            .await
    }

    pub(crate) async fn decide(&self, session: &Session, verdict: Verdict) -> Reply {
        let decision = self.decision(session, verdict).await;
        self.send_decision(session, &decision.sign(&self.officer().key))
            .await
    }

    /// Confirms the person and returns the transaction code.
    pub(crate) async fn confirm(&self, session: &Session) -> String {
        let answer = self.decide(session, Verdict::Confirm).await.ok();
        answer["transaction_code"].as_str().unwrap().to_owned()
    }
}
