package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/config"
)

// writeFile makes a configuration file.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "jot.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// problems are the lines of an error.
func problems(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestLaterSourcesOverride(t *testing.T) {
	file := writeFile(t, `
issuer = "https://file.example.com"
listen = "127.0.0.1:1"
admin_listen = ""
trusted_proxies = ["10.0.0.0/8"]
[tokens]
access_ttl = "5m"
[[resources]]
audience = "petstore"
scopes = ["pets:read"]
access_ttl = "1m"
`)
	l, err := config.Load(config.Sources{
		File:    file,
		Environ: []string{"HOME=/", "JOT_LISTEN=127.0.0.1:2", "JOT_SIGN_UP_OPEN=true", "JOT_CORS_ORIGINS=https://a.example, https://b.example", "JOT_DATA=", "JOT_TOKEN=mine"},
		Flags:   []config.Flag{{"listen", "127.0.0.1:3"}, {"resources", "orders=orders:read"}, {"resources", "stock=stock:read,stock:write"}},
	})
	if err != nil || len(l.Warnings) > 0 {
		t.Fatal(err, l.Warnings)
	}
	want := config.Default()
	want.Issuer, want.Listen, want.AdminListen = "https://file.example.com", "127.0.0.1:3", ""
	want.TrustedProxies = []string{"10.0.0.0/8"}
	want.Tokens.AccessTTL = 5 * time.Minute
	want.SignUp.Open = true
	want.CORS.Origins = []string{"https://a.example", "https://b.example"}
	want.Resources = []config.Resource{
		{Audience: "orders", Scopes: []string{"orders:read"}}, {Audience: "stock", Scopes: []string{"stock:read", "stock:write"}},
	}
	if !reflect.DeepEqual(l.Config, want) {
		t.Errorf("loaded\n%+v\nwant\n%+v", l.Config, want)
	}
	origins := map[string]string{
		"issuer": "jot.toml:2", "listen": "--listen", "admin_listen": "jot.toml:4", "trusted_proxies": "jot.toml:5", "tokens.access_ttl": "jot.toml:7",
		"sign_up.open": "$JOT_SIGN_UP_OPEN", "cors.origins": "$JOT_CORS_ORIGINS", "resources": "--resource",
	}
	for path, origin := range origins {
		if l.Origins[path] != origin {
			t.Errorf("%s comes from %q, want %q", path, l.Origins[path], origin)
		}
	}
}

func TestAFileIsReadStrictly(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"isuer = 'x'", "jot.toml:1: there is no setting isuer; did you mean issuer?"},
		{"\nIssuer = 'x'", "jot.toml:2: there is no setting Issuer; did you mean issuer?"},
		{"[tls]\ncertificate = 'x'\ncrt = 'x'", "jot.toml:3: there is no setting tls.crt; did you mean tls.cert?"},
		{"[tokens]\nopen = true", "jot.toml:2: there is no setting tokens.open; did you mean sign_up.open?"},
		{"[[resources]]\naudience = 'a'\nscope = ['b']", "jot.toml:3: there is no setting resources.scope; did you mean resources.scopes?"},
		{"cert = 'x'", "there is no setting cert; did you mean tls.cert?"},
		{"[surprise]\nx = 1", "jot.toml:2: there is no setting surprise.x"},
		{"listen = 8420", "jot.toml:1: listen: is a number, want text in quotes"},
		{"trusted_proxies = '10.0.0.1'", "jot.toml:1: trusted_proxies: is text in quotes, want a list in brackets"},
		{"tokens = {access_ttl = true}", `jot.toml:1: tokens.access_ttl: is true or false, want a duration in quotes, "15m"`},
		{"tls = 'x'", "jot.toml:1: tls: is text in quotes, want a table"},
		{"listen = '127.0.0.1:1'\nlisten = '127.0.0.1:2'", "jot.toml:2: "},
		{"[tokens]\naccess_ttl = 900", `jot.toml:2: tokens.access_ttl needs a unit`},
		{"[tokens]\naccess_ttl = '15'", `jot.toml:2: tokens.access_ttl: "15" is no duration: write 90s, 15m or 24h`},
		{"resources = 'petstore'", "jot.toml:1: resources: is text in quotes, want a list in brackets"},
		{"resources = ['petstore']", "jot.toml:1: resources: is text in quotes, want a table"},
		{"[[resources]]\naudience = 3", "jot.toml:2: resources.audience: is a number, want text in quotes"},
		{"kek = 'AAAA'", "jot.toml:1: kek is a secret: use kek_file, or $JOT_KEK"},
		{"feed_credential = 'AAAA'", "jot.toml:1: feed_credential is a secret"},
		{"issuer = ", "jot.toml:1: "},
	} {
		_, err := config.Load(config.Sources{File: writeFile(t, test.text)})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.text, err, test.want)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := config.Load(config.Sources{
		File:    writeFile(t, "isuer = 'x'\ndta = 'x'\nlisten = 1\n[tokens]\naccess_ttl = '15'\n[sign_up]\nopen = 'yes'\n[[clients]]\nid = 1\nfirst_party = 'no'"),
		Environ: []string{"JOT_SIGN_UP_OPEN=perhaps", "JOT_TOKENS_ACCESS_TTL=15", "JOT_RESOURCES=petstore"},
		Flags:   []config.Flag{{"sign_up.open", "ja"}},
	})
	if got := problems(err); len(got) != 11 {
		t.Errorf("%d mistakes, want 11: %q", len(got), got)
	}
}

func TestVariablesThatMeanNothing(t *testing.T) {
	l, err := config.Load(config.Sources{Environ: []string{"JOT_ISUER=x", "JOT_PORT_8420_TCP=tcp://10.0.0.1", "JOT_CLIENTS=x", "PATH=/bin"}})
	if err != nil || len(l.Warnings) != 3 {
		t.Fatal(err, l.Warnings)
	}
	if want := "$JOT_ISUER means nothing; did you mean JOT_ISSUER?"; l.Warnings[0].Error() != want {
		t.Errorf("warned %q, want %q", l.Warnings[0], want)
	}
}

func TestAFileWithAPasswordIsForItsOwnerAlone(t *testing.T) {
	const password = "correct-horse"
	name := writeFile(t, "database = 'postgres://jot:"+password+"@db.example.com/jot'")
	if _, err := config.Load(config.Sources{File: name}); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(config.Sources{File: name}); err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("a password that all can read: %v", err)
	}
	name = writeFile(t, "database = 'postgres://jot@db.example.com/jot'")
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(config.Sources{File: name}); err != nil {
		t.Errorf("without a password: %v", err)
	}
}

// The sample shows the defaults, and can be read as it is and with all that is commented out.
func TestTheSampleIsReadBack(t *testing.T) {
	var sample bytes.Buffer
	if err := config.WriteSample(&sample); err != nil {
		t.Fatal(err)
	}
	l, err := config.Load(config.Sources{File: writeFile(t, sample.String())})
	if err != nil || !reflect.DeepEqual(l.Config, config.Default()) {
		t.Fatalf("the sample isn't the default: %v", err)
	}
	if len(l.Origins) > 0 {
		t.Errorf("the sample sets %v", l.Origins)
	}
	commented := regexp.MustCompile(`(?m)^#([a-z_]+ = |\[\[)`)
	withExamples := commented.ReplaceAllString(sample.String(), "$1")
	full, err := config.Load(config.Sources{File: writeFile(t, withExamples)})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Settings() {
		if full.Origins[s.Path] == "" && !s.Secret() {
			t.Errorf("the sample lacks %s", s.Path)
		}
	}
	withoutExamples := regexp.MustCompile(`(?m)^# For example:\n(#.*\n)+`).ReplaceAllString(sample.String(), "")
	defaults, err := config.Load(config.Sources{File: writeFile(t, commented.ReplaceAllString(withoutExamples, "$1"))})
	want := config.Default()
	emptied(&want)
	emptied(&defaults.Config)
	if err != nil || !reflect.DeepEqual(defaults.Config, want) {
		t.Errorf("what the sample shows as defaults isn't: %v\n%+v", err, defaults.Config)
	}
}

// emptied makes no difference between a list that is empty and one that isn't there.
func emptied(c *config.Config) {
	for _, list := range []*[]string{&c.TrustedProxies, &c.ACME.Domains, &c.CORS.Origins, &c.SignUp.Scope} {
		if len(*list) == 0 {
			*list = nil
		}
	}
}

// What is printed can be read again, and holds no secret.
func TestPrintHidesSecretsAndIsReadBack(t *testing.T) {
	kek, credential := server.NewSecret().Text(), server.NewSecret().Text()
	l, err := config.Load(config.Sources{
		File: writeFile(t, "issuer = 'https://auth.example.com'\n[[resources]]\naudience = 'a \"quoted\" \\u0007'\nscopes = ['r']\n"),
		Environ: []string{
			"JOT_KEK=" + kek, "JOT_FEED_CREDENTIAL=" + credential,
			"JOT_DATABASE=postgres://jot:correct-horse@db.example.com/jot?sslpassword=battery&sslmode=verify-full",
		},
		Flags: []config.Flag{{"data", "/var/lib/jot"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	if err := l.Write(&printed); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{kek, credential, "correct-horse", "battery"} {
		if strings.Contains(printed.String(), secret) {
			t.Errorf("%s is printed:\n%s", secret, printed.String())
		}
	}
	for _, origin := range []string{"# jot.toml:1", "# $JOT_KEK", "# --data", "# default"} {
		if !strings.Contains(printed.String(), origin) {
			t.Errorf("%s is missing:\n%s", origin, printed.String())
		}
	}
	again, err := config.Load(config.Sources{File: writeFile(t, printed.String())})
	if err != nil {
		t.Fatalf("%v\n%s", err, printed.String())
	}
	if again.Issuer != l.Issuer || again.Data != l.Data || again.Tokens != l.Tokens || !strings.Contains(again.Database, "jot:xxxxx@") {
		t.Errorf("read back as %+v", again.Config)
	}
}

// What isn't a URL may hold a password anywhere.
func TestPrintHidesADatabaseThatIsNoURL(t *testing.T) {
	for _, text := range []string{"host=db user=jot password=correct-horse", "jot:correct-horse@db/jot", "postgres:correct-horse", "::correct-horse"} {
		l, err := config.Load(config.Sources{Environ: []string{"JOT_DATABASE=" + text}})
		if err != nil {
			t.Fatal(err)
		}
		var printed bytes.Buffer
		if err := l.Write(&printed); err != nil || strings.Contains(printed.String(), "correct-horse") {
			t.Errorf("%q: %v\n%s", text, err, printed.String())
		}
	}
}

// Each setting is described, and no two share a variable or a flag.
func TestSettings(t *testing.T) {
	seen := map[string]string{}
	for _, s := range config.Settings() {
		for _, one := range append([]config.Setting{s}, s.Fields...) {
			if !strings.HasSuffix(one.Doc, ".") || strings.ToLower(one.Path) != one.Path {
				t.Errorf("%s: %q", one.Path, one.Doc)
			}
		}
		for _, door := range []string{s.Path, s.Variable(), "--" + s.Flag} {
			if door == "" || door == "--" {
				continue
			}
			if seen[door] != "" {
				t.Errorf("%s and %s share %s", seen[door], s.Path, door)
			}
			seen[door] = s.Path
		}
	}
}
