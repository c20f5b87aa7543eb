package jot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var backticked = regexp.MustCompile("`([^`]+)`")

// tableOf returns the cells of the table below a heading of ARCHITECTURE.md, row by row, without the table's own
// heading.
func tableOf(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	_, after, found := strings.Cut(read(t, "ARCHITECTURE.md"), "\n## "+heading+"\n")
	section, _, _ := strings.Cut(after, "\n## ")
	for line := range strings.Lines(section) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"); strings.HasPrefix(line, "|") {
			rows = append(rows, cells)
		}
	}
	if !found || len(rows) < 10 {
		t.Fatalf("ARCHITECTURE.md has no table below %q", heading)
	}
	return rows[2:]
}

// Every folder that the house names is there, and it names each that has a package.
func TestHouseNamesItsFolders(t *testing.T) {
	named := map[string]bool{}
	for _, cells := range tableOf(t, "The house") {
		for _, name := range backticked.FindAllStringSubmatch(cells[0], -1) {
			named[path.Clean(name[1])] = true
			if info, err := os.Stat(name[1]); err != nil || !info.IsDir() {
				t.Errorf("ARCHITECTURE.md names the folder %s: %v", name[1], err)
			}
		}
	}
	for folder := range importsBelow(t, ".", "interop") {
		if !named[folder] && !strings.HasPrefix(folder, "examples/petstore/") {
			t.Errorf("ARCHITECTURE.md doesn't name the folder %s", folder)
		}
	}
}

// Every file that holds a rule is there, and declares the function that is named after it. A name without a folder is
// in that of the name before it.
func TestRulesAreInTheirFiles(t *testing.T) {
	for _, cells := range tableOf(t, "Where to find a rule") {
		folder, file := ".", ""
		for _, name := range backticked.FindAllStringSubmatch(cells[len(cells)-1], -1) {
			switch {
			case strings.Contains(name[1], "/"):
				folder, file = path.Dir(name[1]), name[1]
			case strings.HasSuffix(name[1], ".go"):
				file = path.Join(folder, name[1])
			default:
				if !declares(t, file, name[1]) {
					t.Errorf("ARCHITECTURE.md says of “%s” that it's in func %s of %s: there is none", strings.TrimSpace(cells[0]), name[1], file)
				}
				continue
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("ARCHITECTURE.md says of “%s”: %v", strings.TrimSpace(cells[0]), err)
			}
		}
	}
}

// declares reports whether a file has a function or a method of this name.
func declares(t *testing.T, file, name string) bool {
	t.Helper()
	return regexp.MustCompile(`(?m)^func (\([^)]*\) )?` + regexp.QuoteMeta(name) + `[\[(]`).MatchString(read(t, file))
}

// A file has at most 500 lines, and a function 80 (CONTRIBUTING.md, How we write), but for tests, whose tables are as
// long as what they try.
func TestCodeFitsAScreen(t *testing.T) {
	const mostOfFile, mostOfFunction = 500, 80
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		places := token.NewFileSet()
		file, err := parser.ParseFile(places, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if lines := places.File(file.FileStart).LineCount(); lines > mostOfFile {
			t.Errorf("%s has %d lines: split it by its nouns", name, lines)
		}
		for _, declared := range file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok || function.Body == nil {
				continue
			}
			if lines := places.Position(function.End()).Line - places.Position(function.Pos()).Line + 1; lines > mostOfFunction {
				t.Errorf("%s: func %s has %d lines: give its parts names", name, function.Name.Name, lines)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Prose fits a window: a line of a comment that stands by itself has at most 120 columns, of which a tab takes four
// (CONTRIBUTING.md, How we write). Tables and code inside comments are as wide as they have to be.
func TestCommentsFitAWindow(t *testing.T) {
	const mostOfLine, tab = 120, "    "
	prose := regexp.MustCompile(`^\t*//( | {3}- | {5})[^ \t]`)
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		number := 0
		for line := range strings.Lines(read(t, name)) {
			line, number = strings.TrimRight(line, "\n"), number+1
			if prose.MatchString(line) && utf8.RuneCountInString(strings.ReplaceAll(line, "\t", tab)) > mostOfLine {
				t.Errorf("%s:%d: the comment is wider than %d columns: break it", name, number, mostOfLine)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
