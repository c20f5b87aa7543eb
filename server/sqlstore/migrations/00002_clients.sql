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

-- +goose Down
DROP TABLE resources;
DROP TABLE clients;
