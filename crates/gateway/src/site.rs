//! The site this gateway belongs to, as the operator's register describes it, and the key that
//! signs requests in its name.

use credential::age::AgeAsked;
use credential::attributes::{Item, ItemSet};
use credential::jose::{PublicKey, encode};
use credential::origin::{Origin, SiteContext};
use credential::site_entry::{SiteEntry, SiteEntryError};
use credential::time::UnixTime;
use openid4vc::vp::RequestSigner;
use openid4vc::vp::dcql::Query;
use openid4vc::vp::sign_in::{self, Ask};

/// The operator that this gateway trusts, from its public trust file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its origin.
    pub origin: Origin,
    /// Signs manifests and site entries.
    pub key: PublicKey,
}

/// A site whose entry is verified and names this gateway.
pub struct Site {
    pub(crate) entry: SiteEntry,
    pub(crate) entry_jws: String,
    pub(crate) context: SiteContext,
    pub(crate) signer: RequestSigner,
    pub(crate) client_id: String,
    pub(crate) items: ItemSet,
    ask: Ask,
}

/// What the site entry must name: SHA-256 over the request certificate in base64url.
#[must_use]
pub fn x509_hash(signer: &RequestSigner) -> String {
    encode(signer.client_id().hash())
}

/// Why a gateway cannot serve a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// The entry is not good.
    #[error(transparent)]
    Entry(#[from] SiteEntryError),
    /// The entry names another gateway.
    #[error("site entry names another gateway")]
    OtherGateway,
    /// The entry names another request certificate.
    #[error("site entry names another request certificate")]
    OtherCertificate,
    /// An item is asked for that the entry does not allow.
    #[error("site entry does not allow the item {}", .0.as_str())]
    Item(Item),
}

impl Site {
    /// Checks the site entry against this gateway.
    ///
    /// `issuer` is the gateway's own origin; `items` is what every sign-up asks for.
    ///
    /// # Errors
    ///
    /// [`SiteError`].
    pub fn new(
        entry_jws: &str,
        operator: &Operator,
        issuer: &Origin,
        signer: RequestSigner,
        items: &[Item],
        now: UnixTime,
    ) -> Result<Site, SiteError> {
        let entry = SiteEntry::verify(entry_jws, &operator.origin, &operator.key, now)?;
        if entry.gateway.origin != *issuer {
            return Err(SiteError::OtherGateway);
        }
        if entry.gateway.x509_hash != x509_hash(&signer) {
            return Err(SiteError::OtherCertificate);
        }
        if let Some(item) = items.iter().find(|item| !entry.allows(**item)) {
            return Err(SiteError::Item(*item));
        }
        let items = ItemSet::new(items.iter().copied());
        let ask = if entry.requires_certificate {
            Ask::Certificate
        } else {
            Ask::AccountOrCertificate
        };
        Ok(Site {
            context: entry.context(),
            entry,
            entry_jws: entry_jws.to_owned(),
            client_id: signer.client_id().to_string(),
            signer,
            ask,
            items,
        })
    }

    /// What people are shown of the site.
    #[must_use]
    pub fn entry(&self) -> &SiteEntry {
        &self.entry
    }

    /// The age that log-ins at `now` ask to have proved by those who have not proved it here.
    pub(crate) fn age_asked(&self, now: UnixTime) -> Option<AgeAsked> {
        let on = now.day();
        self.entry.age_over.map(|years| AgeAsked { years, on })
    }

    /// What a wallet is asked.
    pub(crate) fn query(&self, age: Option<AgeAsked>) -> Query {
        let names: Vec<&str> = self.items.iter().map(Item::as_str).collect();
        sign_in::query(self.ask, &names, age).expect("a set of items always holds the generation")
    }
}
