//! A scripted browser: it keeps cookies, follows redirects and reads pages as a person does.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use credential::origin::Origin;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode, Url};
use server::client::{Answer, HttpsClient};
use server::config::ClientConfig;
use tokio::runtime::Runtime;

/// How many redirects are followed.
const REDIRECTS_MAX: usize = 10;

/// A browser with a cookie jar of its own.
pub struct Browser {
    client: HttpsClient,
    runtime: Runtime,
    /// By host, as cookies know no ports.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a browser ended up.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Its status; a redirect where the browser was told not to go further.
    pub status: StatusCode,
    /// Its text.
    pub text: String,
}

impl Browser {
    /// A fresh browser that trusts the certification authority in `ca`.
    ///
    /// # Errors
    ///
    /// When the authority cannot be read.
    pub fn new(ca: &Path) -> anyhow::Result<Browser> {
        let config = ClientConfig {
            ca_file: Some(ca.to_owned()),
            timeout_secs: 30,
        };
        Ok(Browser {
            client: HttpsClient::new(&config)?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
            cookies: BTreeMap::new(),
        })
    }

    /// Opens an address and follows redirects, but not to addresses that begin with `stop`.
    ///
    /// # Errors
    ///
    /// When a server cannot be reached or leads round in circles.
    pub fn open_until(&mut self, url: &str, stop: Option<&str>) -> anyhow::Result<Page> {
        self.send(Method::GET, url, None, stop)
    }

    /// Opens an address and follows every redirect.
    ///
    /// # Errors
    ///
    /// As [`Browser::open_until`].
    pub fn open(&mut self, url: &str) -> anyhow::Result<Page> {
        self.open_until(url, None)
    }

    /// Sends a form and follows every redirect.
    ///
    /// # Errors
    ///
    /// As [`Browser::open_until`].
    pub fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        self.send(Method::POST, url, Some(fields), None)
    }

    /// Sends a request that is no page: what programs do, without cookies and redirects.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub fn call(
        &self,
        request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> anyhow::Result<Answer> {
        let request = request(self.client.requests());
        Ok(self.runtime.block_on(self.client.send(request))?)
    }

    fn send(
        &mut self,
        method: Method,
        url: &str,
        fields: Option<&[(&str, &str)]>,
        stop: Option<&str>,
    ) -> anyhow::Result<Page> {
        let (mut url, mut method) = (Url::parse(url).context("no address")?, method);
        let mut fields = fields;
        for _ in 0..REDIRECTS_MAX {
            let answer = self.exchange(method.clone(), &url, fields)?;
            let target = redirect_target(&answer, &url)?;
            let Some(target) = target else {
                return page(url, answer);
            };
            url = target;
            if stop.is_some_and(|stop| url.as_str().starts_with(stop)) {
                return page(url, answer);
            }
            // What browsers do for every redirect these servers send.
            (method, fields) = (Method::GET, None);
        }
        bail!("more than {REDIRECTS_MAX} redirects, the last one to {url}");
    }

    fn exchange(
        &mut self,
        method: Method,
        url: &Url,
        fields: Option<&[(&str, &str)]>,
    ) -> anyhow::Result<Answer> {
        let host = url.host_str().context("an address has a host")?.to_owned();
        let mut request = self.client.requests().request(method, url.clone());
        if let Some(jar) = self.cookies.get(&host).filter(|jar| !jar.is_empty()) {
            let pairs: Vec<_> = jar.iter().map(|(name, v)| format!("{name}={v}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        if let Some(fields) = fields {
            // As a browser says whose page a form stood on.
            request = request.header("origin", Origin::of_url(url)?.as_str());
            request = request.form(fields);
        }
        let answer = self
            .runtime
            .block_on(self.client.send(request))
            .with_context(|| format!("cannot open {url}"))?;
        keep_cookies(self.cookies.entry(host).or_default(), &answer.headers);
        Ok(answer)
    }
}

impl Page {
    /// The request link in the command that the page shows.
    ///
    /// # Errors
    ///
    /// When the page shows none.
    pub fn command_link(&self) -> anyhow::Result<String> {
        self.between("bauta wallet sign-in '", "'")
    }

    /// The link that opens a wallet on the same device.
    ///
    /// # Errors
    ///
    /// When the page has none.
    pub fn same_device_link(&self) -> anyhow::Result<String> {
        let begin = self.text.find("href=\"openid4vp").map(|at| at + 6);
        let rest = begin.and_then(|at| self.text.get(at..));
        let link = rest.and_then(|rest| rest.split('"').next());
        link.map(unescape)
            .with_context(|| self.missing("wallet link"))
    }

    /// What stands between two texts, with character references resolved.
    ///
    /// # Errors
    ///
    /// When the page has no such text.
    pub fn between(&self, begin: &str, end: &str) -> anyhow::Result<String> {
        let rest = self.text.split_once(begin).map(|(_, rest)| rest);
        let found = rest
            .and_then(|rest| rest.split_once(end))
            .map(|(one, _)| one);
        found.map(unescape).with_context(|| self.missing(begin))
    }

    /// The value of a parameter of the address.
    ///
    /// # Errors
    ///
    /// When it has none of this name.
    pub fn parameter(&self, name: &str) -> anyhow::Result<String> {
        let mut pairs = self.url.query_pairs();
        let found = pairs.find(|(known, _)| known == name);
        let value = found.map(|(_, value)| value.into_owned());
        value.with_context(|| format!("no parameter {name}; {}", self.missing("it")))
    }

    fn missing(&self, what: &str) -> String {
        let Page { url, status, text } = self;
        format!("{url} ({status}) has no {what}: {text}")
    }
}

fn page(url: Url, answer: Answer) -> anyhow::Result<Page> {
    Ok(Page {
        url,
        status: answer.status,
        text: String::from_utf8(answer.body).context("a page is text")?,
    })
}

fn redirect_target(answer: &Answer, url: &Url) -> anyhow::Result<Option<Url>> {
    if !answer.status.is_redirection() {
        return Ok(None);
    }
    let location = answer
        .headers
        .get(LOCATION)
        .context("a redirect leads nowhere")?;
    Ok(Some(url.join(location.to_str()?)?))
}

fn keep_cookies(jar: &mut BTreeMap<String, String>, headers: &HeaderMap) {
    for header in headers.get_all(SET_COOKIE) {
        let text = header.to_str().unwrap_or_default();
        let mut parts = text.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            continue;
        };
        if parts.any(|part| part.eq_ignore_ascii_case("max-age=0")) {
            jar.remove(name);
        } else {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

fn unescape(text: &str) -> String {
    let mut plain = text.to_owned();
    for (reference, character) in [
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
    ] {
        plain = plain.replace(reference, character);
    }
    plain
}
