//! What the operator and the trustees keep and a connector reads: contracts, and their
//! implementation on SQLite.
//!
//! Five contracts and not one, so that unlinkability shows in the types: whoever holds a
//! [`SessionStore`] cannot name a register row. The crate knows records, ids and bytes; it knows
//! no protocol and holds no key. Every backend passes `tests/conformance`. Not reviewed by an
//! outside party.
//!
//! ```
//! # async fn example() -> Result<(), store::StoreError> {
//! use store::RegisterStore;
//! use store::sqlite::SqliteRegister;
//!
//! let folder = tempfile::tempdir().expect("a temporary folder");
//! let register = SqliteRegister::open(&folder.path().join("register.sqlite")).await?;
//! assert_eq!(register.find(store::RegisterId(*b"0123456789ABCDEF")).await?, None);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod error;
mod register;
mod resident;
mod session;
mod site;
pub mod sqlite;
mod trustee;

pub use error::StoreError;
pub use register::{
    Inserted, NewTag, RegisterId, RegisterRow, RegisterStore, ReviewId, ReviewTag, RowStatus,
    TagIndex, TagKind, TagMatch, Updated,
};
pub use resident::{
    CardState, LifeState, NewResident, ResidentFound, ResidentRecord, ResidentTable,
};
pub use session::{
    Consumed, NewCode, NewToken, NonceInserted, Redemption, SecretHash, SessionId, SessionStore,
    UnlockHash,
};
pub use site::{SiteInserted, SiteRecord, SiteStore};
pub use trustee::{Evaluation, EvaluationRecord, EvidenceHash, RateLimit, TrusteeStore};
