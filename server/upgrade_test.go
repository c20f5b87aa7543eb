package server_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/logtest"
)

// TestServerOverNewerSchema: a server runs over a schema to which a newer version has added, and says so; commands that
// have to know all of it don't, and over a new age nobody does.
func TestServerOverNewerSchema(t *testing.T) {
	dir := t.TempDir()
	var log logtest.Buffer
	c := waitingConfig(&log, "https://auth.example.com", "", 0)
	c.DataDir, c.WitnessFile = dir, filepath.Join(t.TempDir(), "witness")
	start := func() error {
		s, err := server.New(t.Context(), c)
		if err != nil {
			return err
		}
		return s.Close()
	}
	if err := start(); err != nil || strings.Contains(log.Take(), "newer version") {
		t.Fatalf("over its own schema: %v", err)
	}
	for _, test := range []struct {
		version int
		serves  bool
	}{{999, true}, {1000, false}} {
		pretendVersion(t, dir, test.version)
		err := start()
		if said := strings.Contains(log.Take(), "newer version"); (err == nil) != test.serves || said != test.serves {
			t.Errorf("version %d: %v, and it's in the log: %v", test.version, err, said)
		}
		if _, _, err := server.InviteAdmin(t.Context(), c); err == nil || !strings.Contains(err.Error(), "start a newer program") {
			t.Errorf("version %d: making an administrator: %v", test.version, err)
		}
		recovery := server.RecoverConfig{URL: c.Issuer.URL, KeyEncryptionKey: c.Issuer.KeyEncryptionKey, DataDir: dir, WitnessFile: c.WitnessFile}
		if _, err := server.Recover(t.Context(), recovery); err == nil || !strings.Contains(err.Error(), "start a newer program") {
			t.Errorf("version %d: recovering: %v", test.version, err)
		}
	}
}

// pretendVersion makes the schema of a data directory one of a newer version.
func pretendVersion(t *testing.T, dir string, version int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, server.DatabaseName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, 1)", version); err != nil {
		t.Fatal(err)
	}
}
