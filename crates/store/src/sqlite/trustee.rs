use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use credential::time::{Day, UnixTime};
use rusqlite::{OptionalExtension, Transaction, params};

use super::expiry::NextExpiry;
use super::{Database, number, seconds};
use crate::{Evaluation, EvaluationRecord, RateLimit, StoreError, TrusteeStore};

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE evaluation_log (
        evidence_hash BLOB    NOT NULL,
        kind          TEXT    NOT NULL,
        level         TEXT    NOT NULL,
        day           INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX evaluation_log_by_evidence ON evaluation_log (evidence_hash);
    CREATE INDEX evaluation_log_by_day ON evaluation_log (day);
    CREATE TABLE answer (
        evidence_hash BLOB    NOT NULL,
        elements_hash BLOB    NOT NULL,
        answer        BLOB    NOT NULL,
        retry_until   INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX answer_by_evidence ON answer (evidence_hash);
    CREATE INDEX answer_by_expiry ON answer (retry_until);
    CREATE TABLE rate_span (
        span  INTEGER NOT NULL,
        count INTEGER NOT NULL
    );
",
    "
    ALTER TABLE rate_span ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX rate_span_by_expiry ON rate_span (expires);
",
];

/// A trustee's memory in one SQLite file.
pub struct SqliteTrustee {
    database: Database,
    next_expiry: Arc<NextExpiry>,
}

impl SqliteTrustee {
    /// Opens the file, and makes it first where there is none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or was written by a newer program.
    pub async fn open(path: &Path) -> Result<SqliteTrustee, StoreError> {
        let database = Database::open(path, MIGRATIONS).await?;
        Ok(SqliteTrustee {
            database,
            next_expiry: Arc::new(NextExpiry::unknown()),
        })
    }
}

#[async_trait]
impl TrusteeStore for SqliteTrustee {
    async fn record(
        &self,
        evaluation: &Evaluation,
        limit: RateLimit,
        now: UnixTime,
    ) -> Result<EvaluationRecord, StoreError> {
        let next_expiry = Arc::clone(&self.next_expiry);
        let evaluation = evaluation.clone();
        self.database
            .write(move |tx| {
                if let Some(earlier) = find_earlier(tx, &evaluation, now)? {
                    return Ok(earlier);
                }
                let Some(span_ends) = count_in_span(tx, limit, now)? else {
                    return Ok(EvaluationRecord::RateLimited);
                };
                next_expiry.note(span_ends);
                next_expiry.note(evaluation.retry_until);
                insert(tx, &evaluation, now)?;
                Ok(EvaluationRecord::Recorded)
            })
            .await
    }

    async fn count_by_day(&self) -> Result<Vec<(Day, u64)>, StoreError> {
        self.database
            .read(|db| {
                let mut statement = db.prepare(
                    "SELECT day, count(*) FROM evaluation_log GROUP BY day ORDER BY day",
                )?;
                let rows = statement
                    .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
                rows.map(|row| {
                    let (day, count) = row?;
                    Ok((Day(number(day, "day")?), number(count, "count")?))
                })
                .collect()
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
    for (table, expires) in [("answer", "retry_until"), ("rate_span", "expires")] {
        let delete = format!("DELETE FROM {table} WHERE {expires} <= ?1");
        tx.execute(&delete, [seconds(now)])?;
        let earliest = format!("SELECT min({expires}) FROM {table}");
        let earliest: Option<i64> = tx.query_row(&earliest, [], |row| row.get(0))?;
        if let Some(earliest) = earliest {
            next = next.min(number(earliest, "expiry")?);
        }
    }
    Ok(UnixTime(next))
}

/// What an evaluation of the same evidence leads to, if there was one.
fn find_earlier(
    tx: &Transaction<'_>,
    evaluation: &Evaluation,
    now: UnixTime,
) -> Result<Option<EvaluationRecord>, StoreError> {
    let evidence = evaluation.evidence.0;
    let sql = "SELECT 1 FROM evaluation_log WHERE evidence_hash = ?1";
    let logged: Option<i64> = tx
        .query_row(sql, [&evidence], |row| row.get(0))
        .optional()?;
    if logged.is_none() {
        return Ok(None);
    }
    let sql = "SELECT answer FROM answer
               WHERE evidence_hash = ?1 AND elements_hash = ?2 AND retry_until > ?3";
    let answer = tx
        .query_row(
            sql,
            params![evidence, evaluation.elements, seconds(now)],
            |row| row.get(0),
        )
        .optional()?;
    Ok(Some(answer.map_or(
        EvaluationRecord::AlreadyUsed,
        EvaluationRecord::Repeated,
    )))
}

/// Counts one evaluation and returns when its span ends, unless that span is full.
///
/// A span is forgotten when it has ended: it says to the minute when evidence was evaluated,
/// and the log keeps the day alone.
fn count_in_span(
    tx: &Transaction<'_>,
    limit: RateLimit,
    now: UnixTime,
) -> Result<Option<UnixTime>, StoreError> {
    let length = limit.seconds.max(1);
    let span = now.0 / length;
    let ends = UnixTime(span.saturating_add(1).saturating_mul(length));
    let span = seconds(UnixTime(span));
    let sql = "SELECT count FROM rate_span WHERE span = ?1";
    let count: Option<i64> = tx.query_row(sql, [span], |row| row.get(0)).optional()?;
    let count = count.unwrap_or(0);
    if count >= i64::from(limit.evaluations) {
        return Ok(None);
    }
    tx.execute("DELETE FROM rate_span", [])?;
    let sql = "INSERT INTO rate_span (span, count, expires) VALUES (?1, ?2, ?3)";
    tx.execute(sql, params![span, count.saturating_add(1), seconds(ends)])?;
    Ok(Some(ends))
}

fn insert(tx: &Transaction<'_>, evaluation: &Evaluation, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO evaluation_log (evidence_hash, kind, level, day) VALUES (?1, ?2, ?3, ?4)",
        params![
            evaluation.evidence.0,
            evaluation.kind,
            evaluation.level,
            now.day().0
        ],
    )?;
    tx.execute(
        "INSERT INTO answer (evidence_hash, elements_hash, answer, retry_until)
         VALUES (?1, ?2, ?3, ?4)",
        params![
            evaluation.evidence.0,
            evaluation.elements,
            evaluation.answer,
            seconds(evaluation.retry_until)
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EvidenceHash;

    #[tokio::test]
    async fn when_a_span_has_ended_its_minute_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteTrustee::open(&folder.path().join("t.sqlite"))
            .await
            .unwrap();
        let now = UnixTime(1_800_000_030);
        let evaluation = Evaluation {
            evidence: EvidenceHash([1; 32]),
            elements: [1; 32],
            answer: vec![1; 97],
            retry_until: now.plus_secs(600),
            kind: "passport".to_owned(),
            level: "substantial".to_owned(),
        };
        let limit = RateLimit {
            evaluations: 1,
            seconds: 60,
        };
        store.forget_expired(now).await.unwrap();
        store.record(&evaluation, limit, now).await.unwrap();
        let spans = async || {
            let sql = "SELECT count(*) FROM rate_span";
            let count = store
                .database
                .read(move |db| Ok(db.query_row(sql, [], |row| row.get::<_, i64>(0))?));
            count.await.unwrap()
        };
        // It still counts in the last second of its minute.
        store.forget_expired(now.plus_secs(29)).await.unwrap();
        assert_eq!(spans().await, 1);
        store.forget_expired(now.plus_secs(30)).await.unwrap();
        assert_eq!(spans().await, 0);
        // Its answer is still repeated.
        let again = store
            .record(&evaluation, limit, now.plus_secs(31))
            .await
            .unwrap();
        assert_eq!(again, EvaluationRecord::Repeated(evaluation.answer));
    }
}
