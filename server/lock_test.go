package server_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// A server of a newer version must not bring the database up to date under the one that has it.
func TestALockedDatabaseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	lock, err := server.LockDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	s, err := server.New(t.Context(), server.Config{
		Issuer: issuer.Config{
			URL:              "https://auth.example.com",
			Resources:        []issuer.Resource{{Audience: "petstore"}},
			Clients:          []issuer.Client{{ID: "client_app", FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		DataDir: dir, WitnessFile: filepath.Join(t.TempDir(), "witness"), Logger: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		s.Close()
		t.Fatal("a second server started")
	}
	if _, err := os.Lstat(filepath.Join(dir, server.DatabaseName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it touched the database: %v", err)
	}
}

// A program that is newer than the server that runs must not bring its database up to date, to make an administrator.
func TestInviteAdminLeavesAnOldDatabaseAlone(t *testing.T) {
	dir := t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, server.DatabaseName), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, server.DatabaseName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.InviteAdmin(t.Context(), server.Config{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "older version") {
		t.Errorf("got %v", err)
	}
}
