package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// killVariable tells this test binary to be the restore that gets killed.
const killVariable = "JOT_TEST_RESTORE"

func TestMain(m *testing.M) {
	if text := os.Getenv(killVariable); text != "" {
		var c server.RestoreConfig
		err := json.Unmarshal([]byte(text), &c.RecoverConfig)
		c.File, c.Replace = filepath.Join(filepath.Dir(c.DataDir), "backup.db"), true
		if err == nil {
			_, err = server.Restore(context.Background(), c)
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRestoreIsKilled: whenever a restore is killed, the database of before is there, or the start is refused, or the
// backup is recovered. The database of the backup as it was is never served.
func TestRestoreIsKilled(t *testing.T) {
	p := newPlace(t)
	ada := p.signUp("ada")
	p.do(server.Backup(t.Context(), p.dir, filepath.Join(filepath.Dir(p.dir), "backup.db"), nil))
	if status, _ := p.post("/v1/logout", ada.Access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d", status)
	}
	p.stop()
	text, err := json.Marshal(p.recovery())
	p.do(err)
	restore := func(after time.Duration) error {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), killVariable+"="+string(text))
		p.do(command.Start())
		timer := time.AfterFunc(after, func() { command.Process.Kill() })
		defer timer.Stop()
		return command.Wait()
	}
	for after := 10 * time.Millisecond; after < 3*time.Second; after = after*3/2 + 10*time.Millisecond {
		restore(after) // says that it was killed, if it was
		s, err := server.New(t.Context(), p.config())
		if err != nil {
			continue // refused: nothing is served
		}
		if _, err := s.Issuer().Refresh(t.Context(), issuer.RefreshRequest{Token: ada.Refresh}); !errors.Is(err, issuer.ErrInvalidGrant) {
			t.Fatalf("killed after %v: the session that was logged out goes on: %v", after, err)
		}
		p.do(s.Close())
	}
	if err := restore(time.Hour); err != nil { // the last one above may have been too slow, and leave something behind
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(p.dir, ".restore-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
