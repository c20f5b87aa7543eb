-- +goose Up
-- Durations are milliseconds, 0 for none. resources of a client are a JSON array, empty text for any.

CREATE TABLE clients (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    resources    TEXT    NOT NULL,
    first_party  INTEGER NOT NULL,
    access_ttl   INTEGER NOT NULL,
    idle_ttl     INTEGER NOT NULL,
    absolute_ttl INTEGER NOT NULL,
    access_type  TEXT    NOT NULL,
    algorithm    TEXT    NOT NULL,
    secret_hash  BLOB    NOT NULL,
    created      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE resources (
    audience   TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    access_ttl INTEGER NOT NULL,
    algorithm  TEXT    NOT NULL,
    created    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A subject's sessions of generations below ending_before are over; ending_pending is 1 while rows may not say so.
ALTER TABLE subjects ADD COLUMN deleted        INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN ending_before  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN ending_at      INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subjects ADD COLUMN ending_why     TEXT    NOT NULL DEFAULT '';
ALTER TABLE subjects ADD COLUMN ending_pending INTEGER NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;

ALTER TABLE keys ADD COLUMN remote INTEGER NOT NULL DEFAULT 0;

CREATE INDEX subjects_pending ON subjects (id) WHERE ending_pending = 1;
CREATE INDEX subjects_deleted ON subjects (deleted) WHERE deleted > 0;
CREATE INDEX sessions_by_expiry ON sessions (expires);
CREATE INDEX sessions_by_end ON sessions (ended) WHERE ended > 0;

-- +goose Down
DROP INDEX sessions_by_end;
DROP INDEX sessions_by_expiry;
DROP INDEX subjects_deleted;
DROP INDEX subjects_pending;
ALTER TABLE keys DROP COLUMN remote;
ALTER TABLE sessions DROP COLUMN generation;
ALTER TABLE subjects DROP COLUMN ending_pending;
ALTER TABLE subjects DROP COLUMN ending_why;
ALTER TABLE subjects DROP COLUMN ending_at;
ALTER TABLE subjects DROP COLUMN ending_before;
ALTER TABLE subjects DROP COLUMN deleted;
DROP TABLE resources;
DROP TABLE clients;
