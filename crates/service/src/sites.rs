//! The register of sites: entries signed by the operator, given out to everybody.

use std::sync::Arc;

use credential::age::Years;
use credential::attributes::Item;
use credential::jose::{self, SigningKey};
use credential::origin::Origin;
use credential::site_entry::{Gateway, Site, SiteEntry, SiteEntryError};
use credential::time::UnixTime;
use store::{SiteInserted, SiteRecord, SiteStore, StoreError};

use crate::secret;

/// The register of sites.
pub struct Sites {
    store: Arc<dyn SiteStore>,
}

/// What is registered about a site.
pub struct NewSite {
    /// What people are shown.
    pub site: Site,
    /// The gateway that asks on its behalf.
    pub gateway: Gateway,
    /// The items it may ask for.
    pub items: Vec<Item>,
    /// Whether it asks for a certificate at every sign-in.
    pub sign_in: SignInNeeds,
    /// The age that it has proved.
    pub age_over: Option<Years>,
    /// How long the entry is valid, in days.
    pub valid_days: u32,
}

/// What a site asks for at a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNeeds {
    /// The account's device key; no certificate needs to be valid.
    Account,
    /// A valid certificate every time, because a law demands it.
    Certificate,
}

/// Why a site is not registered.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// The entry is not acceptable.
    #[error(transparent)]
    Entry(#[from] SiteEntryError),
    /// The random identifier is taken, which cannot be met by chance.
    #[error("entry identifier is taken")]
    IdTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sites {
    /// The register in this store.
    #[must_use]
    pub fn new(store: Arc<dyn SiteStore>) -> Sites {
        Sites { store }
    }

    /// Signs and stores the entry of a site; returned is the signed entry.
    ///
    /// # Errors
    ///
    /// The variants of [`SiteError`].
    pub async fn add(
        &self,
        new: NewSite,
        (operator, key): (&Origin, &SigningKey),
        now: UnixTime,
    ) -> Result<String, SiteError> {
        let mut items = new.items;
        items.sort_unstable();
        items.dedup();
        let entry = SiteEntry {
            iss: operator.clone(),
            jti: jose::encode(secret::random::<16>()),
            iat: now,
            exp: now.plus_secs(u64::from(new.valid_days) * 86_400),
            site: new.site,
            gateway: new.gateway,
            items,
            requires_certificate: match new.sign_in {
                SignInNeeds::Account => false,
                SignInNeeds::Certificate => true,
            },
            age_over: new.age_over,
        };
        let signed = entry.sign(key)?;
        let record = SiteRecord {
            entry_id: entry.jti,
            origin: entry.site.origin.as_str().to_owned(),
            entry: signed.clone(),
            expires: entry.exp,
        };
        match self.store.insert(&record).await? {
            SiteInserted::Done => Ok(signed),
            SiteInserted::IdTaken => Err(SiteError::IdTaken),
        }
    }

    /// The signed entries that are valid, in the order in which they were added.
    ///
    /// # Errors
    ///
    /// [`StoreError`]
    pub async fn list(&self, now: UnixTime) -> Result<Vec<String>, StoreError> {
        let records = self.store.list(now).await?;
        Ok(records.into_iter().map(|record| record.entry).collect())
    }
}
