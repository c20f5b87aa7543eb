-- +goose Up
-- Devices without a browser, that wait for somebody's word elsewhere (RFC 8628). scope is a JSON array, empty text for everything; decision is empty text while
-- there is none. Of secrets there are hashes only.

CREATE TABLE device_codes (
    hash        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_hash   TEXT COLLATE "C" NOT NULL UNIQUE,
    client_id   TEXT COLLATE "C" NOT NULL,
    resource    TEXT NOT NULL,
    scope       TEXT NOT NULL,
    issued      BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    interval_ms BIGINT NOT NULL,
    polled      BIGINT NOT NULL,
    decision    TEXT NOT NULL,
    subject     TEXT NOT NULL,
    generation  BIGINT NOT NULL,
    amr         TEXT NOT NULL,
    auth_time   BIGINT NOT NULL
);

CREATE INDEX device_codes_by_expiry ON device_codes (expires);
CREATE INDEX device_codes_of_client ON device_codes (client_id, expires);

ALTER TABLE clients ADD COLUMN device_grant SMALLINT NOT NULL DEFAULT 0;

-- The thumbprint of the key that a code is bound to (RFC 9449 section 10), empty text for none.
ALTER TABLE codes ADD COLUMN jkt TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE codes DROP COLUMN jkt;
ALTER TABLE clients DROP COLUMN device_grant;
DROP TABLE device_codes;
