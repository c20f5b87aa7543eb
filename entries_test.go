package jot_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// Every function that a package exports is shown by its examples, and each of these is run.
func TestEveryEntryHasAnExample(t *testing.T) {
	for _, folder := range []string{".", "jws", "jwe", "jwks", "revocation", "jothttp", "jottest", "strictjson", "browser"} {
		exported, shown := map[string]bool{}, map[string]bool{}
		for name, file := range filesOf(t, folder) {
			switch {
			case strings.HasPrefix(filepath.Base(name), "example_"):
				for _, example := range doc.Examples(file) {
					if example.Output == "" && !example.EmptyOutput {
						t.Errorf("%s: Example%s has no output, so it's never run", name, example.Name)
					}
				}
				ast.Inspect(file, func(node ast.Node) bool {
					if selector, ok := node.(*ast.SelectorExpr); ok {
						shown[nameOf(selector.X)+"."+selector.Sel.Name] = true
					}
					return true
				})
			case !strings.HasSuffix(name, "_test.go"):
				for _, declared := range file.Decls {
					if function, ok := declared.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.IsExported() {
						exported[file.Name.Name+"."+function.Name.Name] = true
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

// nameOf returns the name that an expression is, such as a package's; empty for any other.
func nameOf(expression ast.Expr) string {
	if name, ok := expression.(*ast.Ident); ok {
		return name.Name
	}
	return ""
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
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			t.Fatal(err)
		}
	}
	return files
}
