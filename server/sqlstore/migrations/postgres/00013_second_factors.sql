-- +goose Up
-- What makes an account's one-time codes (RFC 6238): the secret is sealed under the key-encryption key. step is that of the last code that was used;
-- until confirmed is set nobody has shown to have the secret, and it counts for nothing.

CREATE TABLE totps (
    subject   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed    BYTEA            NOT NULL,
    step      BIGINT           NOT NULL,
    confirmed SMALLINT         NOT NULL,
    created   BIGINT           NOT NULL
);

-- Codes for who has lost the device, each good once, by their hashes: see accounts/recoverycode.go.
CREATE TABLE recovery_codes (
    subject TEXT COLLATE "C" NOT NULL,
    hash    BYTEA            NOT NULL,
    PRIMARY KEY (subject, hash)
);

-- +goose Down
DROP TABLE recovery_codes;
DROP TABLE totps;
