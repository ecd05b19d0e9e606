//! The conformance tests on SQLite.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod conformance;

use std::sync::Arc;

use store::sqlite::{SqliteRegister, SqliteSessions, SqliteSites, SqliteTrustee};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_register_conforms() {
    let folder = folder();
    let path = folder.path().join("register.sqlite");
    // Two connections to one file, as two processes would have.
    let one = Arc::new(SqliteRegister::open(&path).await.unwrap());
    let two = Arc::new(SqliteRegister::open(&path).await.unwrap());
    conformance::register::all(one, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_conform() {
    let folder = folder();
    let path = folder.path().join("sessions.sqlite");
    let one = Arc::new(SqliteSessions::open(&path).await.unwrap());
    let two = Arc::new(SqliteSessions::open(&path).await.unwrap());
    conformance::session::all(one, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_site_register_conforms() {
    let folder = folder();
    let path = folder.path().join("sites.sqlite");
    let one = Arc::new(SqliteSites::open(&path).await.unwrap());
    let two = Arc::new(SqliteSites::open(&path).await.unwrap());
    conformance::site::all(one, two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trustees_memory_conforms() {
    let folder = folder();
    let path = folder.path().join("trustee.sqlite");
    let one = Arc::new(SqliteTrustee::open(&path).await.unwrap());
    let two = Arc::new(SqliteTrustee::open(&path).await.unwrap());
    conformance::trustee::all(one, two).await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let folder = folder();
    let path = folder.path().join("register.sqlite");
    let row = conformance::register::row(1);
    let tags = [conformance::register::tag(1)];
    {
        let store = SqliteRegister::open(&path).await.unwrap();
        store::RegisterStore::insert(&store, &row, &tags, None)
            .await
            .unwrap();
    }
    let store = SqliteRegister::open(&path).await.unwrap();
    let found = store::RegisterStore::find(&store, row.id).await.unwrap();
    assert_eq!(found, Some(row));
}

/// A register of the first version has no commitment to all slots: its rows get zeros for one.
#[tokio::test]
async fn a_register_of_the_first_version_is_read_on() {
    let folder = folder();
    let path = folder.path().join("register.sqlite");
    let row = conformance::register::row(1);
    let store = SqliteRegister::open(&path).await.unwrap();
    store::RegisterStore::insert(&store, &row, &[], None)
        .await
        .unwrap();
    drop(store);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "ALTER TABLE registration DROP COLUMN slot_commitment; DROP TABLE review_tag;
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(db);
    let store = SqliteRegister::open(&path).await.unwrap();
    let found = store::RegisterStore::find(&store, row.id).await.unwrap();
    let slot_commitment = [0; 48];
    let expected = store::RegisterRow {
        slot_commitment,
        ..row
    };
    assert_eq!(found, Some(expected));
}

/// The columns are named here so that adding one to what is kept about a person is a decision.
#[tokio::test]
async fn the_register_has_these_columns_and_no_others() {
    let folder = folder();
    let path = folder.path().join("register.sqlite");
    drop(SqliteRegister::open(&path).await.unwrap());
    let db = rusqlite::Connection::open(&path).unwrap();
    let columns = |table: &str| -> Vec<String> {
        let mut statement = db
            .prepare("SELECT name FROM pragma_table_info(?1)")
            .unwrap();
        let names = statement.query_map([table], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    assert_eq!(
        columns("registration"),
        [
            "web_number",
            "commitment",
            "generation",
            "status",
            "last_epoch",
            "device_key_hash",
            "slot_commitment"
        ]
    );
    assert_eq!(
        columns("tag"),
        ["tag_index", "kind", "tag_sealed", "web_number"]
    );
    // Nothing in it leads to a row.
    assert_eq!(
        columns("review_tag"),
        ["tag_index", "tag_sealed", "review_id"]
    );
    let tables: i64 = db
        .query_row(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(tables, 3);
}

#[tokio::test]
async fn forgetting_when_nothing_has_expired_leaves_every_file_as_it_was() {
    let folder = folder();
    let sessions = SqliteSessions::open(&folder.path().join("sessions.sqlite"))
        .await
        .unwrap();
    let trustee = SqliteTrustee::open(&folder.path().join("trustee.sqlite"))
        .await
        .unwrap();
    let now = credential::time::UnixTime(1_800_000_000);
    let nonce = store::SecretHash([1; 32]);
    store::SessionStore::insert_nonce(&sessions, nonce, now.plus_secs(60), 1)
        .await
        .unwrap();
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    // The first time after opening, the file has to be looked into.
    store::SessionStore::forget_expired(&sessions, now)
        .await
        .unwrap();
    store::TrusteeStore::forget_expired(&trustee, now)
        .await
        .unwrap();
    let before = files();
    assert!(before.len() >= 2);
    for _ in 0..3 {
        store::SessionStore::forget_expired(&sessions, now)
            .await
            .unwrap();
        store::TrusteeStore::forget_expired(&trustee, now)
            .await
            .unwrap();
        assert!(files() == before);
    }
    // The control: when something has expired, a file changes.
    store::SessionStore::forget_expired(&sessions, now.plus_secs(60))
        .await
        .unwrap();
    assert!(files() != before);
}
