//! A gateway over a temporary store, driven without HTTP.

use crate::person::{Operator, Request};
use credential::age::Years;
use credential::attributes::Item;
use credential::jose::SigningKey;
use credential::origin::Origin;
use credential::time::UnixTime;
use gateway::account::{SiteKey, SiteKeys};
use gateway::authentication::Transport;
use gateway::begin::Begun;
use gateway::client::{Client, ClientAuthentication, ClientId, Clients};
use gateway::gateway::{Cookies, Gateway, Parts, Settings};
use gateway::ids::LoginId;
use gateway::login::Arrival;
use gateway::page::LoginPage;
use gateway::site::{self, Site, x509_hash};
use gateway::store::SqliteStore;
use getrandom::SysRng;
use openid4vc::form::Parameters;
use openid4vc::oauth::{Answer, CodeVerifier, Pkce, TokenResponse};
use openid4vc::oidc::{ProviderKeys, RsaSigningKey, SigningAlgorithm};
use openid4vc::uri::RedirectUri;
use openid4vc::vp::RequestSigner;
use rand_core::UnwrapErr;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const ISSUER: &str = "https://login.forum.example";
pub(crate) const BACK: &str = "https://forum.example/back";

pub(crate) struct Fixture {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) operator: Operator,
    folder: tempfile::TempDir,
}

/// What can differ between gateways.
pub(crate) struct Setting {
    pub(crate) items: Vec<Item>,
    pub(crate) requires_certificate: bool,
    pub(crate) age_over: Option<u8>,
    pub(crate) manifest: bool,
    pub(crate) site_keys: Vec<u32>,
}

impl Default for Setting {
    fn default() -> Setting {
        Setting {
            items: Vec::new(),
            requires_certificate: false,
            age_over: None,
            manifest: true,
            site_keys: vec![1],
        }
    }
}

/// Drawing an RSA key takes long in a debug build; one for all tests will do.
fn rsa_key() -> RsaSigningKey {
    static KEY: OnceLock<Zeroizing<Vec<u8>>> = OnceLock::new();
    let der = KEY.get_or_init(|| RsaSigningKey::generate().unwrap().to_pkcs8().unwrap());
    RsaSigningKey::from_pkcs8(der).unwrap()
}

pub(crate) async fn fixture() -> Fixture {
    fixture_with(Setting::default()).await
}

pub(crate) async fn fixture_with(setting: Setting) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let operator = Operator::new("https://op.example");
    let gateway = gateway_in(&folder, &operator, &setting).await;
    Fixture {
        gateway,
        operator,
        folder,
    }
}

async fn gateway_in(
    folder: &tempfile::TempDir,
    operator: &Operator,
    setting: &Setting,
) -> Arc<Gateway> {
    let signer = signer_in(folder);
    let hash = x509_hash(&signer);
    let mut entry = operator.entry("https://forum.example", (ISSUER, &hash), NOW);
    entry.requires_certificate = setting.requires_certificate;
    if let Some(years) = setting.age_over {
        entry.age_over = Some(Years::try_from(years).unwrap());
        // The date of birth and a proof about it exclude each other.
        entry.items.retain(|item| *item != Item::Birthdate);
    }
    let entry = entry.sign(&operator.key).unwrap();
    let trusted = site::Operator {
        origin: operator.origin.clone(),
        key: *operator.key.public(),
    };
    let issuer = Origin::parse(ISSUER).unwrap();
    let site = Site::new(&entry, &trusted, &issuer, signer, &setting.items, NOW).unwrap();
    let site_keys = setting.site_keys.iter().map(|&version| {
        let byte = u8::try_from(version).unwrap();
        SiteKey::new(version, Zeroizing::new([byte; 32]))
    });
    let parts = Parts {
        settings: Settings {
            issuer: ISSUER.to_owned(),
            login_secs: 300,
            session_secs: 1800,
            code_secs: 60,
            token_secs: 600,
        },
        clients: Clients::new(clients()).unwrap(),
        provider_keys: ProviderKeys::new(SigningKey::generate(), rsa_key()),
        site_keys: SiteKeys::new(site_keys.collect()).unwrap(),
        site,
        operator: trusted,
        store: Arc::new(SqliteStore::open(&folder.path().join("gateway.db")).unwrap()),
    };
    let gateway = Gateway::new(parts, NOW).await.unwrap();
    if setting.manifest {
        gateway
            .take_manifest(&operator.manifest(NOW), NOW)
            .await
            .unwrap();
    }
    Arc::new(gateway)
}

/// The key for requests that a gateway keeps when it is started again.
fn signer_in(folder: &tempfile::TempDir) -> RequestSigner {
    let [key, certificate] = ["request.key", "request.der"].map(|name| folder.path().join(name));
    if !key.exists() {
        let (drawn, der) = request_key("login.forum.example", NOW);
        std::fs::write(&key, drawn.to_pkcs8().as_slice()).unwrap();
        std::fs::write(&certificate, der).unwrap();
    }
    let key = SigningKey::from_pkcs8(&std::fs::read(key).unwrap()).unwrap();
    RequestSigner::new(key, vec![std::fs::read(certificate).unwrap()]).unwrap()
}

/// A key for requests with a certificate that it signed itself.
pub(crate) fn signer(host: &str, now: UnixTime) -> RequestSigner {
    let (key, certificate) = request_key(host, now);
    RequestSigner::new(key, vec![certificate]).unwrap()
}

fn request_key(host: &str, now: UnixTime) -> (SigningKey, Vec<u8>) {
    let pair = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
    let begin = i64::try_from(now.0).unwrap() - 3600;
    params.not_before = time::OffsetDateTime::from_unix_timestamp(begin).unwrap();
    params.not_after = params.not_before + time::Duration::days(500);
    let certificate = params.self_signed(&pair).unwrap().der().to_vec();
    let key = SigningKey::from_pkcs8(&pair.serialize_der()).unwrap();
    (key, certificate)
}

fn clients() -> Vec<Client> {
    let client = |id: &str, authentication, pkce, alg| Client {
        id: ClientId(id.to_owned()),
        authentication,
        redirect_uris: vec![RedirectUri::parse(BACK).unwrap()],
        post_logout_redirect_uris: vec![RedirectUri::parse("https://forum.example/out").unwrap()],
        id_token_alg: alg,
        pkce,
    };
    let secret = ClientAuthentication::secret;
    vec![
        client(
            "forum",
            secret("forum-secret"),
            Pkce::Required,
            SigningAlgorithm::Es256,
        ),
        client(
            "old",
            secret("old-secret"),
            Pkce::Optional,
            SigningAlgorithm::Rs256,
        ),
        client(
            "app",
            ClientAuthentication::Public,
            Pkce::Required,
            SigningAlgorithm::Rs256,
        ),
    ]
}

/// A browser with its cookies, and the verifier of its client.
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) verifier: CodeVerifier,
    pub(crate) scope: &'static str,
}

impl Browser {
    pub(crate) fn new() -> Browser {
        let verifier = CodeVerifier::draw(&mut UnwrapErr(SysRng));
        Browser {
            cookie: None,
            session: None,
            verifier,
            scope: "openid",
        }
    }

    /// A browser whose client asks for the age.
    pub(crate) fn for_age() -> Browser {
        Browser {
            scope: "openid age",
            ..Browser::new()
        }
    }

    pub(crate) fn cookies(&self) -> Cookies<'_> {
        Cookies {
            browser: self.cookie.as_deref(),
            session: self.session.as_deref(),
        }
    }

    pub(crate) fn query(&self, client: &str) -> String {
        let challenge = String::from(self.verifier.challenge());
        openid4vc::form::compose([
            ("client_id", client),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", self.scope),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ])
    }
}

impl Fixture {
    /// The same store under a gateway that was started again with another setting.
    pub(crate) async fn restarted(self, setting: Setting) -> Fixture {
        let gateway = gateway_in(&self.folder, &self.operator, &setting).await;
        Fixture { gateway, ..self }
    }

    /// All bytes of the store.
    pub(crate) fn files(&self) -> Vec<u8> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.to_string_lossy().contains("gateway.db"))
            .flat_map(|path| std::fs::read(path).unwrap())
            .collect()
    }

    pub(crate) async fn begin(&self, browser: &mut Browser) -> LoginId {
        let query = browser.query("forum");
        match self
            .gateway
            .authorize(&query, browser.cookies(), NOW)
            .await
            .unwrap()
        {
            Begun::Login { id, browser: set } => {
                if let Some(set) = set {
                    browser.cookie = Some(set.expose().to_owned());
                }
                id
            }
            Begun::Answer(answer) => panic!("{}", location(answer)),
        }
    }

    pub(crate) async fn request(&self, id: LoginId, transport: Transport) -> Request {
        Request::read(
            &self
                .gateway
                .request_object(id, transport, NOW)
                .await
                .unwrap(),
        )
    }

    pub(crate) async fn page(&self, id: LoginId, browser: &Browser) -> LoginPage {
        let cookie = browser.cookie.as_deref();
        self.gateway
            .login_page(id, cookie, Arrival::Page, NOW)
            .await
            .unwrap()
    }

    /// Logs in over the QR code with this answer and returns the code.
    pub(crate) async fn code(
        &self,
        browser: &mut Browser,
        answer: impl Fn(&Request) -> String,
    ) -> String {
        let id = self.begin(browser).await;
        let request = self.request(id, Transport::Qr).await;
        let body = answer(&request);
        self.gateway
            .respond(id, Transport::Qr, &body, NOW)
            .await
            .unwrap();
        let page = self.page(id, browser).await;
        let LoginPage::Continue { answer, session } = page else {
            panic!("the page does not continue")
        };
        browser.session = Some(session.expose().to_owned());
        parameter(&location(answer), "code")
    }

    /// Redeems a code as the client `forum` does.
    pub(crate) async fn redeem(&self, browser: &Browser, code: &str) -> TokenResponse {
        let body = token_form(code, browser.verifier.expose());
        self.gateway.redeem(None, &body, NOW).await.unwrap()
    }

    /// Logs in and returns what userinfo says.
    pub(crate) async fn userinfo(
        &self,
        browser: &mut Browser,
        answer: impl Fn(&Request) -> String,
    ) -> serde_json::Value {
        let code = self.code(browser, answer).await;
        let tokens = self.redeem(browser, &code).await;
        let claims = self
            .gateway
            .userinfo(tokens.access_token.expose(), NOW)
            .await
            .unwrap();
        serde_json::Value::Object(claims)
    }
}

pub(crate) fn token_form(code: &str, verifier: &str) -> String {
    openid4vc::form::compose([
        ("grant_type", "authorization_code"),
        ("client_id", "forum"),
        ("client_secret", "forum-secret"),
        ("redirect_uri", BACK),
        ("code", code),
        ("code_verifier", verifier),
    ])
}

pub(crate) fn location(answer: Answer) -> String {
    match answer {
        Answer::Redirect(location) => location,
        Answer::Post { .. } => panic!("the answer is a form"),
    }
}

pub(crate) fn parameter(location: &str, name: &str) -> String {
    let (_, query) = location.split_once('?').unwrap();
    let parameters = Parameters::parse(query, 10_000).unwrap();
    parameters.get(name).unwrap_or_default().to_owned()
}
