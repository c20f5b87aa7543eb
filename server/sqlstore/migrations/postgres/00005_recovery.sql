-- +goose Up
-- The logs that a recovery replaced, with their last heads: a server that only knows the log of before finds here that all is well.

CREATE TABLE replaced_logs (
    log_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sequence BIGINT           NOT NULL,
    hash     BYTEA            NOT NULL
);

-- +goose Down
DROP TABLE replaced_logs;
