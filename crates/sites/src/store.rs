//! What a site keeps: log-ins under way, browsers that are logged in, and its own tables.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Seconds a person has between leaving for the gateway and coming back.
const LOGIN_SECS: i64 = 900;
/// Seconds a browser stays logged in.
const SESSION_SECS: i64 = 12 * 3600;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS login (
  state BLOB PRIMARY KEY,     -- hash of the OAuth state
  browser BLOB NOT NULL,      -- hash of the browser's cookie
  kept TEXT NOT NULL,         -- nonce and PKCE verifier
  expires INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS session (
  cookie BLOB PRIMARY KEY,    -- hash of the session cookie
  sub TEXT NOT NULL,          -- the account
  claims TEXT NOT NULL,       -- what the gateway said, as JSON
  id_token TEXT NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
";

/// A secret that a browser holds in a cookie; the site keeps its hash.
pub(crate) struct Token(String);

impl Token {
    /// Draws 256 bits.
    pub(crate) fn draw() -> anyhow::Result<Token> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).context("the system gives no randomness")?;
        Ok(Token(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The text for the cookie.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// What the site keeps of it.
    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// SHA-256 of a secret text.
#[derive(Clone, Copy)]
pub(crate) struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(text: &str) -> TokenHash {
        TokenHash(Sha256::digest(text).into())
    }

    /// Whether `text` is the secret, in constant time.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.ct_eq(&TokenHash::of(text).0).into()
    }
}

/// An account of this site, named by the gateway's pairwise `sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member(pub(crate) String);

impl Member {
    /// The first characters, for people to tell members apart.
    pub(crate) fn short(&self) -> String {
        self.0.chars().take(6).collect()
    }
}

/// A browser that is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) member: Member,
    pub(crate) claims: String,
    pub(crate) id_token: String,
}

/// The one SQLite file of a site.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

impl Store {
    /// Opens the file with the tables of every site and those of `schema`.
    pub(crate) fn open(path: &Path, schema: &str) -> anyhow::Result<Store> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "secure_delete", true)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            connection.execute_batch(SCHEMA)?;
            connection.execute_batch(schema)?;
            Ok(connection)
        };
        let connection = open().with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Store(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` on a thread that may block.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let connection = Arc::clone(&self.0);
        let work = move || {
            // A panic elsewhere rolled its transaction back: the connection is usable.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        };
        Ok(tokio::task::spawn_blocking(work).await??)
    }
}

/// Keeps a log-in that has begun in this browser, and forgets what has expired.
pub(crate) fn insert_login(
    connection: &Connection,
    state: &TokenHash,
    browser: &TokenHash,
    kept: &str,
    now: i64,
) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM login WHERE expires <= ?1", [now])?;
    connection.execute("DELETE FROM session WHERE expires <= ?1", [now])?;
    connection.execute(
        "INSERT INTO login (state, browser, kept, expires) VALUES (?1, ?2, ?3, ?4)",
        params![state.0, browser.0, kept, now + LOGIN_SECS],
    )?;
    Ok(())
}

/// Takes the log-in of this state, which is gone afterwards, if it began in this browser.
pub(crate) fn take_login(
    connection: &Connection,
    state: &TokenHash,
    browser: &TokenHash,
    now: i64,
) -> rusqlite::Result<Option<String>> {
    connection
        .query_row(
            "DELETE FROM login WHERE state = ?1 AND browser = ?2 AND expires > ?3 RETURNING kept",
            params![state.0, browser.0, now],
            |row| row.get(0),
        )
        .optional()
}

/// Logs a browser in.
pub(crate) fn insert_session(
    connection: &Connection,
    cookie: &TokenHash,
    session: &Session,
    now: i64,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO session (cookie, sub, claims, id_token, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            cookie.0,
            session.member.0,
            session.claims,
            session.id_token,
            now + SESSION_SECS
        ],
    )?;
    Ok(())
}

/// The session of this cookie.
pub(crate) fn session(
    connection: &Connection,
    cookie: &TokenHash,
    now: i64,
) -> rusqlite::Result<Option<Session>> {
    connection
        .query_row(
            "SELECT sub, claims, id_token FROM session WHERE cookie = ?1 AND expires > ?2",
            params![cookie.0, now],
            |row| {
                Ok(Session {
                    member: Member(row.get(0)?),
                    claims: row.get(1)?,
                    id_token: row.get(2)?,
                })
            },
        )
        .optional()
}

/// Logs a browser out.
pub(crate) fn delete_session(connection: &Connection, cookie: &TokenHash) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM session WHERE cookie = ?1", [cookie.0])?;
    Ok(())
}

#[cfg(test)]
pub(crate) fn in_memory(schema: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection.execute_batch(schema).unwrap();
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn hash(text: &str) -> TokenHash {
        TokenHash::of(text)
    }

    #[test]
    fn a_login_is_taken_once_and_only_by_the_browser_that_began_it() {
        let connection = in_memory("");
        insert_login(&connection, &hash("s"), &hash("mine"), "kept", NOW).unwrap();
        let take = |state: &str, browser: &str| {
            take_login(&connection, &hash(state), &hash(browser), NOW + 1).unwrap()
        };
        assert_eq!(take("s", "another's"), None);
        assert_eq!(take("t", "mine"), None);
        assert_eq!(take("s", "mine").as_deref(), Some("kept"));
        assert_eq!(take("s", "mine"), None);
    }

    #[test]
    fn a_login_is_refused_from_the_second_it_expires() {
        let connection = in_memory("");
        insert_login(&connection, &hash("s"), &hash("b"), "kept", NOW).unwrap();
        let late = take_login(&connection, &hash("s"), &hash("b"), NOW + LOGIN_SECS).unwrap();
        assert_eq!(late, None);
    }

    #[test]
    fn a_session_ends_by_log_out_and_by_age() {
        let connection = in_memory("");
        let session_of = |text: &str, at| session(&connection, &hash(text), at).unwrap();
        let person = Session {
            member: Member("abcdefgh".to_owned()),
            claims: "{}".to_owned(),
            id_token: String::new(),
        };
        insert_session(&connection, &hash("one"), &person, NOW).unwrap();
        insert_session(&connection, &hash("two"), &person, NOW).unwrap();
        let found = session_of("one", NOW + 1).unwrap();
        assert_eq!(found.member.short(), "abcdef");
        assert!(session_of("three", NOW + 1).is_none());
        assert!(session_of("one", NOW + SESSION_SECS).is_none());
        delete_session(&connection, &hash("one")).unwrap();
        assert!(session_of("one", NOW + 1).is_none());
        assert!(session_of("two", NOW + 1).is_some());
    }

    #[test]
    fn the_file_holds_no_cookie_and_no_state() {
        let connection = in_memory("");
        let cookie = Token::draw().unwrap();
        insert_login(&connection, &hash("the-state"), &cookie.hash(), "", NOW).unwrap();
        let row: (Vec<u8>, Vec<u8>) = connection
            .query_row("SELECT state, browser FROM login", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!((row.0.len(), row.1.len()), (32, 32));
        assert!(cookie.hash().matches(cookie.expose()));
        assert!(!cookie.hash().matches("the-state"));
    }
}
