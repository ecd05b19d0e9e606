use std::path::Path;

use async_trait::async_trait;
use credential::time::Epoch;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{Database, number};
use crate::{
    Inserted, NewTag, RegisterId, RegisterRow, RegisterStore, ReviewId, ReviewTag, RowStatus,
    StoreError, TagIndex, TagKind, TagMatch, Updated,
};

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE registration (
        web_number      BLOB    NOT NULL,
        commitment      BLOB    NOT NULL,
        generation      INTEGER NOT NULL,
        status          INTEGER NOT NULL,
        last_epoch      INTEGER NOT NULL,
        device_key_hash BLOB    NOT NULL
    );
    CREATE UNIQUE INDEX registration_by_web_number ON registration (web_number);
    CREATE TABLE tag (
        tag_index  BLOB    NOT NULL,
        kind       INTEGER NOT NULL,
        tag_sealed BLOB    NOT NULL,
        web_number BLOB    NOT NULL
    );
    CREATE UNIQUE INDEX tag_by_index ON tag (tag_index);
",
    "
    ALTER TABLE registration ADD COLUMN slot_commitment BLOB NOT NULL DEFAULT x'';
    UPDATE registration SET slot_commitment = zeroblob(48);
",
    "
    -- Without row ids, whose order would tell which registration a row came with.
    CREATE TABLE review_tag (
        tag_index  BLOB NOT NULL PRIMARY KEY,
        tag_sealed BLOB NOT NULL,
        review_id  BLOB NOT NULL
    ) WITHOUT ROWID;
",
];

/// The register in one SQLite file.
pub struct SqliteRegister(Database);

impl SqliteRegister {
    /// Opens the file, and makes it first where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or was written by a newer program.
    pub async fn open(path: &Path) -> Result<SqliteRegister, StoreError> {
        Database::open(path, MIGRATIONS).await.map(SqliteRegister)
    }
}

#[async_trait]
impl RegisterStore for SqliteRegister {
    async fn find(&self, id: RegisterId) -> Result<Option<RegisterRow>, StoreError> {
        self.0.read(move |db| find_row(db, id)).await
    }

    async fn find_by_tags(&self, tags: &[TagIndex]) -> Result<TagMatch, StoreError> {
        let tags = tags.to_vec();
        self.0
            .read(move |db| {
                let mut owner: Option<RegisterId> = None;
                for tag in tags {
                    match (owner, find_owner(db, tag)?) {
                        (_, None) => {}
                        (None, found) => owner = found,
                        (Some(known), Some(found)) if known == found => {}
                        (Some(_), Some(_)) => return Ok(TagMatch::Several),
                    }
                }
                let Some(id) = owner else {
                    return Ok(TagMatch::None);
                };
                let row = find_row(db, id)?.ok_or(StoreError::Damaged("tag without a row"))?;
                Ok(TagMatch::One(row))
            })
            .await
    }

    async fn find_review(&self, tag: TagIndex) -> Result<Option<ReviewId>, StoreError> {
        self.0.read(move |db| find_review(db, tag)).await
    }

    async fn insert(
        &self,
        row: &RegisterRow,
        tags: &[NewTag],
        review: Option<&ReviewTag>,
    ) -> Result<Inserted, StoreError> {
        let (row, tags, review) = (row.clone(), tags.to_vec(), review.cloned());
        self.0
            .write(move |tx| {
                let there = find_row(tx, row.id)?;
                if there.as_ref().is_some_and(|there| *there != row) {
                    return Ok(Inserted::IdTaken);
                }
                if any_tag_of_another(tx, row.id, &tags)? {
                    return Ok(Inserted::TagTaken);
                }
                if let Some(review) = &review
                    && find_review(tx, review.index)?.is_some_and(|found| found != review.review)
                {
                    return Ok(Inserted::ReviewNeeded);
                }
                if there.is_none() {
                    insert_row(tx, &row)?;
                }
                insert_tags(tx, row.id, &tags)?;
                insert_review(tx, review.as_ref())?;
                Ok(Inserted::Done)
            })
            .await
    }

    async fn update(
        &self,
        read: &RegisterRow,
        next: &RegisterRow,
        tags: &[NewTag],
        review: Option<&ReviewTag>,
    ) -> Result<Updated, StoreError> {
        let (read, next, tags) = (read.clone(), next.clone(), tags.to_vec());
        let review = review.cloned();
        self.0
            .write(move |tx| {
                let there = find_row(tx, read.id)?;
                if next.id != read.id
                    || there
                        .as_ref()
                        .is_none_or(|row| *row != read && *row != next)
                {
                    return Ok(Updated::Stale);
                }
                if any_tag_of_another(tx, read.id, &tags)? {
                    return Ok(Updated::TagTaken);
                }
                replace_row(tx, &next)?;
                insert_tags(tx, read.id, &tags)?;
                insert_review(tx, review.as_ref())?;
                Ok(Updated::Done)
            })
            .await
    }

    async fn raise_last_epochs(&self, epoch: Epoch) -> Result<usize, StoreError> {
        self.0
            .write(move |tx| {
                let sql = "UPDATE registration SET last_epoch = ?1 WHERE last_epoch < ?1";
                Ok(tx.execute(sql, [epoch.0])?)
            })
            .await
    }
}

fn find_row(db: &Connection, id: RegisterId) -> Result<Option<RegisterRow>, StoreError> {
    db.query_row(
        "SELECT commitment, generation, status, last_epoch, device_key_hash, slot_commitment
         FROM registration WHERE web_number = ?1",
        [&id.0],
        |row| Ok(read_row(id, row)),
    )
    .optional()?
    .transpose()
}

fn read_row(id: RegisterId, row: &Row<'_>) -> Result<RegisterRow, StoreError> {
    Ok(RegisterRow {
        id,
        commitment: row.get(0)?,
        generation: number(row.get(1)?, "generation")?,
        status: status_from_code(row.get(2)?)?,
        last_epoch: Epoch(number(row.get(3)?, "epoch")?),
        device_key_hash: row.get(4)?,
        slot_commitment: row.get(5)?,
    })
}

fn insert_row(tx: &Transaction<'_>, row: &RegisterRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO registration
             (web_number, commitment, generation, status, last_epoch, device_key_hash,
              slot_commitment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            row.id.0,
            row.commitment,
            row.generation,
            status_code(row.status),
            row.last_epoch.0,
            row.device_key_hash,
            row.slot_commitment
        ],
    )?;
    Ok(())
}

fn replace_row(tx: &Transaction<'_>, row: &RegisterRow) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE registration
         SET commitment = ?2, generation = ?3, status = ?4, last_epoch = ?5, device_key_hash = ?6,
             slot_commitment = ?7
         WHERE web_number = ?1",
        params![
            row.id.0,
            row.commitment,
            row.generation,
            status_code(row.status),
            row.last_epoch.0,
            row.device_key_hash,
            row.slot_commitment
        ],
    )?;
    Ok(())
}

fn find_owner(db: &Connection, tag: TagIndex) -> Result<Option<RegisterId>, StoreError> {
    let sql = "SELECT web_number FROM tag WHERE tag_index = ?1";
    let owner: Option<[u8; 16]> = db.query_row(sql, [&tag.0], |row| row.get(0)).optional()?;
    Ok(owner.map(RegisterId))
}

/// Whether a tag leads to another row. The answer holds until the transaction ends, which is the
/// only one that may write.
fn any_tag_of_another(
    tx: &Transaction<'_>,
    id: RegisterId,
    tags: &[NewTag],
) -> Result<bool, StoreError> {
    for tag in tags {
        if find_owner(tx, tag.index)?.is_some_and(|owner| owner != id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Stores the tags that the row does not have yet.
fn insert_tags(tx: &Transaction<'_>, id: RegisterId, tags: &[NewTag]) -> Result<(), StoreError> {
    for tag in tags {
        if find_owner(tx, tag.index)?.is_none() {
            tx.execute(
                "INSERT INTO tag (tag_index, kind, tag_sealed, web_number)
                 VALUES (?1, ?2, ?3, ?4)",
                params![tag.index.0, kind_code(tag.kind), tag.sealed, id.0],
            )?;
        }
    }
    Ok(())
}

fn find_review(db: &Connection, tag: TagIndex) -> Result<Option<ReviewId>, StoreError> {
    let sql = "SELECT review_id FROM review_tag WHERE tag_index = ?1";
    let found: Option<[u8; 16]> = db.query_row(sql, [&tag.0], |row| row.get(0)).optional()?;
    Ok(found.map(ReviewId))
}

/// Stores a review tag that is not there yet.
fn insert_review(tx: &Transaction<'_>, review: Option<&ReviewTag>) -> Result<(), StoreError> {
    let Some(review) = review else {
        return Ok(());
    };
    tx.execute(
        "INSERT INTO review_tag (tag_index, tag_sealed, review_id) VALUES (?1, ?2, ?3)
         ON CONFLICT (tag_index) DO NOTHING",
        params![review.index.0, review.sealed, review.review.0],
    )?;
    Ok(())
}

fn status_code(status: RowStatus) -> i64 {
    match status {
        RowStatus::Active => 1,
        RowStatus::Ended => 2,
    }
}

fn status_from_code(code: i64) -> Result<RowStatus, StoreError> {
    match code {
        1 => Ok(RowStatus::Active),
        2 => Ok(RowStatus::Ended),
        _ => Err(StoreError::Damaged("status")),
    }
}

fn kind_code(kind: TagKind) -> i64 {
    match kind {
        TagKind::DocumentNumber => 1,
        TagKind::PersonNumber => 2,
        TagKind::Namesake => 3,
    }
}
