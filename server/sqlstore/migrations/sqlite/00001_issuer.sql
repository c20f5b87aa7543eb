-- +goose Up
-- Times are Unix milliseconds, 0 for none. Lists are words with spaces in between.

CREATE TABLE subjects (
    id         TEXT    NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL,
    claims     TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    disabled   INTEGER NOT NULL,
    created    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    name          TEXT    NOT NULL PRIMARY KEY,
    subject       TEXT    NOT NULL UNIQUE REFERENCES subjects (id),
    password_hash TEXT    NOT NULL,
    created       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    id             TEXT    NOT NULL PRIMARY KEY,
    subject        TEXT    NOT NULL REFERENCES subjects (id),
    client_id      TEXT    NOT NULL,
    resource       TEXT    NOT NULL,
    scope          TEXT    NOT NULL,
    amr            TEXT    NOT NULL,
    auth_time      INTEGER NOT NULL,
    user_agent     TEXT    NOT NULL,
    address        TEXT    NOT NULL,
    created        INTEGER NOT NULL,
    last_used      INTEGER NOT NULL,
    idle_expires   INTEGER NOT NULL,
    expires        INTEGER NOT NULL,
    current        INTEGER NOT NULL,
    previous       INTEGER NOT NULL,
    rotated_at     INTEGER NOT NULL,
    ended          INTEGER NOT NULL,
    end_reason     TEXT    NOT NULL,
    revoked_tokens INTEGER NOT NULL,
    reported       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_of_subject ON sessions (subject, ended);

CREATE TABLE keys (
    position  INTEGER NOT NULL PRIMARY KEY,
    id        TEXT    NOT NULL UNIQUE,
    purpose   TEXT    NOT NULL,
    algorithm TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    public    TEXT    NOT NULL,
    sealed    BLOB    NOT NULL,
    version   INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    activated INTEGER NOT NULL,
    expires   INTEGER NOT NULL
) STRICT;

-- expires and minimum are Unix seconds here, as in the rules themselves; expires is 0 where a rule never does.
CREATE TABLE rules (
    sequence INTEGER NOT NULL PRIMARY KEY,
    kind     TEXT    NOT NULL,
    issuer   TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    minimum  INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    hash     BLOB    NOT NULL,
    written  INTEGER NOT NULL
) STRICT;

CREATE INDEX rules_by_expiry ON rules (expires);

CREATE TABLE log_head (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    log_id   TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    hash     BLOB    NOT NULL
) STRICT;

CREATE TABLE events (
    id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    written    INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    client_id  TEXT    NOT NULL,
    user_agent TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    detail     TEXT    NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE settings;
DROP TABLE events;
DROP TABLE log_head;
DROP TABLE rules;
DROP TABLE keys;
DROP TABLE sessions;
DROP TABLE accounts;
DROP TABLE subjects;
