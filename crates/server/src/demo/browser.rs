//! A person's browser, as far as a log-in needs one: cookies, redirects, and pages that go on by
//! themselves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use url::Url;

use crate::client::LoopbackAwareResolver;
use crate::files;

/// How long a page is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const REDIRECTS_MAX: usize = 10;

/// A browser with its cookies.
pub struct Browser(reqwest::Client);

/// A page that is shown.
pub struct Page {
    /// Its address.
    pub url: Url,
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
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS_MAX))
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
    /// When there is no page, or the answer is a failure.
    pub async fn open(&self, url: &str) -> anyhow::Result<Page> {
        let answer = self
            .0
            .get(url)
            .send()
            .await
            .with_context(|| format!("cannot open {url}"))?;
        let (status, url) = (answer.status(), answer.url().clone());
        let html = answer.text().await?;
        if !status.is_success() {
            bail!(
                "{url} answered {status}: {}",
                html.lines().take(3).collect::<String>()
            );
        }
        Ok(Page { url, html })
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

impl Page {
    /// The request link in the command that the page shows.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn request_link(&self) -> anyhow::Result<String> {
        let shown = self
            .html
            .split_once("data-testid=\"wallet-command\">")
            .map(|(_, rest)| rest);
        let command = shown
            .and_then(|rest| rest.split_once('<'))
            .map(|(command, _)| command);
        let command = command.with_context(|| format!("no wallet command on {}", self.url))?;
        let command = unescape(command);
        let link = command
            .split('\'')
            .nth(1)
            .context("the command holds no link")?;
        Ok(link.to_owned())
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
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}
