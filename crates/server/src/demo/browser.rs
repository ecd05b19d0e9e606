//! A person's browser, as far as a log-in needs one: cookies, redirects, forms, and pages that go
//! on by themselves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use credential::origin::Origin;
use reqwest::header::{LOCATION, ORIGIN};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode};
use url::Url;

use crate::client::LoopbackAwareResolver;
use crate::files;

/// How long a page is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const REDIRECTS_MAX: usize = 10;

/// A browser with its cookies.
pub struct Browser(reqwest::Client);

/// A page that is shown.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// Its status; a redirect where the browser was told not to go further.
    pub status: StatusCode,
    /// Its HTML.
    pub html: String,
}

impl Browser {
    /// A browser that trusts the authority in `ca`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn new(ca: &Path) -> anyhow::Result<Browser> {
        let authorities = reqwest::Certificate::from_pem_bundle(&files::read(ca)?)?;
        let client = reqwest::Client::builder()
            .https_only(true)
            .cookie_store(true)
            .no_proxy()
            .redirect(Policy::none())
            .tls_certs_only(authorities)
            .dns_resolver(Arc::new(LoopbackAwareResolver))
            .timeout(PATIENCE)
            .build()?;
        Ok(Browser(client))
    }

    /// Opens an address and follows its redirects.
    ///
    /// # Errors
    ///
    /// When there is no page; a page that reports a failure is one.
    pub async fn open(&self, url: &str) -> anyhow::Result<Page> {
        self.open_until(url, |_| false).await
    }

    /// Opens an address and follows its redirects, but not to addresses where `stop` says so.
    ///
    /// # Errors
    ///
    /// As [`Browser::open`].
    pub async fn open_until(&self, url: &str, stop: impl Fn(&Url) -> bool) -> anyhow::Result<Page> {
        self.follow(self.0.get(url), url, stop).await
    }

    /// Sends a form that stands on a page of the same site, and follows the redirects.
    ///
    /// # Errors
    ///
    /// As [`Browser::open`].
    pub async fn post(&self, url: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        let origin = Origin::of_url(&Url::parse(url)?)?;
        self.post_from(origin.as_str(), url, fields).await
    }

    /// Sends a form that stands on a page of `origin`, as browsers say with every form.
    ///
    /// # Errors
    ///
    /// As [`Browser::open`].
    pub async fn post_from(
        &self,
        origin: &str,
        url: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let request = self.0.post(url).header(ORIGIN, origin);
        self.follow(request.form(fields), url, |_| false).await
    }

    async fn follow(
        &self,
        request: RequestBuilder,
        url: &str,
        stop: impl Fn(&Url) -> bool,
    ) -> anyhow::Result<Page> {
        let mut answer = send(request, url).await?;
        for _ in 0..REDIRECTS_MAX {
            let Some(target) = redirect_target(&answer)? else {
                return shown(answer.url().clone(), answer).await;
            };
            if stop(&target) {
                return shown(target, answer).await;
            }
            // A GET is what browsers make of every redirect these servers send.
            answer = send(self.0.get(target.clone()), target.as_str()).await?;
        }
        bail!("more than {REDIRECTS_MAX} redirects from {url}");
    }

    /// Lets a page that refreshes itself do so until it has led elsewhere.
    ///
    /// # Errors
    ///
    /// When it does not within a minute.
    pub async fn wait_until_left(&self, page: &Page) -> anyhow::Result<Page> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let next = self.open(page.url.as_str()).await?;
            if next.url.origin() != page.url.origin() {
                return Ok(next);
            }
            if !next.html.contains("http-equiv=\"refresh\"") {
                bail!("the page {} does not go on: {}", next.url, next.text());
            }
            if tokio::time::Instant::now() >= deadline {
                bail!("waited a minute for {} to go on", page.url);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn send(request: RequestBuilder, url: &str) -> anyhow::Result<Response> {
    let answer = request.send().await;
    answer.with_context(|| format!("cannot open {url}"))
}

fn redirect_target(answer: &Response) -> anyhow::Result<Option<Url>> {
    if !answer.status().is_redirection() {
        return Ok(None);
    }
    let location = answer.headers().get(LOCATION);
    let location = location.context("a redirect leads nowhere")?.to_str()?;
    Ok(Some(answer.url().join(location)?))
}

async fn shown(url: Url, answer: Response) -> anyhow::Result<Page> {
    Ok(Page {
        url,
        status: answer.status(),
        html: answer.text().await?,
    })
}

impl Page {
    /// The page itself where it reports success.
    ///
    /// # Errors
    ///
    /// What it reports otherwise.
    pub fn succeeded(self) -> anyhow::Result<Page> {
        if !self.status.is_success() {
            bail!("{} answered {}: {}", self.url, self.status, self.text());
        }
        Ok(self)
    }

    /// The request link in the command that the page shows.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn request_link(&self) -> anyhow::Result<String> {
        self.between("bauta wallet sign-in '", "'")
    }

    /// The request link that opens a wallet on the same device.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn same_device_link(&self) -> anyhow::Result<String> {
        let link = self.between("href=\"openid4vp:", "\"")?;
        Ok(format!("openid4vp:{link}"))
    }

    /// What stands between two texts of the HTML, unescaped.
    fn between(&self, begin: &str, end: &str) -> anyhow::Result<String> {
        // The command stands in an element, where quotation marks may be written as they are.
        let html = self.html.replace("&#39;", "'");
        let rest = html.split_once(begin).map(|(_, rest)| rest);
        let found = rest.and_then(|rest| rest.split_once(end));
        let (found, _) =
            found.with_context(|| format!("no {begin} on {}: {}", self.url, self.text()))?;
        Ok(unescape(found))
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
        value.with_context(|| format!("no parameter {name} in {}", self.url))
    }

    /// The text of the page's main part without tags, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut in_tag = false;
        let main = self
            .html
            .split_once("<main")
            .map_or(self.html.as_str(), |(_, main)| main);
        let main = main.split_once("</main>").map_or(main, |(main, _)| main);
        // What is left of the tag that opened the main part goes with the first `>`.
        for character in std::iter::once('<').chain(main.chars()) {
            match character {
                '<' => in_tag = true,
                '>' => {
                    in_tag = false;
                    text.push(' ');
                }
                other if !in_tag => text.push(other),
                _ => {}
            }
        }
        unescape(&text)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Undoes the escaping of HTML.
fn unescape(text: &str) -> String {
    text.replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#60;", "<")
        .replace("&lt;", "<")
        .replace("&#62;", ">")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}
