-- +goose Up
-- Where a client's answers and logout tokens may go. Lists are JSON arrays, empty text for none.

ALTER TABLE clients ADD COLUMN redirect_uris             TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN post_logout_redirect_uris TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN backchannel_logout_uri    TEXT NOT NULL DEFAULT '';

-- A sign-in is a browser's own login here, a code what it gives to a client, and a consent what its person lets a client have. Of secrets
-- there are hashes only. They refer to subjects without a key: what is over is known by the subject's generation, and swept.

CREATE TABLE sign_ins (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash       TEXT COLLATE "C" NOT NULL UNIQUE,
    subject    TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    amr        TEXT NOT NULL,
    auth_time  BIGINT NOT NULL,
    expires    BIGINT NOT NULL
);

CREATE INDEX sign_ins_by_expiry ON sign_ins (expires);

ALTER TABLE sessions ADD COLUMN sign_in TEXT COLLATE "C" NOT NULL DEFAULT '';

CREATE INDEX sessions_of_sign_in ON sessions (sign_in) WHERE sign_in <> '' AND ended = 0;
CREATE INDEX sessions_signed_in ON sessions (subject) WHERE sign_in <> '' AND ended = 0;

CREATE TABLE codes (
    hash         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client_id    TEXT COLLATE "C" NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge    TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    sign_in      TEXT COLLATE "C" NOT NULL,
    resource     TEXT NOT NULL,
    scope        TEXT NOT NULL,
    issued       BIGINT NOT NULL,
    expires      BIGINT NOT NULL,
    session      TEXT NOT NULL
);

CREATE INDEX codes_by_expiry ON codes (expires);

CREATE TABLE consents (
    subject   TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    resource  TEXT COLLATE "C" NOT NULL,
    scope     TEXT NOT NULL,
    given     BIGINT NOT NULL,
    PRIMARY KEY (subject, client_id, resource)
);

-- A notice is a logout that a client hasn't been told of yet.
CREATE TABLE notices (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL,
    subject   TEXT NOT NULL,
    session   TEXT NOT NULL,
    attempts  BIGINT NOT NULL,
    due       BIGINT NOT NULL
);

CREATE INDEX notices_by_time ON notices (due);

-- +goose Down
DROP TABLE notices;
DROP TABLE consents;
DROP TABLE codes;
DROP INDEX sessions_signed_in;
DROP INDEX sessions_of_sign_in;
ALTER TABLE sessions DROP COLUMN sign_in;
DROP TABLE sign_ins;
ALTER TABLE clients DROP COLUMN backchannel_logout_uri;
ALTER TABLE clients DROP COLUMN post_logout_redirect_uris;
ALTER TABLE clients DROP COLUMN redirect_uris;
