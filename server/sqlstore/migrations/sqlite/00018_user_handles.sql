-- +goose Up
-- What an authenticator calls the owner of a passkey (WebAuthn Level 3 §5.4.3) where another system chose that: see accounts/passkeyowner.go. Empty: as this one does.
ALTER TABLE passkeys ADD COLUMN user_handle BLOB NOT NULL DEFAULT x'';

-- +goose Down
ALTER TABLE passkeys DROP COLUMN user_handle;
