-- +goose Up
-- How many codes a sign-in has given in the last minute is asked for each new one, and those that nobody used are forgotten first.
CREATE INDEX codes_of_sign_in ON codes (sign_in, expires);
CREATE INDEX codes_unused ON codes (expires) WHERE session = '';

-- +goose Down
DROP INDEX codes_unused;
DROP INDEX codes_of_sign_in;
