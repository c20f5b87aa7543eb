-- +goose Up
-- The URL under which a server last started over this database: tokens, sessions and passkeys are bound to it.

CREATE TABLE issuer_url (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    url TEXT    NOT NULL
) STRICT;

-- +goose Down

DROP TABLE issuer_url;
