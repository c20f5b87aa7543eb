package server_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestExportedPasskeys: another system that takes the host name over gets all that it needs to verify them.
func TestExportedPasskeys(t *testing.T) {
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	store, err := sqlstore.Open(t.Context(), filepath.Join(data, server.DatabaseName), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	used := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	err = store.UpdateAccounts(t.Context(), func(tx accounts.Tx) error {
		return errors.Join(
			tx.InsertPasskey(issuer.Passkey{ID: "A", Subject: "ada", Name: "Ada’s <phone>", Credential: []byte{0, 255}, PublicKey: []byte{165}, SignCount: 7, Transports: []string{"usb"}, BackupEligible: true, BackedUp: true, Created: used, LastUsed: used}),
			tx.InsertPasskey(issuer.Passkey{ID: "B", Subject: "bob", Name: "x", Credential: []byte{1}, PublicKey: []byte{2}, Created: used}))
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	done, err := server.Export(t.Context(), server.ExportConfig{DataDir: data, KeyEncryptionKey: server.NewSecret().Bytes()}, out)
	if err != nil || done.Passkeys != 2 {
		t.Fatalf("exported %+v, %v", done, err)
	}
	const want = `{"sub":"ada","created":"2030-01-02T03:04:05Z","id":"A","name":"Ada’s <phone>","credential_id":"AP8","public_key":"pQ","sign_count":7,"transports":["usb"],"backup_eligible":true,"backed_up":true,"last_used":"2030-01-02T03:04:05Z"}
{"sub":"bob","created":"2030-01-02T03:04:05Z","id":"B","name":"x","credential_id":"AQ","public_key":"Ag","sign_count":0,"transports":[],"backup_eligible":false,"backed_up":false}
`
	if got := exported(t, out, "passkeys.jsonl"); got != want {
		t.Errorf("passkeys\n%s, want\n%s", got, want)
	}
}
