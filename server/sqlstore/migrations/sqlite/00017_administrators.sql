-- +goose Up
-- Who has a scope of the issuer's own is found without reading every subject: whether somebody else administers is asked while nobody may cease to.

CREATE INDEX subjects_by_own_scope ON subjects (id) WHERE CASE WHEN replace(' ' || scope, ' jot:', '') = ' ' || scope THEN 0 ELSE 1 END = 1;

-- +goose Down

DROP INDEX subjects_by_own_scope;
