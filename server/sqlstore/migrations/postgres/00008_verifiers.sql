-- +goose Up
-- The verifiers that follow the revocation feed: each may hold a lease, for so many milliseconds after what it heard last. Registered is the time
-- of the database, in Unix milliseconds, when it last came to the server, which answers for this row alone; sequence is the rule of the log up to which
-- it has acknowledged all.

CREATE TABLE verifiers (
    id            TEXT COLLATE "C" NOT NULL,
    server        TEXT COLLATE "C" NOT NULL,
    max_staleness BIGINT NOT NULL,
    registered    BIGINT NOT NULL,
    log_id        TEXT COLLATE "C" NOT NULL,
    sequence      BIGINT NOT NULL,
    PRIMARY KEY (id, server)
);

-- The rule up to which all of them are asked for an acknowledgement, since somebody waits for it.
CREATE TABLE asked (
    one      BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    log_id   TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL
);

CREATE TRIGGER tell_servers AFTER INSERT OR UPDATE ON asked FOR EACH STATEMENT EXECUTE FUNCTION tell_servers();
CREATE TRIGGER tell_servers AFTER UPDATE OR DELETE ON verifiers FOR EACH STATEMENT EXECUTE FUNCTION tell_servers();

-- +goose Down
DROP TABLE asked;
DROP TABLE verifiers;
