package server_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	rootModule   = "github.com/jot-auth/jot"
	serverModule = rootModule + "/server"
)

// mayImport lists, for each package of this module, the other packages of it that it stands on. ARCHITECTURE.md draws
// it. Nobody below package server knows the parts beside it: each states the small interface that it needs.
var mayImport = map[string][]string{
	"internal/together":    {},
	"internal/loopback":    {},
	"internal/refusal":     {},
	"issuer":               {"internal/together", "internal/loopback"},
	"issuer/storetest":     {"issuer"},
	"internal/accounts":    {"issuer"},
	"internal/web":         {"issuer", "internal/loopback", "internal/telemetry"},
	"internal/telemetry":   {},
	"internal/logtest":     {},
	"internal/webtest":     {},
	"internal/pgtest":      {},
	"internal/passkeytest": {},
	"sqlstore":             {"issuer", "internal/accounts", "internal/loopback", "internal/together"},
	"internal/admin":       {"issuer", "internal/web"},
	"internal/api":         {"issuer", "internal/web"},
	"internal/oauth":       {"issuer", "internal/web"},
	"internal/console":     {"issuer", "internal/web"},

	"internal/backchannel": {"issuer", "internal/loopback"},
	"internal/feed":        {"issuer", "internal/web"},
	"internal/mail":        {"internal/loopback"},
	"internal/foreign":     {"issuer", "internal/web"},
	"internal/forward":     {"internal/refusal", "internal/web"},
	"internal/openapi":     {"internal/web"},

	"internal/privatefile": {},
	"internal/certificate": {"internal/privatefile"},
	"internal/config":      {".", "issuer", "internal/certificate", "internal/console", "internal/loopback", "internal/privatefile"},

	".": {
		"issuer", "sqlstore", "internal/accounts", "internal/admin", "internal/api", "internal/backchannel", "internal/console", "internal/feed", "internal/foreign", "internal/forward", "internal/loopback", "internal/mail", "internal/oauth", "internal/openapi",
		"internal/privatefile", "internal/telemetry", "internal/web",
	},
	"internal/accounts/storetest": {"issuer", "internal/accounts"},

	"internal/cli": {".", "issuer", "sqlstore", "internal/config", "internal/loopback", "internal/refusal"},
	"cmd/jot":      {"internal/cli"},

	"examples/ownlogin": {".", "issuer"},
}

// onlyIn says which packages alone may import a technology, so that the rest can be read without it.
var onlyIn = map[string][]string{
	"database/sql":                   {"examples/ownlogin", "sqlstore"},
	"modernc.org/sqlite":             {"examples/ownlogin", "sqlstore"},
	"github.com/jackc/pgx/v5":        {"sqlstore", "internal/pgtest"},
	"github.com/jackc/pgx/v5/stdlib": {"sqlstore"},
	"github.com/jackc/pgx/v5/pgconn": {"sqlstore"},
	"github.com/pressly/goose/v3":    {"sqlstore"},
	"golang.org/x/crypto/argon2":     {"internal/accounts"},
	"golang.org/x/crypto/bcrypt":     {"internal/accounts"},
	"golang.org/x/crypto/scrypt":     {"internal/accounts"},
	"net/smtp":                       {"internal/mail"},

	"github.com/go-webauthn/webauthn/webauthn":              {"internal/accounts"},
	"github.com/go-webauthn/webauthn/protocol":              {"internal/accounts"},
	"github.com/go-webauthn/webauthn/protocol/webauthncose": {"internal/accounts"},

	"github.com/spf13/cobra":          {"internal/cli"},
	"golang.org/x/term":               {"internal/cli"},
	rootModule + "/jws":               {"internal/cli"},
	rootModule + "/jwe":               {"internal/cli"},
	rootModule + "/jothttp":           {".", "examples/ownlogin", "internal/admin", "internal/api", "internal/cli", "internal/feed", "internal/forward", "internal/oauth", "internal/web"},
	rootModule + "/examples/petstore": {"internal/cli"},

	"github.com/BurntSushi/toml":                     {"internal/config"},
	"github.com/prometheus/client_golang/prometheus": {"internal/telemetry"},
	"golang.org/x/crypto/acme/autocert":              {"internal/certificate"},
	"net/http/pprof":                                 {"."},
}

// withoutHTTP are the packages of the domain and its storage: no request ever reaches them.
var withoutHTTP = []string{"issuer", "sqlstore", "internal/accounts"}

func TestImportArrows(t *testing.T) {
	imports := importsBelow(t, ".")
	for folder, imported := range imports {
		allowed, known := mayImport[folder]
		if !known {
			t.Errorf("package %s has no place in the table of this test", folder)
		}
		for _, name := range imported {
			checkImport(t, folder, name, allowed)
		}
	}
	for folder := range mayImport {
		if imports[folder] == nil {
			t.Errorf("package %s is in the table of this test, but not in the module", folder)
		}
	}
}

func checkImport(t *testing.T, folder, name string, allowed []string) {
	t.Helper()
	if local, ours := strings.CutPrefix(name, serverModule); ours {
		if local = path.Clean("./" + strings.TrimPrefix(local, "/")); !slices.Contains(allowed, local) {
			t.Errorf("%s imports %s", folder, local)
		}
	}
	if strings.HasPrefix(name, rootModule+"/internal") {
		t.Errorf("%s imports %s, which another version of the root module may lack", folder, name)
	}
	if folders, limited := onlyIn[name]; limited && !slices.Contains(folders, folder) {
		t.Errorf("%s imports %s, which is for %v alone", folder, name, folders)
	}
	if name == "net/http" && slices.Contains(withoutHTTP, folder) {
		t.Errorf("%s imports net/http", folder)
	}
}

// importsBelow returns what each package below root imports outside of its tests, by folder.
func importsBelow(t *testing.T, root string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(name))
		if imports[folder] == nil {
			imports[folder] = []string{}
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			imports[folder] = append(imports[folder], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return imports
}
