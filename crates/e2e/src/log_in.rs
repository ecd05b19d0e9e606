//! One log-in: the site's program, the gateway's page, the wallet, and back.

use anyhow::{Context, bail};
use serde_json::Value;

use crate::browser::Browser;
use crate::relying_party::RelyingParty;
use crate::wallet::Wallet;

/// How a wallet gets to a request, and the browser back to the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the QR code or the command: the page goes on by itself.
    OtherDevice,
    /// By the link on the page: the wallet leads back into the browser.
    SameDevice,
}

/// A log-in that the site has accepted.
#[derive(Debug)]
pub struct LoggedIn {
    /// The claims of the ID token.
    pub claims: Value,
    /// What the wallet says it did: `signed-up` or `signed-in`.
    pub outcome: String,
}

/// Logs in at a site: its program, the gateway's page, the wallet, and back.
///
/// # Errors
///
/// When anything on the way is refused; a refusal of the wallet is named by its id.
pub fn log_in(
    site: &RelyingParty,
    browser: &Browser,
    wallet: &Wallet<'_>,
    way: Way,
) -> anyhow::Result<LoggedIn> {
    let attempt = site.begin()?;
    let page = browser.open(&attempt.url)?;
    let link = match way {
        Way::OtherDevice => page.request_link()?,
        Way::SameDevice => page.same_device_link()?,
    };
    let said = match wallet.sign_in(&link)? {
        Ok(said) => said,
        Err(refused) => bail!("the wallet: {} ({})", refused.what, refused.id),
    };
    let back = match (way, said["redirect_uri"].as_str()) {
        (Way::OtherDevice, None) => page.url.as_str().to_owned(),
        (Way::SameDevice, Some(uri)) => uri.to_owned(),
        (Way::OtherDevice | Way::SameDevice, other) => bail!("{way:?} led to {other:?}"),
    };
    let page = browser.open_until(&back, site.redirect_uri())?;
    let outcome = said["outcome"].as_str().context("no outcome")?.to_owned();
    Ok(LoggedIn {
        claims: site.finish(browser, &attempt, &page)?,
        outcome,
    })
}

impl LoggedIn {
    /// The person at this site.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.claims["sub"].as_str().unwrap_or_default()
    }
}
