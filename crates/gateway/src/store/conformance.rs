//! What every [`AccountStore`] does, two racing callers included.

use super::*;
use crate::account::{Device, PseudonymIndex};
use crate::bearer::BearerKind;
use crate::testing::rng;
use credential::age::Years;
use credential::time::{Day, Epoch};
use openid4vc::Secret;
use std::sync::Arc;

const NOW: UnixTime = UnixTime(1_800_000_000);
const LATER: UnixTime = UnixTime(1_800_000_600);

struct Fixture {
    store: Arc<dyn AccountStore>,
    folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("gateway.db")).unwrap());
    Fixture { store, folder }
}

fn hash(kind: BearerKind, seed: u64) -> BearerHash {
    BearerHash::of_secret(kind, &Secret::draw(&mut rng(seed)))
}

fn index(version: u32, byte: u8) -> PseudonymIndex {
    PseudonymIndex {
        version,
        value: [byte; 32],
    }
}

fn lookup(byte: u8) -> IndexLookup {
    IndexLookup {
        current: index(1, byte),
        older: Vec::new(),
    }
}

fn account(seed: u64, byte: u8) -> Account {
    Account {
        subject: Subject::draw(&mut rng(seed)),
        index: index(1, byte),
        generation: 1,
        created: Day(20_000),
        age_over: None,
        devices: vec![Device {
            key: DeviceKey([byte; 65]),
            added: Day(20_000),
        }],
    }
}

async fn login(store: &dyn AccountStore, seed: u64) -> LoginId {
    let id = LoginId::draw(&mut rng(seed));
    store.insert_login(id, LATER, b"waiting").await.unwrap();
    id
}

fn step(id: LoginId, read: u32, next: &[u8]) -> LoginStep {
    LoginStep {
        id,
        read: Version(read),
        next: next.to_vec(),
    }
}

async fn signed_up(store: &dyn AccountStore, seed: u64, byte: u8) -> Account {
    let account = account(seed, byte);
    let id = login(store, seed).await;
    store
        .admit(
            &step(id, 0, b"approved"),
            &AccountChange::Create(account.clone()),
        )
        .await
        .unwrap();
    account
}

fn session(subject: Subject, seed: u64) -> SessionRow {
    let hash = hash(BearerKind::Session, seed);
    SessionRow {
        hash,
        subject,
        authentication: b"how".to_vec(),
        expires: LATER,
    }
}

fn code(seed: u64) -> CodeRow {
    CodeRow {
        hash: hash(BearerKind::Code, seed),
        session: hash(BearerKind::Session, seed),
        grant: b"grant".to_vec(),
        expires: LATER,
    }
}

fn token(seed: u64) -> TokenRow {
    TokenRow {
        hash: hash(BearerKind::AccessToken, seed),
        session: hash(BearerKind::Session, seed),
        grant: b"grant".to_vec(),
        expires: LATER,
    }
}

#[tokio::test]
async fn a_login_moves_only_from_the_version_that_was_read() {
    let at = fixture();
    let id = login(&*at.store, 1).await;
    at.store.replace_login(&step(id, 0, b"one")).await.unwrap();
    let stale = at.store.replace_login(&step(id, 0, b"two")).await;
    assert!(matches!(stale, Err(StoreError::Stale)));
    let read = at.store.login(id).await.unwrap().unwrap();
    assert_eq!(
        read,
        Versioned {
            version: Version(1),
            state: b"one".to_vec()
        }
    );
}

#[tokio::test]
async fn an_unknown_login_is_absent_and_does_not_move() {
    let at = fixture();
    let id = LoginId::draw(&mut rng(9));
    assert_eq!(at.store.login(id).await.unwrap(), None);
    assert!(matches!(
        at.store.replace_login(&step(id, 0, b"x")).await,
        Err(StoreError::Stale)
    ));
}

#[tokio::test]
async fn an_account_is_found_by_index_and_by_subject() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    assert_eq!(
        at.store.find_account(&lookup(7)).await.unwrap(),
        Some(account.clone())
    );
    assert_eq!(
        at.store.account(account.subject).await.unwrap(),
        Some(account)
    );
    assert_eq!(at.store.find_account(&lookup(8)).await.unwrap(), None);
}

#[tokio::test]
async fn of_two_sign_ups_of_one_person_one_is_stale_and_its_login_has_not_moved() {
    let at = fixture();
    let ids = [login(&*at.store, 1).await, login(&*at.store, 2).await];
    let attempts = [0_usize, 1].map(|n| {
        let (store, id) = (Arc::clone(&at.store), ids[n]);
        let change = AccountChange::Create(account(10 + n as u64, 7));
        tokio::spawn(async move { store.admit(&step(id, 0, b"approved"), &change).await })
    });
    let mut stale = 0;
    for (attempt, id) in attempts.into_iter().zip(ids) {
        let result = attempt.await.unwrap();
        let version = at.store.login(id).await.unwrap().unwrap().version;
        match result {
            Ok(()) => assert_eq!(version, Version(1)),
            Err(error) => {
                assert!(matches!(error, StoreError::Stale));
                assert_eq!(version, Version(0));
                stale += 1;
            }
        }
    }
    assert_eq!(stale, 1);
}

#[tokio::test]
async fn a_stale_login_leaves_the_accounts_as_they_were() {
    let at = fixture();
    let id = login(&*at.store, 1).await;
    at.store
        .replace_login(&step(id, 0, b"refused"))
        .await
        .unwrap();
    let late = at
        .store
        .admit(&step(id, 0, b"x"), &AccountChange::Create(account(1, 7)))
        .await;
    assert!(matches!(late, Err(StoreError::Stale)));
    assert_eq!(at.store.find_account(&lookup(7)).await.unwrap(), None);
}

#[tokio::test]
async fn a_device_is_added_once_and_can_be_removed() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let key = DeviceKey([9; 65]);
    let change = AccountChange::AddDevice {
        subject: account.subject,
        key,
        added: Day(20_001),
        index: account.index,
        age_over: None,
    };
    let id = login(&*at.store, 2).await;
    at.store.admit(&step(id, 0, b"x"), &change).await.unwrap();
    assert!(matches!(
        at.store.admit(&step(id, 1, b"y"), &change).await,
        Err(StoreError::Stale)
    ));
    let loaded = at.store.account(account.subject).await.unwrap().unwrap();
    assert_eq!(loaded.devices.len(), 2);
    at.store
        .remove_device(account.subject, &key, &session(account.subject, 3).hash)
        .await
        .unwrap();
    assert_eq!(
        at.store.account(account.subject).await.unwrap(),
        Some(account)
    );
}

#[tokio::test]
async fn the_highest_age_that_was_proved_stays() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let steps = [
        (None, None),
        (Some(16), Some(16)),
        (Some(18), Some(18)),
        (Some(16), Some(18)),
    ];
    let more = [(None, Some(18)), (Some(120), Some(120))];
    let years = |number: u8| Years::try_from(number).unwrap();
    for (seed, (proved, kept)) in (2_u8..).zip(steps.into_iter().chain(more)) {
        let id = login(&*at.store, seed.into()).await;
        let (subject, index, age_over) = (account.subject, account.index, proved.map(years));
        // A known device and a new one are noted alike.
        let change = if seed % 2 == 0 {
            AccountChange::Keep {
                subject,
                index,
                age_over,
            }
        } else {
            AccountChange::AddDevice {
                subject,
                key: DeviceKey([100 + seed; 65]),
                added: Day(20_001),
                index,
                age_over,
            }
        };
        at.store.admit(&step(id, 0, b"x"), &change).await.unwrap();
        let loaded = at.store.account(subject).await.unwrap().unwrap();
        assert_eq!(loaded.age_over, kept.map(years));
    }
    let with_age = Account {
        age_over: Some(years(21)),
        ..self::account(99, 99)
    };
    let id = login(&*at.store, 98).await;
    let change = AccountChange::Create(with_age.clone());
    at.store.admit(&step(id, 0, b"x"), &change).await.unwrap();
    let loaded = at.store.account(with_age.subject).await.unwrap();
    assert_eq!(loaded, Some(with_age));
}

#[tokio::test]
async fn a_store_of_the_version_before_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    let account = {
        let store = SqliteStore::open(&path).unwrap();
        signed_up(&store, 1, 7).await
    };
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("ALTER TABLE accounts DROP COLUMN age_over; PRAGMA user_version = 1;")
        .unwrap();
    drop(old);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.account(account.subject).await.unwrap(), Some(account));
}

#[tokio::test]
async fn an_account_moves_to_the_index_of_the_new_site_key() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let new = index(2, 70);
    let both = IndexLookup {
        current: new,
        older: vec![index(1, 7)],
    };
    assert_eq!(
        at.store.find_account(&both).await.unwrap(),
        Some(account.clone())
    );
    let id = login(&*at.store, 2).await;
    let change = AccountChange::Keep {
        subject: account.subject,
        index: new,
        age_over: None,
    };
    at.store.admit(&step(id, 0, b"x"), &change).await.unwrap();
    assert_eq!(at.store.find_account(&lookup(7)).await.unwrap(), None);
    let moved = at.store.find_account(&both).await.unwrap().unwrap();
    assert_eq!((moved.subject, moved.index), (account.subject, new));
}

#[tokio::test]
async fn of_racing_redemptions_of_one_code_one_succeeds_and_no_token_is_left() {
    let at = fixture();
    at.store.insert_code(&code(1)).await.unwrap();
    let attempts = [11, 12, 13, 14].map(|seed| {
        let store = Arc::clone(&at.store);
        tokio::spawn(async move {
            store
                .redeem_code(&code(1).hash, &token(seed))
                .await
                .unwrap()
        })
    });
    let mut results = Vec::new();
    for attempt in attempts {
        results.push(attempt.await.unwrap());
    }
    let redeemed = results
        .iter()
        .filter(|result| **result == Redemption::Redeemed)
        .count();
    let replayed = results
        .iter()
        .filter(|result| **result == Redemption::Replayed)
        .count();
    assert_eq!((redeemed, replayed), (1, 3));
    for seed in [11, 12, 13, 14] {
        assert_eq!(at.store.token(&token(seed).hash).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_redeemed_code_is_gone_and_its_token_is_there() {
    let at = fixture();
    at.store.insert_code(&code(1)).await.unwrap();
    assert_eq!(at.store.code(&code(1).hash).await.unwrap(), Some(code(1)));
    let result = at
        .store
        .redeem_code(&code(1).hash, &token(2))
        .await
        .unwrap();
    assert_eq!(result, Redemption::Redeemed);
    assert_eq!(at.store.code(&code(1).hash).await.unwrap(), None);
    assert_eq!(
        at.store.token(&token(2).hash).await.unwrap(),
        Some(token(2))
    );
}

#[tokio::test]
async fn what_a_code_gave_is_taken_back() {
    let at = fixture();
    at.store.insert_code(&code(1)).await.unwrap();
    at.store
        .redeem_code(&code(1).hash, &token(2))
        .await
        .unwrap();
    at.store.take_back(&code(1).hash).await.unwrap();
    assert_eq!(at.store.token(&token(2).hash).await.unwrap(), None);
}

#[tokio::test]
async fn an_unknown_code_gives_no_token() {
    let at = fixture();
    let result = at
        .store
        .redeem_code(&code(5).hash, &token(2))
        .await
        .unwrap();
    assert_eq!(result, Redemption::Unknown);
    assert_eq!(at.store.token(&token(2).hash).await.unwrap(), None);
}

#[tokio::test]
async fn a_login_ends_in_one_session_and_one_code() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let id = login(&*at.store, 2).await;
    let finish = step(id, 0, b"finished");
    at.store
        .finish_login(&finish, &session(account.subject, 3), Some(&code(3)))
        .await
        .unwrap();
    let again = at
        .store
        .finish_login(&finish, &session(account.subject, 4), Some(&code(4)))
        .await;
    assert!(matches!(again, Err(StoreError::Stale)));
    assert_eq!(at.store.code(&code(4).hash).await.unwrap(), None);
    let hash = session(account.subject, 3).hash;
    assert_eq!(
        at.store.session(&hash).await.unwrap(),
        Some(session(account.subject, 3))
    );
}

#[tokio::test]
async fn ending_a_session_takes_back_what_was_given_out_in_it() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let id = login(&*at.store, 2).await;
    let row = session(account.subject, 3);
    at.store
        .finish_login(&step(id, 0, b"x"), &row, Some(&code(3)))
        .await
        .unwrap();
    let mut of_session = token(9);
    of_session.session = row.hash;
    at.store
        .redeem_code(&code(3).hash, &of_session)
        .await
        .unwrap();
    at.store.end_session(&row.hash).await.unwrap();
    assert_eq!(at.store.session(&row.hash).await.unwrap(), None);
    assert_eq!(at.store.token(&of_session.hash).await.unwrap(), None);
}

#[tokio::test]
async fn removing_a_device_ends_the_other_sessions_of_the_account() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let other = signed_up(&*at.store, 2, 8).await;
    for (seed, subject) in [
        (3, account.subject),
        (4, account.subject),
        (5, other.subject),
    ] {
        let id = login(&*at.store, seed).await;
        let row = session(subject, seed);
        at.store
            .finish_login(&step(id, 0, b"x"), &row, Some(&code(seed)))
            .await
            .unwrap();
    }
    let mine = session(account.subject, 3).hash;
    at.store
        .remove_device(account.subject, &DeviceKey([7; 65]), &mine)
        .await
        .unwrap();
    for (seed, stays) in [(3, true), (4, false), (5, true)] {
        let hash = session(account.subject, seed).hash;
        assert_eq!(at.store.session(&hash).await.unwrap().is_some(), stays);
        assert_eq!(
            at.store.code(&code(seed).hash).await.unwrap().is_some(),
            stays
        );
    }
}

#[tokio::test]
async fn what_has_expired_is_forgotten_and_accounts_stay() {
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let id = login(&*at.store, 2).await;
    at.store.insert_code(&code(3)).await.unwrap();
    let log = at.folder.path().join("gateway.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    at.store.forget_expired(NOW).await.unwrap();
    assert!(at.store.login(id).await.unwrap().is_some());
    at.store.forget_expired(LATER).await.unwrap();
    // Neither in the file nor in the log beside it.
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    assert_eq!(at.store.login(id).await.unwrap(), None);
    assert_eq!(at.store.code(&code(3).hash).await.unwrap(), None);
    assert!(at.store.account(account.subject).await.unwrap().is_some());
}

#[tokio::test]
async fn the_file_is_private_and_is_read_after_a_restart() {
    use std::os::unix::fs::PermissionsExt as _;
    let at = fixture();
    let account = signed_up(&*at.store, 1, 7).await;
    let row = ManifestRow {
        epoch: Epoch(2_950),
        jws: "a.b.c".to_owned(),
    };
    at.store.replace_manifest(&row).await.unwrap();
    let path = at.folder.path().join("gateway.db");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = SqliteStore::open(&path).unwrap();
    assert_eq!(again.account(account.subject).await.unwrap(), Some(account));
    assert_eq!(again.manifest().await.unwrap(), Some(row));
}

#[tokio::test]
async fn a_file_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(
        SqliteStore::open(&path),
        Err(StoreError::Malformed)
    ));
}
