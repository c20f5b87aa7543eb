-- +goose Up

-- A server needn't read back what it wrote itself, so the message says which one wrote. What it is about is left out: whoever hears it looks at all of it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION tell_servers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA, coalesce(current_setting('jot.server', true), ''));
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose Down

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION tell_servers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_TABLE_SCHEMA, TG_TABLE_NAME);
    RETURN NULL;
END
$$;
-- +goose StatementEnd
