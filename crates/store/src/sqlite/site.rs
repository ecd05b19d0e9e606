use std::path::Path;

use async_trait::async_trait;
use credential::time::UnixTime;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Database, number, seconds};
use crate::{SiteInserted, SiteRecord, SiteStore, StoreError};

const MIGRATIONS: &[&str] = &["
    CREATE TABLE site_entry (
        entry_id TEXT    NOT NULL,
        origin   TEXT    NOT NULL,
        entry    TEXT    NOT NULL,
        expires  INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX site_entry_by_id ON site_entry (entry_id);
"];

/// The register of sites in one SQLite file.
pub struct SqliteSites(Database);

impl SqliteSites {
    /// Opens the file, and makes it first where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or was written by a newer program.
    pub async fn open(path: &Path) -> Result<SqliteSites, StoreError> {
        Database::open(path, MIGRATIONS).await.map(SqliteSites)
    }
}

#[async_trait]
impl SiteStore for SqliteSites {
    async fn insert(
        &self,
        record: &SiteRecord,
        read: &[String],
        now: UnixTime,
    ) -> Result<SiteInserted, StoreError> {
        let (record, read) = (record.clone(), read.to_vec());
        self.0
            .write(move |tx| {
                let sql = "SELECT entry_id, origin, entry, expires FROM site_entry
                           WHERE entry_id = ?1";
                let there = tx.query_row(sql, [&record.entry_id], |row| Ok(read_record(row)));
                match there.optional()?.transpose()? {
                    Some(there) if there == record => Ok(SiteInserted::Done),
                    Some(_) => Ok(SiteInserted::IdTaken),
                    None if valid_entries(tx, &record.origin, now)? != read => {
                        Ok(SiteInserted::Stale)
                    }
                    None => {
                        tx.execute(
                            "INSERT INTO site_entry (entry_id, origin, entry, expires)
                             VALUES (?1, ?2, ?3, ?4)",
                            params![
                                record.entry_id,
                                record.origin,
                                record.entry,
                                seconds(record.expires)
                            ],
                        )?;
                        Ok(SiteInserted::Done)
                    }
                }
            })
            .await
    }

    async fn list(&self, now: UnixTime) -> Result<Vec<SiteRecord>, StoreError> {
        self.0
            .read(move |db| {
                let mut statement = db.prepare(
                    "SELECT entry_id, origin, entry, expires FROM site_entry
                     WHERE expires > ?1 ORDER BY rowid",
                )?;
                let rows = statement.query_map([seconds(now)], |row| Ok(read_record(row)))?;
                rows.map(|row| row?).collect()
            })
            .await
    }
}

/// The identifiers of a site's valid entries.
fn valid_entries(
    tx: &Transaction<'_>,
    origin: &str,
    now: UnixTime,
) -> Result<Vec<String>, StoreError> {
    let mut statement = tx.prepare(
        "SELECT entry_id FROM site_entry WHERE origin = ?1 AND expires > ?2 ORDER BY rowid",
    )?;
    let ids = statement.query_map(params![origin, seconds(now)], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn read_record(row: &Row<'_>) -> Result<SiteRecord, StoreError> {
    Ok(SiteRecord {
        entry_id: row.get(0)?,
        origin: row.get(1)?,
        entry: row.get(2)?,
        expires: UnixTime(number(row.get(3)?, "expiry")?),
    })
}
