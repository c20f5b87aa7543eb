-- +goose Up
-- Devices without a browser, that wait for somebody's word elsewhere (RFC 8628). scope is a JSON array, empty text for everything; decision is empty text while
-- there is none. Of secrets there are hashes only.

CREATE TABLE device_codes (
    hash        TEXT NOT NULL PRIMARY KEY,
    user_hash   TEXT NOT NULL UNIQUE,
    client_id   TEXT NOT NULL,
    resource    TEXT NOT NULL,
    scope       TEXT NOT NULL,
    issued      INTEGER NOT NULL,
    expires     INTEGER NOT NULL,
    interval_ms INTEGER NOT NULL,
    polled      INTEGER NOT NULL,
    decision    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    generation  INTEGER NOT NULL,
    amr         TEXT NOT NULL,
    auth_time   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX device_codes_by_expiry ON device_codes (expires);
CREATE INDEX device_codes_of_client ON device_codes (client_id, expires);

ALTER TABLE clients ADD COLUMN device_grant INTEGER NOT NULL DEFAULT 0;

-- The thumbprint of the key that a code is bound to (RFC 9449 section 10), empty text for none.
ALTER TABLE codes ADD COLUMN jkt TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE codes DROP COLUMN jkt;
ALTER TABLE clients DROP COLUMN device_grant;
DROP TABLE device_codes;
