-- +goose Up
-- The logs that a recovery replaced, with their last heads: a server that only knows the log of before finds here that all is well.

CREATE TABLE replaced_logs (
    log_id   TEXT    NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash     BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE replaced_logs;
