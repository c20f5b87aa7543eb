-- +goose Up
-- The verifiers that follow the revocation feed: each may hold a lease, for so many milliseconds after what it heard last. Registered is the time
-- of the database, in Unix milliseconds, when it last came to the server, which answers for this row alone; sequence is the rule of the log up to which
-- it has acknowledged all.

CREATE TABLE verifiers (
    id            TEXT    NOT NULL,
    server        TEXT    NOT NULL,
    max_staleness INTEGER NOT NULL,
    registered    INTEGER NOT NULL,
    log_id        TEXT    NOT NULL,
    sequence      INTEGER NOT NULL,
    PRIMARY KEY (id, server)
) STRICT, WITHOUT ROWID;

-- The rule up to which all of them are asked for an acknowledgement, since somebody waits for it.
CREATE TABLE asked (
    one      INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    log_id   TEXT    NOT NULL,
    sequence INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE asked;
DROP TABLE verifiers;
