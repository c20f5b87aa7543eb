package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/passkeytest"
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
			tx.InsertPasskey(issuer.Passkey{ID: "A", Subject: "ada", Name: "Ada’s <phone>", Credential: []byte{0, 255}, PublicKey: []byte{165}, SignCount: 7, Transports: []string{"usb"}, BackupEligible: true, BackedUp: true, UserHandle: []byte("ada"), Created: used, LastUsed: used}),
			tx.InsertPasskey(issuer.Passkey{ID: "B", Subject: "bob", Name: "x", Credential: []byte{1}, PublicKey: []byte{2}, Created: used}),
			tx.InsertRecoveryCode("bob", [32]byte{31: 1}))
	})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	config := server.ExportConfig{DataDir: data, KeyEncryptionKey: server.NewSecret().Bytes()}
	for _, url := range []string{"", "https://127.0.0.1:8080"} {
		config.URL = url
		if _, err := server.Export(t.Context(), config, out); err == nil || exists(out) {
			t.Errorf("issuer %q: %v, and there is a directory: %v", url, err, exists(out))
		}
	}
	config.URL = "https://Auth.example.com/base"
	done, err := server.Export(t.Context(), config, out)
	if err != nil || done.Passkeys != 2 {
		t.Fatalf("exported %+v, %v", done, err)
	}
	const want = `{"sub":"ada","rp_id":"auth.example.com","user_handle":"YWRh","recovery_hashes":[],"created":"2030-01-02T03:04:05Z","id":"A","name":"Ada’s <phone>","credential_id":"AP8","public_key":"pQ","sign_count":7,"transports":["usb"],"backup_eligible":true,"backed_up":true,"last_used":"2030-01-02T03:04:05Z"}
{"sub":"bob","rp_id":"auth.example.com","user_handle":"VRXCt4Fyq1YP7g2dVSOkI5Tn0IvOdKpF5owNmC9NVJo","recovery_hashes":["0000000000000000000000000000000000000000000000000000000000000001"],"created":"2030-01-02T03:04:05Z","id":"B","name":"x","credential_id":"AQ","public_key":"Ag","sign_count":0,"transports":[],"backup_eligible":false,"backed_up":false}
`
	if got := exported(t, out, "passkeys.jsonl"); got != want {
		t.Errorf("passkeys\n%s, want\n%s", got, want)
	}
}

// TestPasskeysMove: whoever has nothing but passkeys beside the password logs in with them at a server that was empty,
// and with a recovery code of before.
func TestPasskeysMove(t *testing.T) {
	var kek []byte
	byName := func(c *server.Config) {
		c.Issuer.URL, kek = strings.Replace(c.Issuer.URL, "127.0.0.1", "localhost", 1), c.Issuer.KeyEncryptionKey
	}
	eachTown(t, func(t *testing.T, s *town) {
		me := s.signUpAndLogIn(t, "ada")
		device := passkeytest.New(t, s.server.Issuer().URL())
		phone, credential := device.Create(s.want(t, http.StatusOK, "/v1/factors/passkeys", me.Access, object{"password": password}))
		phone.Count = 7
		var made struct {
			Codes []string `json:"recovery_codes"`
		}
		if err := json.Unmarshal(s.want(t, http.StatusOK, "/v1/factors/passkeys/confirm", me.Access, object{"name": "Phone", "credential": json.RawMessage(credential)}), &made); err != nil || len(made.Codes) == 0 {
			t.Fatal(made, err)
		}
		s.logInWith(t, device, phone)
		dir := filepath.Join(t.TempDir(), "out")
		config := server.ExportConfig{Database: s.database, DataDir: filepath.Join(s.dir, "data"), KeyEncryptionKey: kek, URL: s.server.Issuer().URL()}
		if done, err := server.Export(t.Context(), config, dir); err != nil || done.Passkeys != 1 || done.Factors != 0 {
			t.Fatalf("exported %+v, %v", done, err)
		}

		other := &town{newSiteOver(t, "", byName), nil}
		admin := other.administrator(t)
		var account, passkey object
		for name, line := range map[string]*object{"accounts.jsonl": &account, "passkeys.jsonl": &passkey} {
			if err := json.Unmarshal([]byte(exported(t, dir, name)), line); err != nil {
				t.Fatal(name, err)
			}
		}
		other.want(t, http.StatusCreated, "/admin/v1/subjects", admin, account)
		path := "/admin/v1/subjects/" + passkey["sub"].(string) + "/factors/passkeys"
		delete(passkey, "sub")
		other.want(t, http.StatusNoContent, path, admin, passkey)
		if there := other.want(t, http.StatusConflict, path, admin, passkey); !strings.Contains(string(there), "The passkey is known already") {
			t.Errorf("what is there is told as %s", there)
		}
		before := fmt.Sprint(passkey)

		device.Origin = other.server.Issuer().URL()
		other.logInWith(t, device, phone)
		if status, answer := other.logInTwice(t, "ada", made.Codes[0]); status != http.StatusOK {
			t.Errorf("with a recovery code of before: %d %s", status, answer)
		}
		dir += "2"
		config = server.ExportConfig{DataDir: filepath.Join(other.dir, "data"), KeyEncryptionKey: kek, URL: other.server.Issuer().URL()}
		if _, err := server.Export(t.Context(), config, dir); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(exported(t, dir, "passkeys.jsonl")), &passkey); err != nil {
			t.Fatal(err)
		}
		if codes := passkey["recovery_hashes"].([]any); len(codes) != len(made.Codes)-1 || passkey["sign_count"] != 8.0 {
			t.Errorf("%v moved, and left as %v", before, passkey)
		}
	}, byName)
}

// logInWith logs in with a passkey alone.
func (s *town) logInWith(t *testing.T, device *passkeytest.Authenticator, p *passkeytest.Passkey) tokens {
	t.Helper()
	options := s.want(t, http.StatusOK, "/v1/login/passkey", "", object{})
	return read(t, s.want(t, http.StatusOK, "/v1/login/passkey/confirm", "", object{"credential": json.RawMessage(device.Get(options, p))}))
}
