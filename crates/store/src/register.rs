//! The register: who is registered, without saying who anybody is.

use async_trait::async_trait;
use credential::time::Epoch;

use crate::StoreError;

/// The web number as it is stored: 16 ASCII characters without separators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegisterId(pub [u8; 16]);

/// Whether certificates are still issued on a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// Certificates are issued.
    Active,
    /// No certificate is issued any more.
    Ended,
}

/// Everything the register holds about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterRow {
    /// The web number.
    pub id: RegisterId,
    /// The final commitment to the holder's secrets, a compressed point; it hides perfectly.
    pub commitment: [u8; 48],
    /// The commitment to all slots of the certificates since the last enrolment; it hides perfectly,
    /// too. Zeros in rows from before there was one.
    pub slot_commitment: [u8; 48],
    /// 1 for the first registration of a person, one more for each that starts without backup.
    pub generation: u32,
    /// Whether certificates are still issued.
    pub status: RowStatus,
    /// Epoch of the last certificate issued.
    pub last_epoch: Epoch,
    /// SHA-256 thumbprint of the device key of the last certificate.
    pub device_key_hash: [u8; 32],
}

/// The look-up index H2(T) of one tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TagIndex(pub [u8; 32]);

/// Which number of the evidence a tag was computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// Document number with its issuing state.
    DocumentNumber,
    /// Person number with its state.
    PersonNumber,
    /// Name, birth date and sex. Never leads to a row: several people can share them.
    Namesake,
}

/// A tag to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTag {
    /// Its look-up index.
    pub index: TagIndex,
    /// What it was computed from.
    pub kind: TagKind,
    /// The tag T itself, sealed to the operator's tag key, for re-keying by the trustees.
    pub sealed: Vec<u8>,
}

/// A random name for what people of the same name, birth date and sex lead to: a review by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReviewId(pub [u8; 16]);

/// The tag of somebody's name, birth date and sex, in a table apart: nothing there tells whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewTag {
    /// Its look-up index.
    pub index: TagIndex,
    /// The tag itself, sealed as in [`NewTag`].
    pub sealed: Vec<u8>,
    /// The review that was held before, or a new one where there was none.
    pub review: ReviewId,
}

/// What a set of tags leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagMatch {
    /// Nobody with any of these tags is registered.
    None,
    /// All tags that are known lead to this row.
    One(RegisterRow),
    /// The tags lead to different rows: a person has to look at it.
    Several,
}

/// What became of an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Row and tags are stored; also the answer to a repeat of the same insert.
    Done,
    /// Another row has this id; nothing was stored.
    IdTaken,
    /// Another row has one of these tags; nothing was stored.
    TagTaken,
    /// Somebody with this review tag is registered who was not when it was looked up; nothing was
    /// stored.
    ReviewNeeded,
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The row is as wanted; also the answer to a repeat of the same update.
    Done,
    /// The row is not what the caller had read; nothing was changed.
    Stale,
    /// Another row has one of these tags; nothing was changed.
    TagTaken,
}

/// Register rows and the tags that lead to them.
#[async_trait]
pub trait RegisterStore: Send + Sync {
    /// The row with this id.
    async fn find(&self, id: RegisterId) -> Result<Option<RegisterRow>, StoreError>;

    /// The row that these tags lead to.
    async fn find_by_tags(&self, tags: &[TagIndex]) -> Result<TagMatch, StoreError>;

    /// The review that the tag of a name, birth date and sex leads to, where anybody is registered
    /// with them.
    async fn find_review(&self, tag: TagIndex) -> Result<Option<ReviewId>, StoreError>;

    /// Stores a new row and its tags in one transaction, or nothing.
    async fn insert(
        &self,
        row: &RegisterRow,
        tags: &[NewTag],
        review: Option<&ReviewTag>,
    ) -> Result<Inserted, StoreError>;

    /// Replaces a row only if it is still as `read`, and adds tags to it; in one transaction, or
    /// nothing. Tags that the row has already are left as they are, and so is a review tag that is
    /// there. `read` and `next` have the same id.
    async fn update(
        &self,
        read: &RegisterRow,
        next: &RegisterRow,
        tags: &[NewTag],
        review: Option<&ReviewTag>,
    ) -> Result<Updated, StoreError>;

    /// Raises `last_epoch` of every row that has an earlier one to `epoch`, in one transaction;
    /// returned is of how many rows.
    async fn raise_last_epochs(&self, epoch: Epoch) -> Result<usize, StoreError>;
}
