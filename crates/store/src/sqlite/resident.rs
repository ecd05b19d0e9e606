use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, Row, params};
use zeroize::Zeroizing;

use super::{Database, run_blocking};
use crate::{
    CardState, LifeState, NewResident, ResidentFound, ResidentRecord, ResidentTable, StoreError,
};

/// A view with these columns over a register's own table will do as well.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS resident (
        kind         TEXT NOT NULL,
        number       TEXT NOT NULL,
        name         TEXT NOT NULL,
        birth        TEXT,
        valid_from   TEXT,
        valid_to     TEXT,
        card_state   TEXT NOT NULL CHECK (card_state IN ('valid', 'withdrawn', 'unknown')),
        person_state TEXT NOT NULL CHECK (person_state IN ('alive', 'deceased', 'unknown')),
        PRIMARY KEY (kind, number)
    ) WITHOUT ROWID;
";

/// A register of residents in an SQLite file.
pub struct SqliteResidents {
    database: Database,
}

impl SqliteResidents {
    /// Opens the file without the right to write.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or has no table or view of the columns that are read.
    pub async fn open(path: &Path) -> Result<SqliteResidents, StoreError> {
        let path = path.to_owned();
        run_blocking(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.prepare(FIND)?;
            let connection = Arc::new(Mutex::new(connection));
            Ok(SqliteResidents {
                database: Database { connection },
            })
        })
        .await
    }

    /// Puts records into the table of a file, all or none, and makes both where there are none.
    /// What stood under a number is replaced.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub async fn import(path: &Path, records: Vec<NewResident>) -> Result<(), StoreError> {
        let path = path.to_owned();
        run_blocking(move || {
            super::make_private(&path)?;
            let mut connection = Connection::open(path)?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "secure_delete", "ON")?;
            let transaction = connection.transaction()?;
            transaction.execute_batch(SCHEMA)?;
            let mut insert = transaction.prepare(INSERT)?;
            for NewResident {
                kind,
                number,
                record,
            } in &records
            {
                insert.execute(params![
                    kind,
                    number.as_str(),
                    record.name.as_str(),
                    record.birth.as_deref(),
                    record.valid_from.as_deref(),
                    record.valid_to.as_deref(),
                    card_text(record.card),
                    life_text(record.life),
                ])?;
            }
            drop(insert);
            Ok(transaction.commit()?)
        })
        .await
    }
}

#[async_trait]
impl ResidentTable for SqliteResidents {
    async fn find(
        &self,
        kind: &'static str,
        number: &Zeroizing<String>,
    ) -> Result<ResidentFound, StoreError> {
        let number = number.clone();
        self.database
            .read(move |db| {
                let mut statement = db.prepare(FIND)?;
                let mut rows = statement.query(params![kind, number.as_str()])?;
                let Some(row) = rows.next()? else {
                    return Ok(ResidentFound::None);
                };
                let record = record(row)?;
                if rows.next()?.is_some() {
                    return Ok(ResidentFound::Several);
                }
                Ok(ResidentFound::One(record))
            })
            .await
    }
}

fn record(row: &Row<'_>) -> Result<ResidentRecord, StoreError> {
    let optional = |at: usize| -> Result<_, rusqlite::Error> {
        let text: Option<String> = row.get(at)?;
        Ok(text.map(Zeroizing::new))
    };
    let card = match row.get_ref(4)?.as_str() {
        Ok("valid") => CardState::Valid,
        Ok("withdrawn") => CardState::Withdrawn,
        Ok("unknown") => CardState::Unknown,
        Ok(_) | Err(_) => return Err(StoreError::Damaged("card_state")),
    };
    let life = match row.get_ref(5)?.as_str() {
        Ok("alive") => LifeState::Alive,
        Ok("deceased") => LifeState::Deceased,
        Ok("unknown") => LifeState::Unknown,
        Ok(_) | Err(_) => return Err(StoreError::Damaged("person_state")),
    };
    Ok(ResidentRecord {
        name: Zeroizing::new(row.get(0)?),
        birth: optional(1)?,
        valid_from: optional(2)?,
        valid_to: optional(3)?,
        card,
        life,
    })
}

fn card_text(state: CardState) -> &'static str {
    match state {
        CardState::Valid => "valid",
        CardState::Withdrawn => "withdrawn",
        CardState::Unknown => "unknown",
    }
}

fn life_text(state: LifeState) -> &'static str {
    match state {
        LifeState::Alive => "alive",
        LifeState::Deceased => "deceased",
        LifeState::Unknown => "unknown",
    }
}

const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

const FIND: &str = "
    SELECT name, birth, valid_from, valid_to, card_state, person_state
    FROM resident WHERE kind = ?1 AND number = ?2 LIMIT 2
";

const INSERT: &str = "
    INSERT OR REPLACE INTO resident
        (kind, number, name, birth, valid_from, valid_to, card_state, person_state)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
";

#[cfg(test)]
mod tests {
    use super::*;

    fn resident(name: &str, card: CardState) -> NewResident {
        NewResident {
            kind: "resident".to_owned(),
            number: Zeroizing::new("11010519491231002X".to_owned()),
            record: ResidentRecord {
                name: Zeroizing::new(name.to_owned()),
                birth: None,
                valid_from: None,
                valid_to: Some(Zeroizing::new("unlimited".to_owned())),
                card,
                life: LifeState::Alive,
            },
        }
    }

    async fn found(table: &SqliteResidents, kind: &'static str) -> ResidentFound {
        let number = Zeroizing::new("11010519491231002X".to_owned());
        table.find(kind, &number).await.unwrap()
    }

    #[tokio::test]
    async fn a_later_import_replaces_what_stood_under_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("residents.sqlite");
        for (name, card) in [("one", CardState::Valid), ("two", CardState::Withdrawn)] {
            let records = vec![resident(name, card)];
            SqliteResidents::import(&path, records).await.unwrap();
        }
        let table = SqliteResidents::open(&path).await.unwrap();
        let ResidentFound::One(record) = found(&table, "resident").await else {
            panic!("one row")
        };
        assert_eq!(
            (record.name.as_str(), record.card),
            ("two", CardState::Withdrawn)
        );
        assert_eq!(
            record.valid_to.as_deref().map(String::as_str),
            Some("unlimited")
        );
        assert!(matches!(
            found(&table, "macau_permit").await,
            ResidentFound::None
        ));
    }

    #[tokio::test]
    async fn a_view_over_another_table_will_do_and_two_rows_tell_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.sqlite");
        let own = Connection::open(&path).unwrap();
        own.execute_batch(
            "CREATE TABLE person (id TEXT, family TEXT, given TEXT);
             CREATE VIEW resident AS SELECT 'resident' AS kind, id AS number,
                 family || given AS name, NULL AS birth, NULL AS valid_from, NULL AS valid_to,
                 'unknown' AS card_state, 'alive' AS person_state FROM person;
             INSERT INTO person VALUES ('11010519491231002X', 'a', 'b');",
        )
        .unwrap();
        let table = SqliteResidents::open(&path).await.unwrap();
        assert!(matches!(
            found(&table, "resident").await,
            ResidentFound::One(_)
        ));
        own.execute(
            "INSERT INTO person VALUES ('11010519491231002X', 'c', 'd')",
            [],
        )
        .unwrap();
        assert!(matches!(
            found(&table, "resident").await,
            ResidentFound::Several
        ));
    }

    #[tokio::test]
    async fn a_file_without_the_table_is_refused_and_none_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.sqlite");
        assert!(SqliteResidents::open(&path).await.is_err());
        assert!(!path.exists());
        drop(
            Connection::open(&path)
                .unwrap()
                .execute_batch("CREATE TABLE a (x)"),
        );
        assert!(SqliteResidents::open(&path).await.is_err());
    }
}
