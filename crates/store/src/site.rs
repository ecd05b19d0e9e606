//! The register of sites, which is public.

use async_trait::async_trait;
use credential::time::UnixTime;

use crate::StoreError;

/// One signed site entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRecord {
    /// Identifier of the entry, unique among all.
    pub entry_id: String,
    /// Canonical origin of the site.
    pub origin: String,
    /// The signed entry as it is given out.
    pub entry: String,
    /// The first second at which the entry is no longer valid.
    pub expires: UnixTime,
}

/// What became of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteInserted {
    /// Stored; also the answer to a repeat of the same insert.
    Done,
    /// Another entry has this identifier; nothing was stored.
    IdTaken,
    /// The valid entries of the site are not those that the caller had read; nothing was stored.
    Stale,
}

/// Site entries, in the order in which they were added.
#[async_trait]
pub trait SiteStore: Send + Sync {
    /// Stores an entry, only if the entries of its site that are valid at `now` are still those
    /// with the identifiers `read`, in the order of [`SiteStore::list`]. Older entries of the same
    /// site stay.
    async fn insert(
        &self,
        record: &SiteRecord,
        read: &[String],
        now: UnixTime,
    ) -> Result<SiteInserted, StoreError>;

    /// All entries that are valid at `now`.
    async fn list(&self, now: UnixTime) -> Result<Vec<SiteRecord>, StoreError>;
}
