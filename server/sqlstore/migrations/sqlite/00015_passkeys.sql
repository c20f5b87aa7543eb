-- +goose Up
-- The public halves of the key pairs with which people log in (WebAuthn): see accounts/passkey.go. credential is the identifier that the authenticator gave,
-- public_key a COSE key, sign_count the highest counter that it has shown, last_used 0 as long as nobody has logged in with it.

CREATE TABLE passkeys (
    id              TEXT    NOT NULL PRIMARY KEY,
    subject         TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    credential      BLOB    NOT NULL,
    public_key      BLOB    NOT NULL,
    sign_count      INTEGER NOT NULL,
    transports      TEXT    NOT NULL,
    backup_eligible INTEGER NOT NULL,
    backed_up       INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    last_used       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential);
CREATE INDEX passkeys_of_subject ON passkeys (subject, created, id);

-- +goose Down
DROP TABLE passkeys;
