//! The scripted browser of the demonstration, for tests that wait for each step.

use std::path::Path;

use reqwest::{RequestBuilder, Url};
use server::client::{Answer, HttpsClient};
use server::config::ClientConfig;
use server::demo::browser;
pub use server::demo::browser::Page;
use tokio::runtime::Runtime;

/// A browser with its cookies, and a program's client beside it.
pub struct Browser {
    browser: browser::Browser,
    client: HttpsClient,
    runtime: Runtime,
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
            browser: browser::Browser::new(ca)?,
            client: HttpsClient::new(&config)?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })
    }

    /// Opens an address and follows every redirect.
    ///
    /// # Errors
    ///
    /// When there is no page; a page that reports a failure is one.
    pub fn open(&self, url: &str) -> anyhow::Result<Page> {
        self.runtime.block_on(self.browser.open(url))
    }

    /// Opens an address and follows redirects, but not to addresses that begin with `stop`.
    ///
    /// # Errors
    ///
    /// As [`Browser::open`].
    pub fn open_until(&self, url: &str, stop: &str) -> anyhow::Result<Page> {
        let stop = |url: &Url| url.as_str().starts_with(stop);
        self.runtime.block_on(self.browser.open_until(url, stop))
    }

    /// Sends a form and follows every redirect.
    ///
    /// # Errors
    ///
    /// As [`Browser::open`].
    pub fn post(&self, url: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        self.runtime.block_on(self.browser.post(url, fields))
    }

    /// Sends a form that stands on a page of another `origin`.
    ///
    /// # Errors
    ///
    /// As [`Browser::open`].
    pub fn post_from(
        &self,
        origin: &str,
        url: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let sent = self.browser.post_from(origin, url, fields);
        self.runtime.block_on(sent)
    }

    /// Sends a request that is no page: what programs do, without cookies and redirects.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub fn call(
        &self,
        request: impl FnOnce(&reqwest::Client) -> RequestBuilder,
    ) -> anyhow::Result<Answer> {
        let request = request(self.client.requests());
        Ok(self.runtime.block_on(self.client.send(request))?)
    }
}
