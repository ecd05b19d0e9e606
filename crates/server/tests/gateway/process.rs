//! A gateway process on a free port, and a browser that keeps its cookies.

use crate::person::{Operator, Request};
use crate::raw::RawConnection;
use credential::age::Years;
use credential::attributes::Item;
use credential::site_entry::SiteEntry;
use credential::time::UnixTime;
use gateway::store::{AccountStore, ManifestRow, SqliteStore};
use openid4vc::form::{Parameters, compose};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use server::client::{Answer, HttpsClient};
use server::clock;
use server::config::ClientConfig;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The origin in the configuration. The process listens on a port of its own choice, so the
/// tests put that port in its place when they call.
pub(crate) const ISSUER: &str = "https://login.forum.localhost";
pub(crate) const BACK: &str = "https://forum.localhost/back";
/// A verifier and its challenge. Source: RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Process {
    child: Child,
    port: u16,
    pub(crate) client: HttpsClient,
    pub(crate) operator: Operator,
    pub(crate) now: UnixTime,
    folder: tempfile::TempDir,
}

/// What differs between gateways.
#[derive(Clone, Copy, Default)]
pub(crate) struct Setting {
    /// More lines for the table `[server]`.
    pub(crate) server: &'static str,
    /// More lines for the table `[gateway]`.
    pub(crate) gateway: &'static str,
    /// Whether the site asks for a certificate at every log-in.
    pub(crate) requires_certificate: bool,
    /// The age that the site asks for.
    pub(crate) age_over: Option<u8>,
    /// Which manifest the gateway has; it reaches no operator.
    pub(crate) manifest: Manifest,
}

/// A manifest that a gateway has fetched before.
#[derive(Clone, Copy, Default)]
pub(crate) enum Manifest {
    #[default]
    Current,
    None,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn bauta(args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_bauta"))
        .args(args)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

impl Process {
    pub(crate) async fn start() -> Process {
        Process::start_with(Setting::default()).await
    }

    pub(crate) async fn start_with(setting: Setting) -> Process {
        let folder = tempfile::tempdir().unwrap();
        let (operator, now) = (Operator::new("https://op.localhost"), clock::now());
        prepare(folder.path(), &operator, now, setting).await;
        let (child, port) = spawn(folder.path());
        let ca_file = Some(folder.path().join("ca/ca.pem"));
        let client = HttpsClient::new(&ClientConfig {
            ca_file,
            timeout_secs: 30,
        })
        .unwrap();
        Process {
            child,
            port,
            client,
            operator,
            now,
            folder,
        }
    }

    /// Ends the process without notice and starts it again on the same files.
    pub(crate) fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.port) = spawn(self.folder.path());
    }

    /// The operator signs an entry with another age, and the gateway is started with it.
    pub(crate) fn register_anew(&mut self, years: u8) {
        let file = self.folder.path().join("entry.jwt");
        let entry = std::fs::read_to_string(&file).unwrap();
        let (origin, key) = (&self.operator.origin, self.operator.key.public());
        let entry = SiteEntry::verify(&entry, origin, key, self.now).unwrap();
        let entry = SiteEntry {
            age_over: Some(Years::try_from(years).unwrap()),
            ..entry
        };
        std::fs::write(file, entry.sign(&self.operator.key).unwrap()).unwrap();
        self.restart();
    }

    /// A connection whose bytes the test sends itself.
    pub(crate) fn raw(&self) -> RawConnection {
        let ca = self.folder.path().join("ca/ca.pem");
        RawConnection::open(&ca, "login.forum.localhost", self.port)
    }

    /// Where an address of the gateway is reached.
    pub(crate) fn url(&self, address: &str) -> String {
        let path = address.strip_prefix(ISSUER).unwrap_or(address);
        format!("{ISSUER}:{}{path}", self.port)
    }

    pub(crate) async fn get(&self, address: &str) -> Answer {
        self.send(self.client.requests().get(self.url(address)))
            .await
    }

    pub(crate) async fn post(&self, address: &str, form: &str) -> Answer {
        self.send(self.form(address, form)).await
    }

    pub(crate) fn form(&self, address: &str, form: &str) -> RequestBuilder {
        let post = self.client.requests().post(self.url(address));
        post.header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        self.client.send(request).await.unwrap()
    }

    /// The token endpoint's answer to a code.
    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        self.post("/token", &token_form(code, VERIFIER)).await
    }
}

pub(crate) fn token_form(code: &str, verifier: &str) -> String {
    compose([
        ("grant_type", "authorization_code"),
        ("client_id", "forum"),
        ("client_secret", "forum secret"),
        ("redirect_uri", BACK),
        ("code", code),
        ("code_verifier", verifier),
    ])
}

async fn prepare(folder: &Path, operator: &Operator, now: UnixTime, setting: Setting) {
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    bauta(&[
        "tls",
        "leaf",
        "--ca",
        &at("ca"),
        "--name",
        "login.forum.localhost",
        "--certificate",
        &at("tls.pem"),
        "--key",
        &at("tls.key"),
    ]);
    let made = bauta(&[
        "gateway",
        "init",
        "--folder",
        &at("keys"),
        "--origin",
        ISSUER,
    ]);
    let made: Value = serde_json::from_slice(&made).unwrap();
    let hash = made["x509_hash"].as_str().unwrap();
    let mut entry = SiteEntry {
        requires_certificate: setting.requires_certificate,
        ..operator.entry("https://forum.localhost", (ISSUER, hash), now)
    };
    if let Some(years) = setting.age_over {
        entry.age_over = Some(Years::try_from(years).unwrap());
        // The date of birth and a proof about it exclude each other.
        entry.items.retain(|item| *item != Item::Birthdate);
    }
    std::fs::write(at("entry.jwt"), entry.sign(&operator.key).unwrap()).unwrap();
    let trust = serde_json::json!({
        "origin": operator.origin, "operator_key": operator.key.public(),
    });
    std::fs::write(at("operator.json"), trust.to_string()).unwrap();
    std::fs::write(at("forum.secret"), "forum secret\n").unwrap();
    std::fs::write(at("gateway.toml"), configuration(setting)).unwrap();
    let store = SqliteStore::open(&folder.join("gateway.db")).unwrap();
    let manifest = ManifestRow {
        epoch: now.epoch(),
        jws: operator.manifest(now),
    };
    match setting.manifest {
        Manifest::Current => store.replace_manifest(&manifest).await.unwrap(),
        Manifest::None => {}
    }
}

fn configuration(setting: Setting) -> String {
    let Setting {
        server, gateway, ..
    } = setting;
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
certificate_file = "tls.pem"
private_key_file = "tls.key"
{server}

[client]
ca_file = "ca/ca.pem"

[gateway]
origin = "{ISSUER}"
store_file = "gateway.db"
operator_file = "operator.json"
site_entry_file = "entry.jwt"
request_key_file = "keys/request.key"
request_certificate_file = "keys/request.pem"
es256_key_file = "keys/es256.key"
rs256_key_file = "keys/rs256.key"
{gateway}
[[gateway.site_keys]]
version = 1
file = "keys/site-1.key"

[[gateway.clients]]
id = "forum"
secret_file = "forum.secret"
redirect_uris = ["{BACK}"]
post_logout_redirect_uris = ["https://forum.localhost/out"]
id_token_signed_response_alg = "ES256"
"#
    )
}

fn spawn(folder: &Path) -> (Child, u16) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bauta"))
        .args(["--log-level", "warn", "gateway", "--config"])
        .arg(folder.join("gateway.toml"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).expect("the gateway says where it listens");
    let port = ready["listening"]
        .as_str()
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap();
    (child, port.parse().unwrap())
}

/// A browser that keeps its cookies and follows nothing by itself.
#[derive(Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Loads a page.
    pub(crate) async fn get(&mut self, at: &Process, address: &str) -> Answer {
        self.send(at, at.client.requests().get(at.url(address)))
            .await
    }

    /// Sends one of the gateway's own forms.
    pub(crate) async fn post(&mut self, at: &Process, address: &str, form: &str) -> Answer {
        self.send(at, at.form(address, form).header("origin", ISSUER))
            .await
    }

    async fn send(&mut self, at: &Process, request: RequestBuilder) -> Answer {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies: Vec<String> = pairs.collect();
        let answer = at.send(request.header("cookie", cookies.join("; "))).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
                assert!(set.starts_with("__Host-") && set.contains(part), "{set}");
            }
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Begins a log-in and returns the address of its page.
    pub(crate) async fn begin(&mut self, at: &Process) -> String {
        let answer = self.get(at, &format!("/authorize?{}", query())).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        location(&answer)
    }

    /// Logs in by QR code with this answer and returns the authorization code.
    pub(crate) async fn log_in(
        &mut self,
        at: &Process,
        answer: impl Fn(&Request) -> String,
    ) -> String {
        let page = self.begin(at).await;
        let request = request(at, &page_text(&self.get(at, &page).await), "wallet-command").await;
        let taken = at.post(&request.response_uri, &answer(&request)).await;
        assert_eq!(taken.status, StatusCode::OK);
        let back = self.get(at, &page).await;
        parameter(&location(&back), "code")
    }
}

/// The parameters of a good authentication request.
pub(crate) fn query() -> String {
    compose([
        ("client_id", "forum"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "openid age"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ])
}

pub(crate) fn page_text(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::OK);
    String::from_utf8(answer.body.clone()).unwrap()
}

pub(crate) fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    answer.headers["location"].to_str().unwrap().to_owned()
}

pub(crate) fn parameter(location: &str, name: &str) -> String {
    let (_, query) = location.split_once('?').unwrap();
    Parameters::parse(query, 10_000)
        .unwrap()
        .get(name)
        .unwrap_or_default()
        .to_owned()
}

/// The wallet link behind an element of the page: `wallet-link` or `wallet-command`.
pub(crate) fn wallet_link(page: &str, element: &str) -> String {
    let tag = page.split('<').find(|tag| tag.contains(element)).unwrap();
    let start = tag.find("openid4vp://").unwrap();
    let link: String = tag[start..]
        .chars()
        .take_while(|c| !matches!(c, '"' | '\''))
        .collect();
    let link = link.split("&#39;").next().unwrap();
    link.replace("&#38;", "&").replace("&amp;", "&")
}

/// Fetches the request behind an element of the page, as a wallet does.
pub(crate) async fn request(at: &Process, page: &str, element: &str) -> Request {
    let request_uri = parameter(&wallet_link(page, element), "request_uri");
    let answer = at.get(&request_uri).await;
    assert_eq!(
        answer.headers["content-type"],
        "application/oauth-authz-req+jwt"
    );
    Request::read(&String::from_utf8(answer.body).unwrap())
}

/// Status and identifier of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    let body: Value = answer.json().unwrap();
    (
        answer.status.as_u16(),
        body["id"].as_str().unwrap().to_owned(),
    )
}

/// What is expected of a refusal.
pub(crate) fn refused(status: u16, id: &str) -> (u16, String) {
    (status, id.to_owned())
}

/// The state that a page shows.
pub(crate) fn state(answer: &Answer) -> String {
    let page = String::from_utf8(answer.body.clone()).unwrap();
    let (_, rest) = page.split_once("data-state=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// A log-in that waits: its browser, its page, and the request as a wallet received it.
pub(crate) async fn waiting(at: &Process) -> (Browser, String, Request) {
    let mut browser = Browser::default();
    let page = browser.begin(at).await;
    let html = page_text(&browser.get(at, &page).await);
    let request = request(at, &html, "wallet-command").await;
    (browser, page, request)
}
