package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/config"
)

// sound is a configuration with nothing wrong.
func sound(t *testing.T) config.Config {
	c := config.Default()
	c.Issuer = "https://auth.example.com"
	c.Data = filepath.Join(t.TempDir(), "data")
	c.Resources = []config.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}}
	return c
}

// change is a sound configuration that was changed.
type change struct {
	name string
	make func(*config.Config)
	want string // in the error; "" where nothing is wrong
}

// checkChanges validates each, which makes no files.
func checkChanges(t *testing.T, changes []change) {
	t.Helper()
	for _, test := range changes {
		t.Run(test.name, func(t *testing.T) {
			c := sound(t)
			test.make(&c)
			err := c.Validate()
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
			if entries, _ := os.ReadDir(filepath.Dir(c.Data)); c.Data != "" && len(entries) > 0 {
				t.Errorf("validating made %v", entries)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	checkChanges(t, []change{
		{"sound", func(*config.Config) {}, ""},
		{"no issuer", func(c *config.Config) { c.Issuer = "" }, "issuer is empty"},
		{"a slash at the end", func(c *config.Config) { c.Issuer += "/" }, "issuer must not end in a slash"},
		{"plain issuer", func(c *config.Config) { c.Issuer = "http://auth.example.com" }, "issuer must be https"},
		{"no data", func(c *config.Config) { c.Data = "" }, "data is empty"},
		{"no resource", func(c *config.Config) { c.Resources = nil }, "no resource"},
		{"key among the data", func(c *config.Config) { c.KEKFile = filepath.Join(c.Data, "kek") }, "inside the data directory"},
		{"other client", func(c *config.Config) { c.Clients = []config.Client{{ID: "app"}} }, "begin with client_"},
		{"confidential client", func(c *config.Config) {
			c.Clients = []config.Client{{ID: "client_job", SecretSHA256: strings.Repeat("0a", 32)}, {ID: "client_app", FirstParty: true}}
		}, ""},
		{"secret in the place of its hash", func(c *config.Config) { c.Clients = []config.Client{{ID: "client_job", SecretSHA256: "jcs_secret"}} }, "isn't a SHA-256"},
		{"hash that is too short", func(c *config.Config) { c.Clients = []config.Client{{ID: "client_job", SecretSHA256: "0a0a"}} }, "isn't a SHA-256"},
		{"sign-up scope", func(c *config.Config) { c.SignUp.Scope = []string{"pets:wash"} }, "no resource has the scope"},
		{"sign-up claims", func(c *config.Config) { c.SignUp.Claims = `{"sub":"root"}` }, "sign_up.claims"},
		{"grace", func(c *config.Config) { c.Tokens.RefreshGrace = time.Hour }, "tokens.refresh_grace is 1h0m0s"},
		{"fraction of a second", func(c *config.Config) { c.Tokens.AccessTTL = 1500 * time.Millisecond }, "whole seconds"},
		{"algorithm", func(c *config.Config) { c.Keys.Algorithm = "HS256" }, "keys.algorithm"},
		{"origin", func(c *config.Config) { c.CORS.Origins = []string{"https://app.example.com"} }, ""},
		{"any origin", func(c *config.Config) { c.CORS.Origins = []string{"*"} }, "is a pattern"},
		{"log level", func(c *config.Config) { c.Log.Level = "loud" }, "log.level"},
		{"log format", func(c *config.Config) { c.Log.Format = "xml" }, "log.format"},
		{"drain", func(c *config.Config) { c.Drain = time.Hour }, "drain"},
	})
}

func TestValidateForeignIssuers(t *testing.T) {
	checkChanges(t, []change{
		{"foreign issuer", func(c *config.Config) {
			c.Foreign = []config.Foreign{{URL: "https://idp.example.com/", Audience: "us", MaxTTL: time.Hour, Algorithms: []string{"RS256"}}}
		}, ""},
		{"plain foreign issuer", func(c *config.Config) {
			c.Foreign = []config.Foreign{{URL: "http://idp.example.com", Audience: "us", MaxTTL: time.Hour}}
		}, "foreign_issuers: http://idp.example.com must be https"},
		{"foreign issuer without a life", func(c *config.Config) { c.Foreign = []config.Foreign{{URL: "https://idp.example.com", Audience: "us"}} }, "max_ttl of https://idp.example.com is 0s"},
		{"foreign issuer without us", func(c *config.Config) {
			c.Foreign = []config.Foreign{{URL: "https://idp.example.com", MaxTTL: time.Hour}}
		}, "audience of"},
		{"foreign issuer with secret keys", func(c *config.Config) {
			c.Foreign = []config.Foreign{{URL: "https://idp.example.com", Audience: "us", MaxTTL: time.Hour, Algorithms: []string{"HS256"}}}
		}, "algorithms of"},
		{"foreign issuer with its keys in the open", func(c *config.Config) {
			c.Foreign = []config.Foreign{{URL: "https://idp.example.com", Audience: "us", MaxTTL: time.Hour, KeySet: "http://idp.example.com/keys"}}
		}, "key set of"},
		{"ourselves", func(c *config.Config) {
			c.Foreign = []config.Foreign{{URL: c.Issuer, Audience: "us", MaxTTL: time.Hour}}
		}, "it's this issuer"},
	})
}

func TestValidateAddresses(t *testing.T) {
	checkChanges(t, []change{
		{"address", func(c *config.Config) { c.Listen = "8420" }, "write it as 127.0.0.1:8420"},
		{"port that there isn't", func(c *config.Config) { c.Listen = "127.0.0.1:84200" }, "write it as 127.0.0.1:8420"},
		{"admin address", func(c *config.Config) { c.AdminListen = "8421" }, "admin_listen"},
		{"no admin address", func(c *config.Config) { c.AdminListen = "" }, ""},
		{"one address for two", func(c *config.Config) { c.AdminListen = c.Listen }, "listen and admin_listen are both 127.0.0.1:8420"},
		{"two free ports", func(c *config.Config) { c.Listen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0" }, ""},
		{"plain HTTP for all", func(c *config.Config) { c.Listen = "0.0.0.0:8420" }, "unencrypted"},
		{"plain HTTP by a name", func(c *config.Config) { c.Listen = "auth.example.com:80" }, "unencrypted"},
		{"localhost", func(c *config.Config) { c.Listen = "localhost:8420" }, ""},
		{"IPv6 loopback", func(c *config.Config) { c.Listen = "[::1]:8420" }, ""},
		{"behind a proxy", func(c *config.Config) { c.Listen, c.TrustedProxies = ":8420", []string{"10.0.0.0/8", "fd00::1"} }, ""},
		{"everybody is a proxy", func(c *config.Config) { c.Listen, c.TrustedProxies = ":8420", []string{"0.0.0.0/0"} }, "everybody"},
		{"no network", func(c *config.Config) { c.TrustedProxies = []string{"proxy.example.com"} }, "neither a network nor an address"},
		{"IPv4 in IPv6", func(c *config.Config) { c.TrustedProxies = []string{"::ffff:10.0.0.0/104"} }, "write it as IPv4"},
		{"bits behind the prefix", func(c *config.Config) { c.TrustedProxies = []string{"10.0.0.1/8"} }, "isn't a network"},
		{"header", func(c *config.Config) { c.ProxyHeader = "X-Real-IP" }, "X-Real-IP"},
	})
}

func TestValidateCertificates(t *testing.T) {
	checkChanges(t, []change{
		{"TLS", func(c *config.Config) { c.Listen, c.TLS.Cert, c.TLS.Key = ":443", "a", "b" }, ""},
		{"half of TLS", func(c *config.Config) { c.TLS.Key = "b" }, "belong together"},
		{"ACME", func(c *config.Config) {
			c.Listen, c.ACME.Domains, c.TLS.Redirect = ":443", []string{"auth.example.com"}, ":80"
		}, ""},
		{"ACME for an address", func(c *config.Config) { c.ACME.Domains = []string{"10.0.0.1"} }, "no address"},
		{"ACME for a pattern", func(c *config.Config) { c.ACME.Domains = []string{"*.example.com"} }, "no pattern"},
		{"ACME over plain HTTP", func(c *config.Config) {
			c.ACME.Domains, c.ACME.Directory = []string{"auth.example.com"}, "http://acme.example.com"
		}, "https URL"},
		{"ACME for nothing", func(c *config.Config) { c.ACME.Email = "ops@example.com" }, "acme.domains is empty"},
		{"two certificates", func(c *config.Config) { c.TLS.Cert, c.TLS.Key, c.ACME.Domains = "a", "b", []string{"auth.example.com"} }, "exclude"},
		{"redirect to nothing", func(c *config.Config) { c.TLS.Redirect = ":80" }, "leads to nothing encrypted"},
	})
}

func TestWrongHashIsSaidOnce(t *testing.T) {
	c := sound(t)
	c.Clients = []config.Client{{ID: "client_job", SecretSHA256: "0a0a"}}
	if err := c.Validate(); err == nil || strings.Count(err.Error(), "client_job") != 1 {
		t.Error(err)
	}
}

// The name of a directory that is named by a dot has to be found out before something is added to it.
func TestDataWhereOneStands(t *testing.T) {
	t.Chdir(t.TempDir())
	c := sound(t)
	c.Data = "."
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	c := sound(t)
	if err := c.CheckFiles(); err != nil {
		t.Errorf("before the first start: %v", err)
	}
	if _, err := c.Server(slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := c.CheckFiles(); err != nil {
		t.Errorf("after it: %v", err)
	}
	good := filepath.Join(dir, "good")
	writeCertificate(t, good, time.Now().Add(time.Hour))
	expired := filepath.Join(dir, "expired")
	writeCertificate(t, expired, time.Now().Add(-time.Hour))
	early := filepath.Join(dir, "early")
	writeCertificateOf(t, early, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	exposed := filepath.Join(dir, "exposed")
	writeCertificate(t, exposed, time.Now().Add(time.Hour))
	chmod(t, exposed+".key", 0o644)

	for _, test := range []struct {
		name   string
		change func(*config.Config)
		want   string
	}{
		{"TLS", func(c *config.Config) { c.TLS.Cert, c.TLS.Key = good+".crt", good+".key" }, ""},
		{"other key", func(c *config.Config) { c.TLS.Cert, c.TLS.Key = good+".crt", expired+".key" }, "does not match"},
		{"another host", func(c *config.Config) {
			c.Issuer, c.TLS.Cert, c.TLS.Key = "https://login.example.com", good+".crt", good+".key"
		}, "isn't for login.example.com"},
		{"another host, behind a proxy", func(c *config.Config) {
			c.Issuer, c.TLS.Cert, c.TLS.Key, c.TrustedProxies = "https://login.example.com", good+".crt", good+".key", []string{"10.0.0.0/8"}
		}, ""},
		{"early", func(c *config.Config) { c.TLS.Cert, c.TLS.Key = early+".crt", early+".key" }, "this machine's clock"},
		{"expired", func(c *config.Config) { c.TLS.Cert, c.TLS.Key = expired+".crt", expired+".key" }, "expired at"},
		{"exposed", func(c *config.Config) { c.TLS.Cert, c.TLS.Key = exposed+".crt", exposed+".key" }, "can be read by others"},
		{"no certificate", func(c *config.Config) { c.TLS.Cert, c.TLS.Key = "nowhere.crt", good+".key" }, "nowhere.crt"},
		{"exposed secret", func(c *config.Config) { c.KEKFile = exposed + ".key" }, "can be read by others"},
		{"secret of another kind", func(c *config.Config) { c.KEKFile = good + ".key" }, "a secret is 32 random bytes"},
		{"old credential", func(c *config.Config) { c.FeedCredentialOldFile = "nowhere" }, "is missing"},
		{"data is a file", func(c *config.Config) { c.Data = good + ".crt" }, "is not a directory"},
		{"roots", func(c *config.Config) {
			c.ACME.Domains, c.ACME.Roots = []string{"auth.example.com"}, good+".key"
		}, "there is no certificate in"},
		{"lost key", func(c *config.Config) {
			c.KEKFile = filepath.Join(dir, "lost")
			touch(t, filepath.Join(c.Data, "jot.db"))
		}, "put your copy back"},
	} {
		changed := c
		test.change(&changed)
		err := changed.CheckFiles()
		if (test.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// A change of the feed's credential leaves the old one good for as long as the configuration says so.
func TestTwoFeedCredentials(t *testing.T) {
	c := sound(t)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	first, err := c.Server(quiet)
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(c.Data, "old")
	if err := os.Rename(c.FeedCredentialPath(), old); err != nil {
		t.Fatal(err)
	}
	c.FeedCredentialOldFile = old
	second, err := c.Server(quiet)
	if err != nil {
		t.Fatal(err)
	}
	if len(second.FeedCredentials) != 2 || second.FeedCredentials[1] != first.FeedCredentials[0] || second.FeedCredentials[0] == second.FeedCredentials[1] {
		t.Error("the old and the new credential aren't both accepted")
	}
	if string(first.Issuer.KeyEncryptionKey) != string(second.Issuer.KeyEncryptionKey) {
		t.Error("the key-encryption key has changed")
	}
}

// The key-encryption key is changed by moving its file aside and naming that.
func TestTwoKeyEncryptionKeys(t *testing.T) {
	c := sound(t)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	first, err := c.Server(quiet)
	if err != nil {
		t.Fatal(err)
	}
	touch(t, filepath.Join(c.Data, server.DatabaseName))
	old := c.KEKPath() + ".old"
	if err := os.Rename(c.KEKPath(), old); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Server(quiet); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("without the key of the database: %v", err)
	}
	c.KEKOldFile = old
	second, err := c.Server(quiet)
	if err != nil {
		t.Fatal(err)
	}
	older := second.Issuer.OlderKeyEncryptionKeys
	if len(older) != 1 || string(older[0]) != string(first.Issuer.KeyEncryptionKey) || string(second.Issuer.KeyEncryptionKey) == string(older[0]) {
		t.Error("the server doesn't get a new key and the old one")
	}
	recovery, err := c.Recovery(false)
	if err != nil || len(recovery.OlderKeyEncryptionKeys) != 1 || string(recovery.KeyEncryptionKey) != string(second.Issuer.KeyEncryptionKey) {
		t.Errorf("recovery: %v", err)
	}
	c.KEKOldFile = "nowhere"
	if _, err := c.Server(quiet); err == nil || !strings.Contains(err.Error(), "kek_old_file nowhere is missing") {
		t.Errorf("an old key that isn't there: %v", err)
	}
}

func touch(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// writeCertificate writes NAME.crt and NAME.key.
func writeCertificate(t *testing.T, name string, expires time.Time) {
	t.Helper()
	writeCertificateOf(t, name, time.Time{}, expires)
}

// writeCertificateOf is writeCertificate for one that is good from a time on.
func writeCertificateOf(t *testing.T, name string, begins, expires time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begins, NotAfter: expires, DNSNames: []string{"auth.example.com"}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for ending, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: certificate}, ".key": {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name+ending, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
