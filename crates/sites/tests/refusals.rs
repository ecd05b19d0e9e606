//! Both sites as processes, over HTTPS: a request that cannot be served gets the failure page.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use reqwest::{Certificate, Client, Method};
use serde::Deserialize;

const HOST: &str = "site.localhost";

struct Site {
    child: Child,
    address: SocketAddr,
    client: Client,
    _folder: tempfile::TempDir,
}

impl Drop for Site {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[derive(Deserialize)]
struct Listening {
    listening: SocketAddr,
}

impl Site {
    fn start(kind: &str) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let certificate = made.cert.pem();
        write("tls.pem", &certificate).unwrap();
        write("tls.key", &made.signing_key.serialize_pem()).unwrap();
        write("secret", "site secret").unwrap();
        write("moderator", "moderator's token").unwrap();
        write("site.toml", CONFIGURATION).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bauta-sites"))
            .args([kind, "--config"])
            .arg(folder.path().join("site.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ready: Listening = serde_json::from_str(&line).expect("the site says where it listens");
        let trusted = Certificate::from_pem(certificate.as_bytes()).unwrap();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([trusted])
            .resolve(HOST, ready.listening)
            .build();
        Site {
            child,
            address: ready.listening,
            client: client.unwrap(),
            _folder: folder,
        }
    }

    /// The status of an answer, which must be a page, and the failure that it reports.
    async fn failure(&self, method: Method, path: &str) -> (u16, String) {
        let url = format!("https://{HOST}:{}{path}", self.address.port());
        let answer = self.client.request(method, url).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let page = answer.text().await.unwrap();
        assert!(headers.contains_key("content-security-policy"));
        let (_, rest) = page.split_once("data-error-id=\"").expect("a failure page");
        (status, rest.split('"').next().unwrap().to_owned())
    }
}

/// The gateway is not called here.
const CONFIGURATION: &str = r#"
origin = "https://site.localhost"
title = "Site"
data_file = "site.sqlite"
issuer = "https://login.site.localhost"
client_id = "site"
client_secret_file = "secret"
moderator_token_file = "moderator"
[server]
listen = "127.0.0.1:0"
certificate_file = "tls.pem"
private_key_file = "tls.key"
"#;

#[tokio::test]
async fn a_method_that_an_address_does_not_take_gets_the_failure_page() {
    for (kind, own) in [("forum", "/posts"), ("shop", "/basket")] {
        let site = Site::start(kind);
        for path in [own, "/log-out"] {
            let told = site.failure(Method::GET, path).await;
            assert_eq!(
                told,
                (405, "method-not-allowed".to_owned()),
                "{kind} {path}"
            );
        }
        for path in ["/", "/account", "/style.css"] {
            let told = site.failure(Method::DELETE, path).await;
            assert_eq!(
                told,
                (405, "method-not-allowed".to_owned()),
                "{kind} {path}"
            );
        }
        let told = site.failure(Method::GET, "/nothing").await;
        assert_eq!(told, (404, "nothing-here".to_owned()));
    }
}

#[tokio::test]
async fn a_parameter_given_twice_gets_the_failure_page() {
    let site = Site::start("forum");
    let told = site.failure(Method::GET, "/moderation?post=1&post=2").await;
    assert_eq!(told, (404, "nothing-here".to_owned()));
    let told = site.failure(Method::GET, "/callback?state=a&state=b").await;
    assert_eq!(told, (400, "unknown-login".to_owned()));
}
