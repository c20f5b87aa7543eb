-- +goose Up
-- display is a name as its owner writes it; empty: as it is compared. Of an address, email_key is how it's compared; no two accounts have
-- verified the same one.

ALTER TABLE accounts ADD COLUMN display TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN email_key TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX accounts_by_email ON accounts (email_key) WHERE email_verified = 1;

-- Rights to do one thing once, by the hash of their codes: see accounts/ticket.go.
CREATE TABLE tickets (
    hash    BLOB    NOT NULL PRIMARY KEY,
    purpose TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_of_subject ON tickets (subject, purpose, hash);
CREATE INDEX tickets_by_expiry ON tickets (expires);

-- +goose Down
DROP TABLE tickets;
DROP INDEX accounts_by_email;
ALTER TABLE accounts DROP COLUMN email_verified;
ALTER TABLE accounts DROP COLUMN email_key;
ALTER TABLE accounts DROP COLUMN email;
ALTER TABLE accounts DROP COLUMN display;
