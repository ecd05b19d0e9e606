//! The register of sites: entries signed by the operator, given out to everybody.

use std::sync::Arc;

use credential::age::Years;
use credential::attributes::Item;
use credential::jose::jws::UnverifiedJws;
use credential::jose::{self, SigningKey};
use credential::origin::Origin;
use credential::site_entry::{Gateway, Site, SiteEntry, SiteEntryError};
use credential::time::UnixTime;
use serde::Deserialize;
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
    /// The site has a valid entry with another age: with several it could search for people's
    /// dates of birth.
    #[error("the site has an entry for the age of {}, which is still valid", .0.number())]
    OtherAge(Years),
    /// Somebody registered the same site at the same moment; try again.
    #[error("the site was registered at the same moment")]
    Busy,
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
        let known = self.valid_entries(&new.site.origin, now).await?;
        one_age(&known, new.age_over)?;
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
        let read: Vec<String> = known.into_iter().map(|known| known.entry_id).collect();
        match self.store.insert(&record, &read, now).await? {
            SiteInserted::Done => Ok(signed),
            SiteInserted::IdTaken => Err(SiteError::IdTaken),
            SiteInserted::Stale => Err(SiteError::Busy),
        }
    }

    async fn valid_entries(
        &self,
        site: &Origin,
        now: UnixTime,
    ) -> Result<Vec<SiteRecord>, StoreError> {
        let mut records = self.store.list(now).await?;
        records.retain(|record| record.origin == site.as_str());
        Ok(records)
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

/// What is read of an entry that this register has signed itself.
#[derive(Deserialize)]
struct Registered {
    age_over: Option<Years>,
}

/// Whether no valid entry of the site asks for another age.
fn one_age(known: &[SiteRecord], age_over: Option<Years>) -> Result<(), SiteError> {
    let Some(wanted) = age_over else {
        return Ok(());
    };
    for record in known {
        let entry: Registered = UnverifiedJws::parse(&record.entry)
            .and_then(|entry| entry.unverified_payload())
            .map_err(|_| StoreError::Damaged("site entry"))?;
        if let Some(years) = entry.age_over.filter(|years| *years != wanted) {
            return Err(SiteError::OtherAge(years));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::sqlite::SqliteSites;

    use super::*;
    use crate::testing::NOW;

    const DAY: u64 = 86_400;

    fn site(origin: &str, age_over: Option<u8>, valid_days: u32) -> NewSite {
        let text = |text: &str| text.to_owned();
        NewSite {
            site: Site {
                origin: Origin::parse(origin).unwrap(),
                name: text("Forum"),
                purpose: text("one account a person"),
                alternative: text("at the desk"),
            },
            gateway: Gateway {
                origin: Origin::parse("https://login.example").unwrap(),
                x509_hash: jose::encode([7; 32]),
            },
            items: Vec::new(),
            sign_in: SignInNeeds::Account,
            age_over: age_over.map(|years| Years::try_from(years).unwrap()),
            valid_days,
        }
    }

    #[tokio::test]
    async fn a_site_gets_no_second_age_while_an_entry_with_the_first_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteSites::open(&folder.path().join("s.sqlite")).await;
        let sites = Sites::new(Arc::new(store.unwrap()));
        let (operator, key) = (
            Origin::parse("https://id.example").unwrap(),
            SigningKey::generate(),
        );
        let add =
            async |site: NewSite, now: UnixTime| sites.add(site, (&operator, &key), now).await;
        let (forum, shop) = ("https://forum.example", "https://shop.example");

        for (origin, age_over, days) in [
            (forum, None, 30),
            (forum, Some(18), 10),
            (forum, Some(18), 5),
            (forum, None, 30),
            (shop, Some(16), 30),
        ] {
            add(site(origin, age_over, days), NOW).await.unwrap();
        }
        let listed = sites.list(NOW).await.unwrap();
        for (origin, age_over) in [
            (forum, 17),
            (forum, 19),
            ("https://forum.example:443", 16),
            (shop, 18),
        ] {
            let refused = add(site(origin, Some(age_over), 5), NOW).await.err();
            assert!(
                matches!(refused, Some(SiteError::OtherAge(_))),
                "{origin} {refused:?}"
            );
        }
        assert_eq!(sites.list(NOW).await.unwrap(), listed);

        // From the second on at which the last entry with it has ended.
        let ends = NOW.plus_secs(10 * DAY);
        let early = add(site(forum, Some(19), 5), ends.minus_secs(1))
            .await
            .err();
        assert!(matches!(early, Some(SiteError::OtherAge(years)) if years.number() == 18));
        add(site(forum, Some(19), 5), ends).await.unwrap();
    }
}
