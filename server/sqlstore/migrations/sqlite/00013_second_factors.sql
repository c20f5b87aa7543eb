-- +goose Up
-- What makes an account's one-time codes (RFC 6238): the secret is sealed under the key-encryption key. step is that of the last code that was used;
-- until confirmed is set nobody has shown to have the secret, and it counts for nothing.

CREATE TABLE totps (
    subject   TEXT    NOT NULL PRIMARY KEY,
    sealed    BLOB    NOT NULL,
    step      INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    created   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Codes for who has lost the device, each good once, by their hashes: see accounts/recoverycode.go.
CREATE TABLE recovery_codes (
    subject TEXT NOT NULL,
    hash    BLOB NOT NULL,
    PRIMARY KEY (subject, hash)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE recovery_codes;
DROP TABLE totps;
