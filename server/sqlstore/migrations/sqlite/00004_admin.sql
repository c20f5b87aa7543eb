-- +goose Up
-- Who did what an event tells of, and the orders in which lists are read.

ALTER TABLE events ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN actor_client TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN request_id TEXT NOT NULL DEFAULT '';

CREATE INDEX events_of_subject ON events (subject, id);
CREATE INDEX events_of_kind ON events (kind, id);
CREATE INDEX subjects_by_creation ON subjects (created, id);
CREATE INDEX sessions_by_creation ON sessions (created, id);
CREATE INDEX sessions_of_client ON sessions (client_id, created, id);

-- The link with which the operator makes an administrator; a newer one takes the place of the one before.
CREATE TABLE bootstrap (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    hash    BLOB    NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE bootstrap;
DROP INDEX sessions_of_client;
DROP INDEX sessions_by_creation;
DROP INDEX subjects_by_creation;
DROP INDEX events_of_kind;
DROP INDEX events_of_subject;
ALTER TABLE events DROP COLUMN request_id;
ALTER TABLE events DROP COLUMN actor_client;
ALTER TABLE events DROP COLUMN actor;
