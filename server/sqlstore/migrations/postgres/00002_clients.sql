-- +goose Up
-- Durations are milliseconds, 0 for none. resources of a client are a JSON array, empty text for any.

CREATE TABLE clients (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name         TEXT             NOT NULL,
    scopes       TEXT             NOT NULL,
    resources    TEXT             NOT NULL,
    first_party  SMALLINT         NOT NULL,
    access_ttl   BIGINT           NOT NULL,
    idle_ttl     BIGINT           NOT NULL,
    absolute_ttl BIGINT           NOT NULL,
    access_type  TEXT             NOT NULL,
    algorithm    TEXT             NOT NULL,
    secret_hash  BYTEA            NOT NULL,
    created      BIGINT           NOT NULL
);

CREATE TABLE resources (
    audience   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT             NOT NULL,
    scopes     TEXT             NOT NULL,
    access_ttl BIGINT           NOT NULL,
    algorithm  TEXT             NOT NULL,
    created    BIGINT           NOT NULL
);

-- A subject's sessions of generations below ending_before are over; ending_pending is 1 while rows may not say so.
ALTER TABLE subjects
    ADD COLUMN deleted        BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN ending_before  BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN ending_at      BIGINT   NOT NULL DEFAULT 0,
    ADD COLUMN ending_why     TEXT     NOT NULL DEFAULT '',
    ADD COLUMN ending_pending SMALLINT NOT NULL DEFAULT 0;

ALTER TABLE sessions ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;

ALTER TABLE keys ADD COLUMN remote SMALLINT NOT NULL DEFAULT 0;

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
ALTER TABLE subjects DROP COLUMN ending_pending, DROP COLUMN ending_why, DROP COLUMN ending_at, DROP COLUMN ending_before, DROP COLUMN deleted;
DROP TABLE resources;
DROP TABLE clients;
