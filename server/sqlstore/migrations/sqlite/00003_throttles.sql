-- +goose Up
-- A slot counts attempts of one kind, of whatever name, device or address falls into it: see accounts/slot.go. Times are Unix milliseconds.
-- There are at most 2^20 slots of each kind.

CREATE TABLE throttles (
    slot    INTEGER NOT NULL PRIMARY KEY,
    cleared INTEGER NOT NULL,
    next    INTEGER NOT NULL
) STRICT;

CREATE INDEX throttles_by_time ON throttles (cleared);

-- +goose Down
DROP TABLE throttles;
