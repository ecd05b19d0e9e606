//! [`AccountStore`] on SQLite: one file, one connection, WAL, every commit synced.

mod statements;

use super::records::{
    AccountChange, CodeRow, LoginStep, ManifestRow, Redemption, SessionRow, TokenRow, Version,
    Versioned,
};
use super::{AccountStore, StoreError};
use crate::account::{Account, DeviceKey, IndexLookup};
use crate::bearer::BearerHash;
use crate::ids::{LoginId, Subject};
use async_trait::async_trait;
use credential::time::{Epoch, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use statements::{
    backend, change_account, end_other_sessions, insert_code, insert_session, load_account,
    redeem_code, seconds, take_back, take_step, time,
};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The store in one SQLite file. Cheap to clone; all clones share the connection.
#[derive(Clone)]
pub struct SqliteStore {
    connection: Arc<Mutex<Connection>>,
}

impl SqliteStore {
    /// Opens the file at `path`; makes it, readable by its owner alone, where it is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Backend`] where the file cannot be opened, [`StoreError::Malformed`] where
    /// it was written by another version.
    pub fn open(path: &Path) -> Result<SqliteStore, StoreError> {
        // SQLite would make the file readable for everybody.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(backend)?;
        let mut connection = Connection::open(path).map_err(backend)?;
        connection.execute_batch(PRAGMAS).map_err(backend)?;
        migrate(&mut connection)?;
        Ok(SqliteStore {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// Runs `work` in one transaction on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.connection);
        let joined = tokio::task::spawn_blocking(move || {
            // A transaction that panicked was rolled back when it was dropped.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(backend)?;
            let result = work(&transaction)?;
            transaction.commit().map_err(backend)?;
            Ok(result)
        });
        joined.await.map_err(backend)?
    }
}

impl SqliteStore {
    /// Empties the write-ahead log: `secure_delete` overwrites the database alone.
    async fn empty_log(&self) -> Result<(), StoreError> {
        let connection = Arc::clone(&self.connection);
        let joined = tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // One row that says how far it came; somebody who reads only puts it off.
            connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .map_err(backend)
        });
        joined.await.map_err(backend)?
    }
}

#[async_trait]
impl AccountStore for SqliteStore {
    async fn insert_login(
        &self,
        id: LoginId,
        expires: UnixTime,
        state: &[u8],
    ) -> Result<(), StoreError> {
        let state = state.to_vec();
        self.run(move |tx| {
            tx.prepare_cached(
                "INSERT INTO logins (login_id, version, state, expires) VALUES (?1, 0, ?2, ?3)",
            )
            .and_then(|mut insert| insert.execute(params![id.as_bytes(), state, seconds(expires)]))
            .map_err(backend)?;
            Ok(())
        })
        .await
    }

    async fn login(&self, id: LoginId) -> Result<Option<Versioned>, StoreError> {
        self.run(move |tx| {
            tx.prepare_cached("SELECT version, state FROM logins WHERE login_id = ?1")
                .map_err(backend)?
                .query_row(params![id.as_bytes()], |row| {
                    Ok(Versioned {
                        version: Version(row.get(0)?),
                        state: row.get(1)?,
                    })
                })
                .optional()
                .map_err(backend)
        })
        .await
    }

    async fn replace_login(&self, step: &LoginStep) -> Result<(), StoreError> {
        let step = step.clone();
        self.run(move |tx| take_step(tx, &step)).await
    }

    async fn admit(&self, step: &LoginStep, change: &AccountChange) -> Result<(), StoreError> {
        let (step, change) = (step.clone(), change.clone());
        self.run(move |tx| {
            take_step(tx, &step)?;
            change_account(tx, &change)
        })
        .await
    }

    async fn finish_login(
        &self,
        step: &LoginStep,
        session: &SessionRow,
        code: Option<&CodeRow>,
    ) -> Result<(), StoreError> {
        let (step, session, code) = (step.clone(), session.clone(), code.cloned());
        self.run(move |tx| {
            take_step(tx, &step)?;
            insert_session(tx, &session)?;
            code.map_or(Ok(()), |code| insert_code(tx, &code))
        })
        .await
    }

    async fn find_account(&self, lookup: &IndexLookup) -> Result<Option<Account>, StoreError> {
        let lookup = lookup.clone();
        self.run(move |tx| {
            for index in std::iter::once(&lookup.current).chain(&lookup.older) {
                let subject = tx
                    .prepare_cached(
                        "SELECT subject FROM accounts WHERE index_version = ?1 AND index_value = ?2",
                    )
                    .map_err(backend)?
                    .query_row(params![index.version, index.value], |row| row.get(0))
                    .optional()
                    .map_err(backend)?;
                if let Some(subject) = subject {
                    return load_account(tx, Subject::from_bytes(subject));
                }
            }
            Ok(None)
        })
        .await
    }

    async fn account(&self, subject: Subject) -> Result<Option<Account>, StoreError> {
        self.run(move |tx| load_account(tx, subject)).await
    }

    async fn remove_device(
        &self,
        subject: Subject,
        key: &DeviceKey,
        session: &BearerHash,
    ) -> Result<(), StoreError> {
        let (key, session) = (*key, *session);
        self.run(move |tx| {
            tx.execute(
                "DELETE FROM devices WHERE subject = ?1 AND device_key = ?2",
                params![subject.as_bytes(), key.0],
            )
            .map_err(backend)?;
            end_other_sessions(tx, subject, &session)
        })
        .await
    }

    async fn insert_code(&self, code: &CodeRow) -> Result<(), StoreError> {
        let code = code.clone();
        self.run(move |tx| insert_code(tx, &code)).await
    }

    async fn code(&self, hash: &BearerHash) -> Result<Option<CodeRow>, StoreError> {
        let hash = *hash;
        self.run(move |tx| {
            tx.prepare_cached(
                "SELECT session_hash, code_grant, expires FROM codes
                 WHERE code_hash = ?1 AND code_grant IS NOT NULL",
            )
            .map_err(backend)?
            .query_row(params![hash.as_bytes()], |row| {
                Ok(CodeRow {
                    hash,
                    session: BearerHash::from_bytes(row.get(0)?),
                    grant: row.get(1)?,
                    expires: time(row.get(2)?),
                })
            })
            .optional()
            .map_err(backend)
        })
        .await
    }

    async fn redeem_code(
        &self,
        hash: &BearerHash,
        token: &TokenRow,
    ) -> Result<Redemption, StoreError> {
        let (hash, token) = (*hash, token.clone());
        self.run(move |tx| redeem_code(tx, &hash, &token)).await
    }

    async fn take_back(&self, code: &BearerHash) -> Result<(), StoreError> {
        let code = *code;
        self.run(move |tx| take_back(tx, &code)).await
    }

    async fn token(&self, hash: &BearerHash) -> Result<Option<TokenRow>, StoreError> {
        let hash = *hash;
        self.run(move |tx| {
            tx.prepare_cached(
                "SELECT session_hash, token_grant, expires FROM tokens WHERE token_hash = ?1",
            )
            .map_err(backend)?
            .query_row(params![hash.as_bytes()], |row| {
                Ok(TokenRow {
                    hash,
                    session: BearerHash::from_bytes(row.get(0)?),
                    grant: row.get(1)?,
                    expires: time(row.get(2)?),
                })
            })
            .optional()
            .map_err(backend)
        })
        .await
    }

    async fn session(&self, hash: &BearerHash) -> Result<Option<SessionRow>, StoreError> {
        let hash = *hash;
        self.run(move |tx| {
            tx.prepare_cached(
                "SELECT subject, authentication, expires FROM sessions WHERE session_hash = ?1",
            )
            .map_err(backend)?
            .query_row(params![hash.as_bytes()], |row| {
                Ok(SessionRow {
                    hash,
                    subject: Subject::from_bytes(row.get(0)?),
                    authentication: row.get(1)?,
                    expires: time(row.get(2)?),
                })
            })
            .optional()
            .map_err(backend)
        })
        .await
    }

    async fn end_session(&self, hash: &BearerHash) -> Result<(), StoreError> {
        let hash = *hash;
        self.run(move |tx| {
            for statement in [
                "DELETE FROM sessions WHERE session_hash = ?1",
                "DELETE FROM codes WHERE session_hash = ?1",
                "DELETE FROM tokens WHERE session_hash = ?1",
            ] {
                tx.execute(statement, params![hash.as_bytes()])
                    .map_err(backend)?;
            }
            Ok(())
        })
        .await
    }

    async fn manifest(&self) -> Result<Option<ManifestRow>, StoreError> {
        self.run(move |tx| {
            tx.query_row("SELECT epoch, jws FROM manifest", [], |row| {
                Ok(ManifestRow {
                    epoch: Epoch(row.get(0)?),
                    jws: row.get(1)?,
                })
            })
            .optional()
            .map_err(backend)
        })
        .await
    }

    async fn replace_manifest(&self, manifest: &ManifestRow) -> Result<(), StoreError> {
        let manifest = manifest.clone();
        self.run(move |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO manifest (only_row, epoch, jws) VALUES (1, ?1, ?2)",
                params![manifest.epoch.0, manifest.jws],
            )
            .map_err(backend)?;
            Ok(())
        })
        .await
    }

    async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError> {
        self.run(move |tx| {
            for statement in [
                "DELETE FROM logins WHERE expires <= ?1",
                "DELETE FROM codes WHERE expires <= ?1",
                "DELETE FROM tokens WHERE expires <= ?1",
                "DELETE FROM sessions WHERE expires <= ?1",
            ] {
                tx.execute(statement, params![seconds(now)])
                    .map_err(backend)?;
            }
            Ok(())
        })
        .await?;
        self.empty_log().await
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(backend)?;
    let version: u32 = tx
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(backend)?;
    match version {
        0 => {
            tx.execute_batch(SCHEMA).map_err(backend)?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)
                .map_err(backend)?;
        }
        1 => {
            tx.execute_batch(AGE_OVER).map_err(backend)?;
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)
                .map_err(backend)?;
        }
        SCHEMA_VERSION => {}
        _ => return Err(StoreError::Malformed),
    }
    tx.commit().map_err(backend)
}

/// `secure_delete` overwrites what is forgotten; `FULL` keeps a redeemed code redeemed after a
/// power cut.
const PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA busy_timeout = 5000;
";

const SCHEMA: &str = include_str!("schema.sql");
const SCHEMA_VERSION: u32 = 2;
/// What version 2 added to version 1.
const AGE_OVER: &str = "
    ALTER TABLE accounts ADD COLUMN age_over INTEGER CHECK (age_over BETWEEN 1 AND 120);
";
