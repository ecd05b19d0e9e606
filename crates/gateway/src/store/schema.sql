-- Times are seconds since 1970; days are days since 1970. No column holds a pseudonym, a
-- name, an address or a bearer value.
CREATE TABLE accounts (
    subject         BLOB PRIMARY KEY CHECK (length(subject) = 16),
    index_version   INTEGER NOT NULL,
    index_value     BLOB NOT NULL CHECK (length(index_value) = 32),
    generation      INTEGER NOT NULL CHECK (generation BETWEEN 0 AND 255),
    created_day     INTEGER NOT NULL,
    age_over        INTEGER CHECK (age_over BETWEEN 1 AND 120),
    UNIQUE (index_version, index_value)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    subject         BLOB NOT NULL REFERENCES accounts (subject) ON DELETE CASCADE,
    device_key      BLOB NOT NULL CHECK (length(device_key) = 65),
    added_day       INTEGER NOT NULL,
    PRIMARY KEY (subject, device_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE logins (
    login_id        BLOB PRIMARY KEY CHECK (length(login_id) = 16),
    version         INTEGER NOT NULL,
    state           BLOB NOT NULL,
    expires         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX logins_by_expiry ON logins (expires);

CREATE TABLE sessions (
    session_hash    BLOB PRIMARY KEY CHECK (length(session_hash) = 32),
    subject         BLOB NOT NULL REFERENCES accounts (subject) ON DELETE CASCADE,
    authentication  BLOB NOT NULL,
    expires         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_expiry ON sessions (expires);

-- A redeemed code keeps its hash and loses its grant, so that a second use is noticed.
CREATE TABLE codes (
    code_hash       BLOB PRIMARY KEY CHECK (length(code_hash) = 32),
    session_hash    BLOB NOT NULL,
    code_grant      BLOB,
    expires         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX codes_by_expiry ON codes (expires);

CREATE TABLE tokens (
    token_hash      BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    code_hash       BLOB NOT NULL,
    session_hash    BLOB NOT NULL,
    token_grant     BLOB NOT NULL,
    expires         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_code ON tokens (code_hash);
CREATE INDEX tokens_by_session ON tokens (session_hash);
CREATE INDEX tokens_by_expiry ON tokens (expires);

CREATE TABLE manifest (
    only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch           INTEGER NOT NULL,
    jws             TEXT NOT NULL
) STRICT;
