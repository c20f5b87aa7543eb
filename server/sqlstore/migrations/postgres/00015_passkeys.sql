-- +goose Up
-- The public halves of the key pairs with which people log in (WebAuthn): see accounts/passkey.go. credential is the identifier that the authenticator gave,
-- public_key a COSE key, sign_count the highest counter that it has shown, last_used 0 as long as nobody has logged in with it.

CREATE TABLE passkeys (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject         TEXT COLLATE "C" NOT NULL,
    name            TEXT             NOT NULL,
    credential      BYTEA            NOT NULL,
    public_key      BYTEA            NOT NULL,
    sign_count      BIGINT           NOT NULL,
    transports      TEXT             NOT NULL,
    backup_eligible SMALLINT         NOT NULL,
    backed_up       SMALLINT         NOT NULL,
    created         BIGINT           NOT NULL,
    last_used       BIGINT           NOT NULL
);

CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential);
CREATE INDEX passkeys_of_subject ON passkeys (subject, created, id);

-- +goose Down
DROP TABLE passkeys;
