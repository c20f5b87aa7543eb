-- +goose Up
-- The logout tokens of other issuers that were taken, by the SHA-256 of their issuer and ID, until they expire: none is taken twice.

CREATE TABLE logout_tokens (
    hash    BLOB    NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT;

CREATE INDEX logout_tokens_by_expiry ON logout_tokens (expires);

-- +goose Down
DROP TABLE logout_tokens;
