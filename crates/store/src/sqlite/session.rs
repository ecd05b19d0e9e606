use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use credential::time::UnixTime;
use rusqlite::{OptionalExtension, Transaction, params};

use super::expiry::NextExpiry;
use super::{Database, number, seconds};
use crate::{
    Consumed, NewCode, NewToken, NonceInserted, Redemption, SecretHash, SessionId, SessionStore,
    StoreError, UnlockHash,
};

const MIGRATIONS: &[&str] = &["
    CREATE TABLE code (
        code_hash     BLOB    NOT NULL,
        unlock_hash   BLOB    NOT NULL,
        session_id    BLOB    NOT NULL,
        attempts_left INTEGER NOT NULL,
        expires       INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX code_by_hash ON code (code_hash);
    CREATE INDEX code_by_expiry ON code (expires);
    CREATE TABLE token (
        token_hash BLOB    NOT NULL,
        session_id BLOB    NOT NULL,
        expires    INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX token_by_hash ON token (token_hash);
    CREATE INDEX token_by_expiry ON token (expires);
    CREATE TABLE nonce (
        nonce_hash BLOB    NOT NULL,
        expires    INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX nonce_by_hash ON nonce (nonce_hash);
    CREATE INDEX nonce_by_expiry ON nonce (expires);
    CREATE TABLE jti (
        jti_hash BLOB    NOT NULL,
        expires  INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX jti_by_hash ON jti (jti_hash);
    CREATE INDEX jti_by_expiry ON jti (expires);
"];

/// Codes, tokens, nonces and request identifiers in one SQLite file.
pub struct SqliteSessions {
    database: Database,
    next_expiry: Arc<NextExpiry>,
}

impl SqliteSessions {
    /// Opens the file, and makes it first where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or was written by a newer program.
    pub async fn open(path: &Path) -> Result<SqliteSessions, StoreError> {
        let database = Database::open(path, MIGRATIONS).await?;
        Ok(SqliteSessions {
            database,
            next_expiry: Arc::new(NextExpiry::unknown()),
        })
    }
}

#[async_trait]
impl SessionStore for SqliteSessions {
    async fn insert_code(&self, code: NewCode) -> Result<(), StoreError> {
        let next_expiry = Arc::clone(&self.next_expiry);
        self.database
            .write(move |tx| {
                next_expiry.note(code.expires);
                tx.execute(
                    "INSERT INTO code (code_hash, unlock_hash, session_id, attempts_left, expires)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![
                        code.code.0,
                        code.unlock.0,
                        code.session.0,
                        code.attempts,
                        seconds(code.expires)
                    ],
                )?;
                Ok(())
            })
            .await
    }

    async fn redeem_code(
        &self,
        code: SecretHash,
        unlock: UnlockHash,
        token: NewToken,
        now: UnixTime,
    ) -> Result<Redemption, StoreError> {
        let next_expiry = Arc::clone(&self.next_expiry);
        self.database
            .write(move |tx| {
                next_expiry.note(token.expires);
                let Some(found) = find_code(tx, code, now)? else {
                    return Ok(Redemption::InvalidCode);
                };
                if found.unlock != unlock {
                    return count_wrong_attempt(tx, code, found.attempts_left);
                }
                tx.execute("DELETE FROM code WHERE code_hash = ?1", [&code.0])?;
                tx.execute(
                    "INSERT INTO token (token_hash, session_id, expires) VALUES (?1, ?2, ?3)",
                    params![token.token.0, found.session.0, seconds(token.expires)],
                )?;
                Ok(Redemption::Redeemed(found.session))
            })
            .await
    }

    async fn find_token(
        &self,
        token: SecretHash,
        now: UnixTime,
    ) -> Result<Option<SessionId>, StoreError> {
        self.database
            .read(move |db| {
                let sql = "SELECT session_id FROM token WHERE token_hash = ?1 AND expires > ?2";
                let found = db.query_row(sql, params![token.0, seconds(now)], |row| row.get(0));
                Ok(found.optional()?.map(SessionId))
            })
            .await
    }

    async fn insert_nonce(
        &self,
        nonce: SecretHash,
        expires: UnixTime,
        at_most: u64,
    ) -> Result<NonceInserted, StoreError> {
        let next_expiry = Arc::clone(&self.next_expiry);
        self.database
            .write(move |tx| {
                if nonces_handed_out(tx)? >= at_most {
                    return Ok(NonceInserted::TooMany);
                }
                next_expiry.note(expires);
                let sql = "INSERT INTO nonce (nonce_hash, expires) VALUES (?1, ?2)";
                tx.execute(sql, params![nonce.0, seconds(expires)])?;
                Ok(NonceInserted::Done)
            })
            .await
    }

    async fn consume_nonce(
        &self,
        nonce: SecretHash,
        now: UnixTime,
    ) -> Result<Consumed, StoreError> {
        self.database
            .write(move |tx| {
                let sql = "DELETE FROM nonce WHERE nonce_hash = ?1 AND expires > ?2";
                Ok(first_if(tx.execute(sql, params![nonce.0, seconds(now)])?))
            })
            .await
    }

    async fn insert_jti(&self, jti: SecretHash, expires: UnixTime) -> Result<Consumed, StoreError> {
        let next_expiry = Arc::clone(&self.next_expiry);
        self.database
            .write(move |tx| {
                next_expiry.note(expires);
                let sql = "INSERT INTO jti (jti_hash, expires) VALUES (?1, ?2)
                           ON CONFLICT (jti_hash) DO NOTHING";
                Ok(first_if(tx.execute(sql, params![jti.0, seconds(expires)])?))
            })
            .await
    }

    async fn forget_session(&self, session: SessionId) -> Result<(), StoreError> {
        self.database
            .write(move |tx| {
                tx.execute("DELETE FROM code WHERE session_id = ?1", [&session.0])?;
                tx.execute("DELETE FROM token WHERE session_id = ?1", [&session.0])?;
                Ok(())
            })
            .await
    }

    async fn forget_expired(&self, now: UnixTime) -> Result<(), StoreError> {
        if !self.next_expiry.is_due(now) {
            return Ok(());
        }
        let looked = self
            .database
            .forget(move |tx| forget_and_look_ahead(tx, now))
            .await;
        // After a failure there is still work.
        let next = looked.inspect_err(|_| self.next_expiry.note(now))?;
        self.next_expiry.note(next);
        Ok(())
    }
}

/// Deletes what has expired; returned is when the rest begins to expire.
fn forget_and_look_ahead(tx: &Transaction<'_>, now: UnixTime) -> Result<UnixTime, StoreError> {
    let mut next = u64::MAX;
    for table in ["code", "token", "nonce", "jti"] {
        let delete = format!("DELETE FROM {table} WHERE expires <= ?1");
        tx.execute(&delete, [seconds(now)])?;
        let earliest = format!("SELECT min(expires) FROM {table}");
        let earliest: Option<i64> = tx.query_row(&earliest, [], |row| row.get(0))?;
        if let Some(earliest) = earliest {
            next = next.min(number(earliest, "expiry")?);
        }
    }
    Ok(UnixTime(next))
}

/// How many nonces were handed out since the oldest that is stored; those that were used up since
/// count, too. Counting the rows would read all of them.
fn nonces_handed_out(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let sql =
        "SELECT coalesce((SELECT max(rowid) FROM nonce) - (SELECT min(rowid) FROM nonce) + 1, 0)";
    let span: i64 = tx.query_row(sql, [], |row| row.get(0))?;
    number(span, "order of the nonces")
}

struct FoundCode {
    unlock: UnlockHash,
    session: SessionId,
    attempts_left: u8,
}

fn find_code(
    tx: &Transaction<'_>,
    code: SecretHash,
    now: UnixTime,
) -> Result<Option<FoundCode>, StoreError> {
    let sql = "SELECT unlock_hash, session_id, attempts_left FROM code
               WHERE code_hash = ?1 AND expires > ?2";
    let found = tx.query_row(sql, params![code.0, seconds(now)], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?))
    });
    let Some((unlock, session, attempts_left)) = found.optional()? else {
        return Ok(None);
    };
    Ok(Some(FoundCode {
        unlock: UnlockHash(unlock),
        session: SessionId(session),
        attempts_left: number(attempts_left, "number of attempts")?,
    }))
}

fn count_wrong_attempt(
    tx: &Transaction<'_>,
    code: SecretHash,
    attempts_left: u8,
) -> Result<Redemption, StoreError> {
    let attempts_left = attempts_left.saturating_sub(1);
    if attempts_left == 0 {
        tx.execute("DELETE FROM code WHERE code_hash = ?1", [&code.0])?;
    } else {
        let sql = "UPDATE code SET attempts_left = ?2 WHERE code_hash = ?1";
        tx.execute(sql, params![code.0, attempts_left])?;
    }
    Ok(Redemption::WrongTransactionCode { attempts_left })
}

fn first_if(rows: usize) -> Consumed {
    if rows == 0 {
        Consumed::Refused
    } else {
        Consumed::First
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::PoisonError;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn what_is_written_while_a_sweep_looks_is_forgotten_in_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteSessions::open(&folder.path().join("s.sqlite"))
            .await
            .unwrap();
        store.forget_expired(UnixTime(1)).await.unwrap();
        // The insert has begun and waits for the file, when a sweep finds nothing in it.
        let mut insert = pin!(store.insert_nonce(SecretHash([7; 32]), UnixTime(10), 1));
        let file = Arc::clone(&store.database.connection);
        let file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut context = Context::from_waker(Waker::noop());
        assert!(insert.as_mut().poll(&mut context).is_pending());
        if store.next_expiry.is_due(UnixTime(20)) {
            store.next_expiry.note(UnixTime(u64::MAX));
        }
        drop(file);
        insert.await.unwrap();
        store.forget_expired(UnixTime(20)).await.unwrap();
        let rows = store.database.read(|db| {
            Ok(db.query_row("SELECT count(*) FROM nonce", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(rows.await.unwrap(), 0);
        // Nor is it in the log beside the file.
        let log = std::fs::metadata(folder.path().join("s.sqlite-wal")).unwrap();
        assert_eq!(log.len(), 0);
    }
}
