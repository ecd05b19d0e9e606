//! A register of invented residents behind its connector, and impostors of it.

use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use credential::jose::{self, PublicKey, SigningKey, jws};
use credential::origin::Origin;
use serde_json::{Value, json};
use server::authority::HttpsRegister;
use server::client::HttpsClient;
use server::config::operator::AuthorityConfig;
use server::config::{ClientConfig, ServerConfig};
use server::serve::Bound;
use service::residents::{
    CardDates, NotConfirmed, NumberKind, PersonName, ResidentClaim, ResidentNumber,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::process::{Running, bauta, run_bauta};
use super::wallet::Reply;
use super::{inline, read_json};

/// The name that everybody in the register has.
pub(crate) const NAME: &str = "测试甲";

/// Everybody in the register, by the order in the number: what is said of card and person.
pub(crate) const ALIVE: u16 = 1;
pub(crate) const EXPIRED: u16 = 2;
pub(crate) const WITHDRAWN: u16 = 3;
pub(crate) const DECEASED: u16 = 4;
pub(crate) const UNKNOWN: u16 = 5;

/// An invented number with a right check character.
pub(crate) fn number(order: u16) -> String {
    let digits = format!("11010519900203{order:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let weighted = digits.bytes().zip(weights);
    let sum: usize = weighted
        .map(|(c, weight)| usize::from(c - b'0') * weight)
        .sum();
    format!("{digits}{}", char::from(b"10X98765432"[sum % 11]))
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A connector that runs, and what asks it.
pub(crate) struct Register {
    pub(crate) folder: TempDir,
    pub(crate) connector: Running,
    pub(crate) origin: Origin,
}

impl Register {
    pub(crate) fn new() -> Register {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let [keys, connector] = ["keys", "connector"].map(|name| text(&root.join(name)));
        let origin = "https://register.localhost:0";
        run_bauta(&["operator", "init", "--out", &keys, "--origin", origin]);
        run_bauta(&["connector", "init", "--out", &connector, "--origin", origin]);
        make_leaf(root, "register");
        make_leaf(root, "impostor");
        import(root, &rows()).unwrap();
        let config = write_config(root);
        let connector = Running::start(&["connector", "--config"], &config);
        let origin = format!("https://register.localhost:{}", connector.port());
        Register {
            origin: Origin::parse(&origin).unwrap(),
            connector,
            folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read_key(&self, name: &str) -> SigningKey {
        SigningKey::from_pkcs8(&fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// The key that the operator has in its configuration.
    pub(crate) fn public_key(&self) -> PublicKey {
        let public = read_json(&self.path("connector/connector.json"));
        serde_json::from_value(public["key"].clone()).unwrap()
    }

    /// The operator's way to the connector.
    pub(crate) fn asked(&self) -> HttpsRegister {
        self.asked_with(
            &self.origin,
            self.public_key(),
            self.read_key("keys/attester.key"),
        )
    }

    /// A way to the server at `origin`, in two seconds at most.
    pub(crate) fn asked_with(
        &self,
        origin: &Origin,
        key: PublicKey,
        attester: SigningKey,
    ) -> HttpsRegister {
        let seconds = NonZeroU64::new(2).unwrap();
        let config = AuthorityConfig {
            origin: origin.clone(),
            key,
            connect_timeout_secs: seconds,
            timeout_secs: seconds,
        };
        let attester = ("enrolment".to_owned(), Arc::new(attester));
        HttpsRegister::new(&config, &self.client_config(), attester).unwrap()
    }

    fn client_config(&self) -> ClientConfig {
        ClientConfig {
            ca_file: Some(self.path("ca/ca.pem")),
            timeout_secs: 30,
        }
    }

    /// Sends a request as somebody who has read the specification would.
    pub(crate) async fn send(&self, token: Option<&str>, body: &str) -> Reply {
        let client = HttpsClient::new(&self.client_config()).unwrap();
        let call = client.requests().post(format!("{}/v1/verify", self.origin));
        let call = call.header("content-type", "application/json");
        let call = match token {
            Some(token) => call.bearer_auth(token),
            None => call,
        };
        Reply::of(client.send(call.body(body.to_owned())).await.unwrap())
    }

    /// The token of a request, with one claim replaced.
    pub(crate) fn token(&self, body: &str, claim: (&str, Value)) -> String {
        let now = server::clock::now().0;
        let mut claims = json!({
            "iss": "enrolment",
            "aud": self.origin,
            "request_sha256": jose::encode(jose::sha256(body.as_bytes())),
            "iat": now,
            "exp": now + 60,
        });
        claims[claim.0] = claim.1;
        let key = self.read_key("keys/attester.key");
        jws::sign(&key, "bauta-authority-request+jwt", &claims)
    }

    /// Sends a request under a right token.
    pub(crate) async fn ask(&self, request: &Value) -> Reply {
        let body = request.to_string();
        let token = self.token(&body, ("iss", json!("enrolment")));
        self.send(Some(&token), &body).await
    }

    /// The log of the connector.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("connector.log")).unwrap()
    }
}

/// A request after the specification.
pub(crate) fn request(order: u16) -> Value {
    let random = || jose::encode(&SigningKey::generate().sign(b"random")[..16]);
    json!({
        "request_id": random(),
        "nonce": random(),
        "kind": "resident",
        "number": number(order),
        "name": NAME,
    })
}

/// Asks about the person of this order under this name.
pub(crate) async fn confirm(
    register: &HttpsRegister,
    order: u16,
    name: &str,
) -> Result<(), NotConfirmed> {
    let now = server::clock::now();
    let today = mrtd::CalendarDate::from_unix(mrtd::UnixTime(now.0)).unwrap();
    let number = ResidentNumber::parse(NumberKind::Resident, &number(order), today);
    let (number, name) = (number.ok().unwrap(), PersonName::parse(name).ok().unwrap());
    let claim = ResidentClaim::new(number, name, &CardDates::default());
    claim.ok().unwrap().confirm(register, now).await
}

/// A server in the connector's place that keeps what it was sent.
pub(crate) struct Impostor {
    pub(crate) origin: Origin,
    pub(crate) bodies: Arc<Mutex<Vec<Bytes>>>,
    task: JoinHandle<()>,
}

impl Impostor {
    /// Answers the n-th request, from 1 on, with what `answer` makes of it; with nothing at all
    /// where that is nothing.
    pub(crate) async fn start(
        register: &Register,
        answer: impl Fn(usize, &[u8]) -> Option<Response> + Clone + Send + Sync + 'static,
    ) -> Impostor {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&bodies);
        let app = Router::new().route(
            "/v1/verify",
            post(move |body: Bytes| {
                seen.lock().unwrap().push(body.clone());
                let answer = answer(seen.lock().unwrap().len(), &body);
                async move {
                    match answer {
                        Some(answer) => answer,
                        None => std::future::pending().await,
                    }
                }
            }),
        );
        let config = ServerConfig {
            listen: "127.0.0.1:0".parse().unwrap(),
            certificate_file: register.path("impostor.pem"),
            private_key_file: register.path("impostor.tls"),
            stop_with_stdin: false,
            request_timeout_secs: 60,
            connections_max: 16,
        };
        let (tell, port) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let bound = Bound::new(&config).await.unwrap();
            tell.send(bound.address().port()).unwrap();
            bound.run_until(app, std::future::pending()).await;
        });
        let origin = format!("https://impostor.localhost:{}", port.await.unwrap());
        Impostor {
            origin: Origin::parse(&origin).unwrap(),
            bodies,
            task,
        }
    }

    pub(crate) fn asked(&self) -> usize {
        self.bodies.lock().unwrap().len()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs the import of these lines; what it printed, or its errors.
pub(crate) fn import(root: &Path, lines: &str) -> Result<String, String> {
    let file = root.join("rows.jsonl");
    fs::write(&file, lines).unwrap();
    let into = text(&root.join("residents.sqlite"));
    let output = bauta()
        .args(["connector", "import", &text(&file), "--into", &into])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

fn rows() -> String {
    let row = |order: u16, valid_to: &str, card: &str, person: &str| {
        let row = json!({
            "kind": "resident", "number": number(order), "name": NAME, "birth": "1990-02-03",
            "valid_from": "2015-01-01", "valid_to": valid_to,
            "card_state": card, "person_state": person,
        });
        format!("{row}\n")
    };
    [
        row(ALIVE, "unlimited", "valid", "alive"),
        row(EXPIRED, "2025-01-01", "valid", "alive"),
        row(WITHDRAWN, "unlimited", "withdrawn", "alive"),
        row(DECEASED, "unlimited", "valid", "deceased"),
        row(UNKNOWN, "unlimited", "unknown", "unknown"),
    ]
    .concat()
}

fn make_leaf(root: &Path, name: &str) {
    let file = |ending: &str| text(&root.join(format!("{name}.{ending}")));
    let (ca, host) = (text(&root.join("ca")), format!("{name}.localhost"));
    let (certificate, key) = (file("pem"), file("tls"));
    run_bauta(&[
        "tls",
        "leaf",
        "--ca",
        &ca,
        "--name",
        &host,
        "--certificate",
        &certificate,
        "--key",
        &key,
    ]);
}

fn write_config(root: &Path) -> PathBuf {
    let attester = read_json(&root.join("keys/attester.json"));
    let text = format!(
        "origin = 'https://register.localhost:0'\n\
         table_file = 'residents.sqlite'\n\
         key_file = 'connector/connector.key'\n\
         attempts_per_minute = 3\n\
         [server]\n\
         listen = '127.0.0.1:0'\n\
         certificate_file = 'register.pem'\n\
         private_key_file = 'register.tls'\n\
         [attester]\n\
         name = {}\n\
         key = {}\n",
        attester["name"],
        inline(&attester["key"]),
    );
    let path = root.join("connector.toml");
    fs::write(&path, text).unwrap();
    path
}
