package jot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// Every function that a package exports is shown by its examples.
func TestEveryEntryHasAnExample(t *testing.T) {
	for _, folder := range []string{".", "jws", "jwe", "jwks", "revocation", "jothttp", "jottest", "strictjson", "browser"} {
		exported, shown := map[string]bool{}, map[string]bool{}
		for name, file := range filesOf(t, folder) {
			switch {
			case strings.HasPrefix(filepath.Base(name), "example_"):
				ast.Inspect(file, func(node ast.Node) bool {
					if selector, ok := node.(*ast.SelectorExpr); ok {
						shown[selector.Sel.Name] = true
					}
					return true
				})
			case !strings.HasSuffix(name, "_test.go"):
				for _, declared := range file.Decls {
					if function, ok := declared.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.IsExported() {
						exported[function.Name.Name] = true
					}
				}
			}
		}
		if len(exported) == 0 || len(shown) == 0 {
			t.Errorf("%s: %d functions, %d names in examples", folder, len(exported), len(shown))
		}
		for name := range exported {
			if !shown[name] {
				t.Errorf("no example in %s shows %s", folder, name)
			}
		}
	}
}

// filesOf returns the parsed Go files of a folder by their names.
func filesOf(t *testing.T, folder string) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
