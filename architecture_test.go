package jot_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

var backticked = regexp.MustCompile("`([^`]+)`")

// tableOf returns the cells of the table below a heading of ARCHITECTURE.md, row by row, without the table's own heading.
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

// Every file that holds a rule is there, and declares the function that is named after it. A name without a folder is in that of the name before it.
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
