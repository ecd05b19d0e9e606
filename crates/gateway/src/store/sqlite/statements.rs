//! The statements behind [`super::SqliteStore`], each within a transaction of the caller.

use crate::account::{Account, Device, DeviceKey, PseudonymIndex};
use crate::bearer::BearerHash;
use crate::ids::Subject;
use crate::store::StoreError;
use crate::store::records::{AccountChange, CodeRow, LoginStep, Redemption, SessionRow, TokenRow};
use credential::age::Years;
use credential::time::{Day, UnixTime};
use rusqlite::{OptionalExtension as _, Transaction, params};

pub(super) fn take_step(tx: &Transaction<'_>, step: &LoginStep) -> Result<(), StoreError> {
    let moved = tx
        .prepare_cached(
            "UPDATE logins SET version = version + 1, state = ?3
             WHERE login_id = ?1 AND version = ?2",
        )
        .and_then(|mut update| update.execute(params![step.id.as_bytes(), step.read.0, step.next]))
        .map_err(backend)?;
    if moved == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale)
    }
}

pub(super) fn change_account(
    tx: &Transaction<'_>,
    change: &AccountChange,
) -> Result<(), StoreError> {
    match change {
        AccountChange::Create(account) => {
            tx.execute(
                "INSERT INTO accounts (subject, index_version, index_value, generation, created_day,
                     age_over)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    account.subject.as_bytes(),
                    account.index.version,
                    account.index.value,
                    account.generation,
                    account.created.0,
                    account.age_over.map(Years::number)
                ],
            )
            .map_err(stale_if_taken)?;
            account
                .devices
                .iter()
                .try_for_each(|device| add_device(tx, account.subject, &device.key, device.added))
        }
        AccountChange::AddDevice {
            subject,
            key,
            added,
            index,
            age_over,
        } => {
            update_account(tx, *subject, index, *age_over)?;
            add_device(tx, *subject, key, *added)
        }
        AccountChange::Keep {
            subject,
            index,
            age_over,
        } => update_account(tx, *subject, index, *age_over),
    }
}

pub(super) fn add_device(
    tx: &Transaction<'_>,
    subject: Subject,
    key: &DeviceKey,
    added: Day,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO devices (subject, device_key, added_day) VALUES (?1, ?2, ?3)",
        params![subject.as_bytes(), key.0, added.0],
    )
    .map_err(stale_if_taken)?;
    Ok(())
}

/// Moves an account to where it belongs and notes an age; one that is higher stays.
fn update_account(
    tx: &Transaction<'_>,
    subject: Subject,
    index: &PseudonymIndex,
    age_over: Option<Years>,
) -> Result<(), StoreError> {
    let found = tx
        .execute(
            "UPDATE accounts SET index_version = ?2, index_value = ?3,
                age_over = CASE WHEN age_over >= ?4 THEN age_over ELSE COALESCE(?4, age_over) END
             WHERE subject = ?1",
            params![
                subject.as_bytes(),
                index.version,
                index.value,
                age_over.map(Years::number)
            ],
        )
        .map_err(stale_if_taken)?;
    if found == 1 {
        Ok(())
    } else {
        Err(StoreError::Stale)
    }
}

pub(super) fn load_account(
    tx: &Transaction<'_>,
    subject: Subject,
) -> Result<Option<Account>, StoreError> {
    let account = tx
        .prepare_cached(
            "SELECT index_version, index_value, generation, created_day, age_over
             FROM accounts WHERE subject = ?1",
        )
        .map_err(backend)?
        .query_row(params![subject.as_bytes()], |row| {
            Ok(Account {
                subject,
                index: PseudonymIndex {
                    version: row.get(0)?,
                    value: row.get(1)?,
                },
                generation: row.get(2)?,
                created: Day(row.get(3)?),
                age_over: row
                    .get::<_, Option<u8>>(4)?
                    .and_then(|years| Years::try_from(years).ok()),
                devices: Vec::new(),
            })
        })
        .optional()
        .map_err(backend)?;
    let Some(mut account) = account else {
        return Ok(None);
    };
    let mut select = tx
        .prepare_cached(
            "SELECT device_key, added_day FROM devices
             WHERE subject = ?1 ORDER BY added_day, device_key",
        )
        .map_err(backend)?;
    let devices = select
        .query_map(params![subject.as_bytes()], |row| {
            Ok(Device {
                key: DeviceKey(row.get(0)?),
                added: Day(row.get(1)?),
            })
        })
        .map_err(backend)?;
    for device in devices {
        account.devices.push(device.map_err(backend)?);
    }
    Ok(Some(account))
}

pub(super) fn end_other_sessions(
    tx: &Transaction<'_>,
    subject: Subject,
    session: &BearerHash,
) -> Result<(), StoreError> {
    for table in ["codes", "tokens", "sessions"] {
        let statement = format!(
            "DELETE FROM {table} WHERE session_hash IN (
                SELECT session_hash FROM sessions WHERE subject = ?1 AND session_hash <> ?2)"
        );
        tx.execute(&statement, params![subject.as_bytes(), session.as_bytes()])
            .map_err(backend)?;
    }
    Ok(())
}

pub(super) fn insert_session(tx: &Transaction<'_>, session: &SessionRow) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO sessions (session_hash, subject, authentication, expires)
         VALUES (?1, ?2, ?3, ?4)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            session.hash.as_bytes(),
            session.subject.as_bytes(),
            session.authentication,
            seconds(session.expires)
        ])
    })
    .map_err(backend)?;
    Ok(())
}

pub(super) fn insert_code(tx: &Transaction<'_>, code: &CodeRow) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO codes (code_hash, session_hash, code_grant, expires) VALUES (?1, ?2, ?3, ?4)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            code.hash.as_bytes(),
            code.session.as_bytes(),
            code.grant,
            seconds(code.expires)
        ])
    })
    .map_err(backend)?;
    Ok(())
}

pub(super) fn redeem_code(
    tx: &Transaction<'_>,
    hash: &BearerHash,
    token: &TokenRow,
) -> Result<Redemption, StoreError> {
    let taken = tx
        .prepare_cached(
            "UPDATE codes SET code_grant = NULL WHERE code_hash = ?1 AND code_grant IS NOT NULL",
        )
        .and_then(|mut update| update.execute(params![hash.as_bytes()]))
        .map_err(backend)?;
    if taken == 1 {
        tx.prepare_cached(
            "INSERT INTO tokens (token_hash, code_hash, session_hash, token_grant, expires)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                token.hash.as_bytes(),
                hash.as_bytes(),
                token.session.as_bytes(),
                token.grant,
                seconds(token.expires)
            ])
        })
        .map_err(backend)?;
        return Ok(Redemption::Redeemed);
    }
    tx.execute(
        "DELETE FROM tokens WHERE code_hash = ?1",
        params![hash.as_bytes()],
    )
    .map_err(backend)?;
    let known = tx
        .query_row(
            "SELECT 1 FROM codes WHERE code_hash = ?1",
            params![hash.as_bytes()],
            |_| Ok(()),
        )
        .optional()
        .map_err(backend)?;
    Ok(if known.is_some() {
        Redemption::Replayed
    } else {
        Redemption::Unknown
    })
}

pub(super) fn take_back(tx: &Transaction<'_>, code: &BearerHash) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM tokens WHERE code_hash = ?1",
        params![code.as_bytes()],
    )
    .map_err(backend)?;
    Ok(())
}

/// SQLite counts in signed 64 bits; no time that is compared here is later than that.
pub(super) fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

pub(super) fn time(seconds: i64) -> UnixTime {
    UnixTime(u64::try_from(seconds).unwrap_or(0))
}

pub(super) fn backend(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Backend(Box::new(error))
}

/// A unique or foreign key that is violated means that somebody else was first.
pub(super) fn stale_if_taken(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => StoreError::Stale,
        _ => backend(error),
    }
}
