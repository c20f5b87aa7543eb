-- +goose Up
-- How clients and sessions prove that they are who they were. key_set is a JWK Set, empty text for none; exchange_from a JSON array, empty text for none;
-- jkt the thumbprint of the key that a session is bound to, empty text for none.

ALTER TABLE clients ADD COLUMN key_set       TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN require_dpop  SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE clients ADD COLUMN exchange_from TEXT NOT NULL DEFAULT '';

ALTER TABLE sessions ADD COLUMN jkt TEXT NOT NULL DEFAULT '';

-- The hashes of clients' assertions that were used, until they have expired.
CREATE TABLE used_assertions (
    hash    BYTEA   NOT NULL PRIMARY KEY,
    expires BIGINT NOT NULL
);

CREATE INDEX used_assertions_by_expiry ON used_assertions (expires);

-- +goose Down
DROP TABLE used_assertions;
ALTER TABLE sessions DROP COLUMN jkt;
ALTER TABLE clients DROP COLUMN exchange_from;
ALTER TABLE clients DROP COLUMN require_dpop;
ALTER TABLE clients DROP COLUMN key_set;
