package config_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/jot-auth/jot/server/internal/config"
)

// FuzzLoad: whatever a file says, the server starts or says what is wrong, and what it says quotes no secret of the
// file.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "isuer = 'x'\n[tokens]\naccess_ttl = 900\nopen = true", "resources = ['petstore']\ntls = 'x'\n[[clients]]\nid = 1",
		"issuer = 'https://auth.example.com'\ndata = 'd'\n[[resources]]\naudience = 'petstore'\nscopes = ['pets:read']",
		"kek = 'correct-horse'\nfeed_credential = 'battery-staple'\n[mail]\npassword = 'hunter2hunter2'",
		"data = 'd'\ndatabase = 'postgres://jot:correct-horse@db.example.com/jot'",
		"data = 'd'\ndatabase = 'postgres://jot:correct-horse@db.example.com:port/jot?sslmode=sometimes'",
		"data = 'd'\ndatabase = 'host=db password=correct-horse sslmode=verify-full'",
	} {
		f.Add(seed)
	}
	name := filepath.Join(f.TempDir(), "jot.toml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := config.Load(config.Sources{File: name})
		told := ""
		if err != nil {
			told = err.Error()
		} else if err := l.Validate(); err != nil {
			told = err.Error()
		}
		for _, secret := range secrets(text) {
			if strings.Contains(told, secret) {
				t.Errorf("%q: says %q", text, told)
			}
		}
	})
}

// secrets are those that stand in a file once, where nobody takes them for anything else.
func secrets(text string) (found []string) {
	var file struct {
		KEK        string `toml:"kek"`
		Credential string `toml:"feed_credential"`
		Database   string `toml:"database"`
		Mail       struct {
			Password string `toml:"password"`
		} `toml:"mail"`
	}
	if _, err := toml.Decode(text, &file); err != nil {
		return nil
	}
	candidates := []string{file.KEK, file.Credential, file.Mail.Password, file.Database}
	if u, err := url.Parse(file.Database); err == nil {
		password, _ := u.User.Password()
		candidates = append(candidates, password, u.Query().Get("password"))
	}
	for _, candidate := range candidates {
		if len(candidate) >= 8 && strings.Count(text, candidate) == 1 {
			found = append(found, candidate)
		}
	}
	return found
}
