package server_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server"
)

// TestWayOut: what a server exports while it runs is enough to go on elsewhere: people log in at another server with
// the passwords that they have, and its keys sign what verifiers of the first one take.
func TestWayOut(t *testing.T) {
	var kek []byte
	eachTown(t, func(t *testing.T, s *town) {
		email := s.settle(t, "Ada")
		bob := s.signUpAndLogIn(t, "bob")
		admin := s.administrator(t)
		made := s.want(t, http.StatusCreated, "/admin/v1/clients", admin, object{"client_id": "client_out", "confidential": true, "scope": "pets:read", "access_ttl": 60})
		totp, recovery := s.enrol(t, bob.Access)
		dir := filepath.Join(t.TempDir(), "out")
		config := server.ExportConfig{Database: s.database, DataDir: filepath.Join(s.dir, "data"), KeyEncryptionKey: kek}
		done, err := server.Export(t.Context(), config, dir)
		if err != nil || done.Accounts != 3 || done.Factors != 1 || done.Subjects != 1 || done.Clients != 2 || done.Resources != 1 || done.Keys != 2 || done.Events == 0 {
			t.Fatalf("exported %+v, %v", done, err)
		}
		if _, err := server.Export(t.Context(), config, dir); !errors.Is(err, fs.ErrExist) {
			t.Errorf("over what is there: %v", err)
		}
		config.KeyEncryptionKey = server.NewSecret().Bytes()
		if _, err := server.Export(t.Context(), config, dir+"2"); err == nil || exists(dir+"2") {
			t.Errorf("under another key: %v, and there is a directory: %v", err, exists(dir+"2"))
		}
		for name, mode := range map[string]fs.FileMode{".": 0o700, "accounts.jsonl": 0o600, "keys.json": 0o600, "events.jsonl": 0o600} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
		var secret struct {
			Secret string `json:"client_secret"`
		}
		if err := json.Unmarshal(made, &secret); err != nil || secret.Secret == "" {
			t.Fatal(err)
		}
		if clients := exported(t, dir, "clients.jsonl"); !strings.Contains(clients, `"id":"client_out"`) || !strings.Contains(clients, `"secret_hash":"`) || !strings.Contains(clients, `"access_ttl":60`) || strings.Contains(clients, secret.Secret) {
			t.Errorf("clients %s", clients)
		}
		checkExportedKeys(t, dir, bob.Access)
		other := newSite(t)
		t.Run("elsewhere", func(t *testing.T) {
			admin := other.administrator(t)
			moveIn(t, &town{other, nil}, admin, exported(t, dir, "accounts.jsonl"), email)
			other.moveFactorIn(t, admin, exported(t, dir, "factors.jsonl"))
			for _, code := range []string{totpCode(t, other.server, totp, 1), recovery} {
				if status, answer := other.logInTwice(t, "bob", code); status != http.StatusOK {
					t.Errorf("with a code of before: %d %s", status, answer)
				}
			}
		})
	}, func(c *server.Config) { kek = c.Issuer.KeyEncryptionKey })
}

func exported(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkExportedKeys wants the private key under which a token was signed.
func checkExportedKeys(t *testing.T, dir, token string) {
	t.Helper()
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal([]byte(exported(t, dir, "keys.json")), &set); err != nil {
		t.Fatal(err)
	}
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range set.Keys {
		key, err := jot.ParsePrivateKey(text, jot.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(header, []byte(key.KeyID())) {
			return
		}
	}
	t.Error("the key that signs isn't among those exported")
}

// moveIn makes the accounts at another server and logs them in there.
func moveIn(t *testing.T, s *town, admin, accounts, email string) {
	moved := 0
	for lines := bufio.NewScanner(strings.NewReader(accounts)); lines.Scan(); {
		var account object
		if err := json.Unmarshal(lines.Bytes(), &account); err != nil {
			t.Fatal(err)
		}
		if account["username"] == "root" {
			continue
		}
		moved++
		s.want(t, http.StatusCreated, "/admin/v1/subjects", admin, account)
	}
	ada := s.logIn(t, "ada", password)
	if me := string(s.get(t, "/v1/me", ada.Access)); moved != 2 || !strings.Contains(me, `"username":"Ada"`) || !strings.Contains(me, email) || !strings.Contains(me, `"email_verified":true`) {
		t.Errorf("%d moved; me %s", moved, me)
	}
}

// moveFactorIn gives an account its second factor, by the one line of an export.
func (s *site) moveFactorIn(t *testing.T, admin, line string) {
	t.Helper()
	var factor object
	if err := json.Unmarshal([]byte(line), &factor); err != nil {
		t.Fatal(err)
	}
	path := "/admin/v1/subjects/" + factor["sub"].(string) + "/factors/totp"
	delete(factor, "sub")
	body, err := json.Marshal(factor)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("the factor is refused with %d", response.StatusCode)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
