//! The contracts on SQLite, one file each, for one machine.
//!
//! A file is opened in WAL mode with `synchronous=FULL`, so what was acknowledged survives a
//! crash, and with `secure_delete`, so what was deleted is overwritten; a sweep empties the
//! write-ahead log. All work of a file runs
//! on one connection, in its order, off the asynchronous threads.

mod expiry;
mod register;
mod resident;
mod session;
mod site;
mod trustee;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use register::SqliteRegister;
pub use resident::SqliteResidents;
pub use session::SqliteSessions;
pub use site::SqliteSites;
pub use trustee::SqliteTrustee;

use crate::StoreError;

/// One database file. Cheap to clone; clones share the connection.
#[derive(Clone)]
struct Database {
    connection: Arc<Mutex<Connection>>,
}

impl Database {
    /// Opens the file and brings its tables up to date. `migrations` only ever grows at its end.
    async fn open(path: &Path, migrations: &'static [&'static str]) -> Result<Self, StoreError> {
        let path = path.to_owned();
        run_blocking(move || {
            make_private(&path)?;
            let mut connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "secure_delete", "ON")?;
            connection.pragma_update(None, "foreign_keys", "ON")?;
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            migrate(&mut connection, migrations)?;
            Ok(Database {
                connection: Arc::new(Mutex::new(connection)),
            })
        })
        .await
    }

    /// Runs `work` in one transaction that is committed if it succeeds and undone if not.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        run_blocking(move || {
            // A panic while the lock was held rolled its transaction back: the state is sound.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let outcome = work(&transaction)?;
            transaction.commit()?;
            Ok(outcome)
        })
        .await
    }

    /// Runs `work`, which deletes, and empties the write-ahead log: `secure_delete` overwrites the
    /// database alone.
    async fn forget<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let outcome = self.write(work).await?;
        self.read(|db| {
            // One row that says how far it came; somebody who reads only puts it off.
            Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
        })
        .await?;
        Ok(outcome)
    }

    /// Runs `work`, which only reads.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let connection = Arc::clone(&self.connection);
        run_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection)
        })
        .await
    }
}

/// Makes the file before SQLite does, which would let everybody read it; the log beside it follows.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path);
    made.map(drop)
        .map_err(|error| StoreError::Backend(Box::new(error)))
}

async fn run_blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    let task = tokio::task::spawn_blocking(work).await;
    task.map_err(|failure| StoreError::Backend(Box::new(failure)))?
}

/// Applies the migrations that the file has not seen, each with the new version number in one
/// transaction.
fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let found = usize::try_from(found).map_err(|_| StoreError::Damaged("version"))?;
    let known = migrations.len();
    let Some(missing) = migrations.get(found..) else {
        return Err(StoreError::TooNew { found, known });
    };
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    if !missing.is_empty() {
        let version = i64::try_from(known).map_err(|_| StoreError::Damaged("version"))?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    Ok(transaction.commit()?)
}

/// A stored integer as the number it stands for.
fn number<T: TryFrom<i64>>(stored: i64, what: &'static str) -> Result<T, StoreError> {
    T::try_from(stored).map_err(|_| StoreError::Damaged(what))
}

/// A time as SQLite stores it; beyond its range it is the latest it can hold.
fn seconds(time: credential::time::UnixTime) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[&str] = &["CREATE TABLE a (x INTEGER)"];
    const SECOND: &[&str] = &[
        "CREATE TABLE a (x INTEGER)",
        "ALTER TABLE a ADD COLUMN y INTEGER",
    ];

    #[tokio::test]
    async fn an_older_file_is_brought_up_to_date_and_keeps_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite");
        let old = Database::open(&path, FIRST).await.unwrap();
        old.write(|tx| Ok(tx.execute("INSERT INTO a (x) VALUES (7)", [])?))
            .await
            .unwrap();
        drop(old);
        let new = Database::open(&path, SECOND).await.unwrap();
        let row = new.read(|db| {
            Ok(db.query_row("SELECT x, y FROM a", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
            })?)
        });
        assert_eq!(row.await.unwrap(), (7, None));
    }

    #[tokio::test]
    async fn a_file_of_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite");
        drop(Database::open(&path, SECOND).await.unwrap());
        let refused = Database::open(&path, FIRST).await.err();
        assert!(matches!(
            refused,
            Some(StoreError::TooNew { found: 2, known: 1 })
        ));
    }

    #[tokio::test]
    async fn work_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::open(&folder.path().join("x.sqlite"), FIRST)
            .await
            .unwrap();
        let failed = db.write::<(), _>(|tx| {
            tx.execute("INSERT INTO a (x) VALUES (7)", [])?;
            Err(StoreError::Damaged("test"))
        });
        assert!(failed.await.is_err());
        let count =
            db.read(|db| Ok(db.query_row("SELECT count(*) FROM a", [], |r| r.get::<_, i64>(0))?));
        assert_eq!(count.await.unwrap(), 0);
    }
}
