//! What the gateway keeps, as a contract: log-ins in progress, accounts with their devices,
//! sessions, authorization codes and access tokens. Never a pseudonym, a proof, an address or
//! a bearer value.
//!
//! Everything that may happen once is decided inside one transaction together with its effect:
//! a log-in moves only from the version that was read, a code becomes a token once.

mod records;
mod sqlite;

pub use records::{
    AccountChange, CodeRow, LoginStep, ManifestRow, Redemption, SessionRow, TokenRow, Version,
    Versioned,
};
pub use sqlite::SqliteStore;

use crate::account::{Account, DeviceKey, IndexLookup};
use crate::bearer::BearerHash;
use crate::ids::{LoginId, Subject};
use async_trait::async_trait;
use credential::time::UnixTime;

/// Store of one site's gateway.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Keeps a new log-in; it is forgotten after `expires`.
    async fn insert_login(
        &self,
        id: LoginId,
        expires: UnixTime,
        state: &[u8],
    ) -> Result<(), StoreError>;

    /// The log-in as it stands; the caller checks whether it has expired.
    async fn login(&self, id: LoginId) -> Result<Option<Versioned>, StoreError>;

    /// Moves a log-in and does nothing else.
    async fn replace_login(&self, step: &LoginStep) -> Result<(), StoreError>;

    /// Moves a log-in and changes the account it belongs to, both or neither. `Stale` where
    /// somebody else moved the log-in or made the same account first.
    async fn admit(&self, step: &LoginStep, change: &AccountChange) -> Result<(), StoreError>;

    /// Moves a log-in and keeps the session and, where a client asked, the code it ends in.
    async fn finish_login(
        &self,
        step: &LoginStep,
        session: &SessionRow,
        code: Option<&CodeRow>,
    ) -> Result<(), StoreError>;

    /// The account that stands under one of these indices, the current one first.
    async fn find_account(&self, lookup: &IndexLookup) -> Result<Option<Account>, StoreError>;

    /// The account with this subject.
    async fn account(&self, subject: Subject) -> Result<Option<Account>, StoreError>;

    /// Removes a device and ends all sessions of the account but `session`, because that device
    /// may have opened them. An account may be left with none: a certificate adds a new one.
    async fn remove_device(
        &self,
        subject: Subject,
        key: &DeviceKey,
        session: &BearerHash,
    ) -> Result<(), StoreError>;

    /// Keeps a code for a browser that was logged in already.
    async fn insert_code(&self, code: &CodeRow) -> Result<(), StoreError>;

    /// The code, as long as it is not redeemed.
    async fn code(&self, hash: &BearerHash) -> Result<Option<CodeRow>, StoreError>;

    /// Turns a code into a token, once. A second attempt takes the token back (RFC 6749
    /// section 4.1.2).
    async fn redeem_code(
        &self,
        hash: &BearerHash,
        token: &TokenRow,
    ) -> Result<Redemption, StoreError>;

    /// Takes back the token that this code became, because the code was shown again.
    async fn take_back(&self, code: &BearerHash) -> Result<(), StoreError>;

    /// The token; the caller checks whether it has expired.
    async fn token(&self, hash: &BearerHash) -> Result<Option<TokenRow>, StoreError>;

    /// The session; the caller checks whether it has expired.
    async fn session(&self, hash: &BearerHash) -> Result<Option<SessionRow>, StoreError>;

    /// Ends a session and takes back what was given out in it.
    async fn end_session(&self, hash: &BearerHash) -> Result<(), StoreError>;

    /// The manifest fetched last.
    async fn manifest(&self) -> Result<Option<ManifestRow>, StoreError>;

    /// Keeps a manifest in place of the one before.
    async fn replace_manifest(&self, manifest: &ManifestRow) -> Result<(), StoreError>;

    /// Removes log-ins, codes, tokens and sessions whose time has passed.
    async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError>;
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else was first; nothing was written.
    #[error("the record was changed by somebody else")]
    Stale,
    /// A stored row is not what this version writes.
    #[error("a stored row cannot be read")]
    Malformed,
    /// The database failed.
    #[error("the database failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(test)]
mod conformance;
