//! The site this gateway belongs to, as the operator's register describes it, and the key that
//! signs requests in its name.

use credential::attributes::{Item, ItemSet};
use credential::jose::{PublicKey, SigningKey, encode, sha256};
use credential::origin::{Origin, SiteContext};
use credential::site_entry::{SiteEntry, SiteEntryError};
use credential::time::UnixTime;

/// The operator that this gateway trusts, from its public trust file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its origin.
    pub origin: Origin,
    /// Signs manifests and site entries.
    pub key: PublicKey,
}

/// The key that signs requests to wallets, with its certificate.
pub struct RequestKey {
    key: SigningKey,
    certificate: Vec<u8>,
}

impl RequestKey {
    /// Takes the key and its certificate in DER.
    #[must_use]
    pub fn new(key: SigningKey, certificate: Vec<u8>) -> RequestKey {
        RequestKey { key, certificate }
    }

    /// SHA-256 over the certificate in base64url, as it stands in the site entry.
    #[must_use]
    pub fn x509_hash(&self) -> String {
        encode(sha256(&self.certificate))
    }

    /// The `client_id` towards wallets.
    ///
    /// Source: OpenID4VP 1.0 section 5.9.3, `x509_hash`.
    #[must_use]
    pub fn client_id(&self) -> String {
        format!("x509_hash:{}", self.x509_hash())
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }
}

/// A site whose entry is verified and names this gateway.
pub struct Site {
    pub(crate) entry: SiteEntry,
    pub(crate) entry_jws: String,
    pub(crate) context: SiteContext,
    pub(crate) request_key: RequestKey,
    pub(crate) client_id: String,
    pub(crate) items: ItemSet,
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
        request_key: RequestKey,
        items: &[Item],
        now: UnixTime,
    ) -> Result<Site, SiteError> {
        let entry = SiteEntry::verify(entry_jws, &operator.origin, &operator.key, now)?;
        if entry.gateway.origin != *issuer {
            return Err(SiteError::OtherGateway);
        }
        if entry.gateway.x509_hash != request_key.x509_hash() {
            return Err(SiteError::OtherCertificate);
        }
        if let Some(item) = items.iter().find(|item| !entry.allows(**item)) {
            return Err(SiteError::Item(*item));
        }
        Ok(Site {
            context: entry.context(),
            entry,
            entry_jws: entry_jws.to_owned(),
            client_id: request_key.client_id(),
            request_key,
            items: ItemSet::new(items.iter().copied()),
        })
    }

    /// What people are shown of the site.
    #[must_use]
    pub fn entry(&self) -> &SiteEntry {
        &self.entry
    }
}
