package jot_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/jot-auth/jot"

// mayImport lists, for each package of this module, the other packages of it that it stands on. ARCHITECTURE.md draws
// it.
var mayImport = map[string][]string{
	"internal/jose":                  {},
	"internal/jwk":                   {"internal/jose"},
	".":                              {"internal/jose", "internal/jwk"},
	"strictjson":                     {"internal/jose"},
	"jws":                            {".", "internal/jose"},
	"jwe":                            {".", "internal/jose", "internal/jwk"},
	"jwks":                           {".", "internal/jose"},
	"revocation":                     {".", "internal/jose", "internal/privatefile", "strictjson"},
	"internal/privatefile":           {},
	"jothttp":                        {".", "strictjson", "internal/privatefile"},
	"jottest":                        {".", "revocation"},
	"browser":                        {},
	"examples/petstore":              {".", "jothttp", "revocation", "strictjson"},
	"examples/petstore/cmd/petstore": {".", "jwks", "revocation", "examples/petstore"},
}

// notHere lists packages of the standard library that package jot leaves to others: it opens no connection.
var notHere = []string{"net/http", "net", "os", "log", "unsafe"}

func TestImportArrows(t *testing.T) {
	imports := importsBelow(t, ".", "server", "interop")
	for folder, imported := range imports {
		allowed, known := mayImport[folder]
		if !known {
			t.Errorf("package %s has no place in the table of this test", folder)
		}
		for _, name := range imported {
			local, ours := strings.CutPrefix(name, module)
			local = path.Clean("./" + strings.TrimPrefix(local, "/"))
			switch {
			case ours && !slices.Contains(allowed, local):
				t.Errorf("%s imports %s", folder, local)
			case !ours && strings.Contains(strings.Split(name, "/")[0], "."):
				t.Errorf("%s imports %s: this module stands on the standard library alone", folder, name)
			case folder == "." && slices.Contains(notHere, name):
				t.Errorf("package jot imports %s", name)
			}
		}
	}
	for folder := range mayImport {
		if imports[folder] == nil {
			t.Errorf("package %s is in the table of this test, but not in the module", folder)
		}
	}
}

func TestModuleRequiresNothing(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"require", "replace", "tool"} {
		if slices.Contains(strings.Fields(string(text)), word) {
			t.Errorf("go.mod has a %s directive", word)
		}
	}
	if _, err := os.Stat("go.sum"); err == nil {
		t.Error("there is a go.sum, so something is required")
	}
}

// importsBelow returns what each package below root imports outside of its tests, by folder.
func importsBelow(t *testing.T, root string, except ...string) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (slices.Contains(except, name) || name != root && strings.HasPrefix(entry.Name(), ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
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
