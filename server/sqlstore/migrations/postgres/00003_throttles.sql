-- +goose Up
-- A slot counts attempts of one kind, of whatever name, device or address falls into it: see accounts/slot.go. Times are Unix milliseconds.
-- There are at most 2^20 slots of each kind.

CREATE TABLE throttles (
    slot    BIGINT NOT NULL PRIMARY KEY,
    cleared BIGINT NOT NULL,
    next    BIGINT NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX throttles_by_time ON throttles (cleared);

-- +goose Down
DROP TABLE throttles;
