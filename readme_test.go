package jot_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The Go code in the documents stands, line for line, in the tests of this repository, which compile and run it.
func TestDocumentedCodeIsTested(t *testing.T) {
	var tested strings.Builder
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "*/*/*_test.go", "*/*/*/*_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			tested.WriteString(read(t, name))
		}
	}
	code := dedent(tested.String())
	documents, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks int
	for _, name := range append(documents, "README.md", "ARCHITECTURE.md") {
		for _, block := range strings.Split(read(t, name), "```go\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			blocks++
			if !strings.Contains(code, dedent(block)) {
				t.Errorf("%s shows code that no test runs:\n%s", name, block)
			}
		}
	}
	if blocks == 0 {
		t.Error("the documents show no Go code")
	}
}

// The first screen holds two set-up commands, which make and go know.
func TestReadmeCommands(t *testing.T) {
	readme := read(t, "README.md")
	first, _, _ := strings.Cut(readme, "```")
	var commands []string
	for line := range strings.Lines(first) {
		if command, shown := strings.CutPrefix(line, "    "); shown {
			command, _, _ = strings.Cut(command, "#")
			commands = append(commands, strings.TrimSpace(command))
		}
	}
	if strings.Join(commands, ";") != "go run ./server/cmd/jot demo;make test" {
		t.Errorf("the first screen's commands are %q", commands)
	}
	if !strings.Contains(read(t, "Makefile"), "\ntest: ") || !strings.Contains(read(t, ".ci/run"), "\nmake test\n") {
		t.Error("the Makefile has no target test, or CI doesn't run it")
	}
}

var relativeLink = regexp.MustCompile(`\]\(([^)#:, ]+)(?:#[^)]*)?\)`)

// What the documents link to is there.
func TestLinksLeadSomewhere(t *testing.T) {
	var links int
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "deploy/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			for _, link := range relativeLink.FindAllStringSubmatch(read(t, name), -1) {
				links++
				if _, err := os.Stat(filepath.Join(filepath.Dir(name), link[1])); err != nil {
					t.Errorf("%s links to nowhere: %v", name, err)
				}
			}
		}
	}
	if links < 10 {
		t.Errorf("the documents have %d links", links)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func dedent(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimLeft(line, "\t "))
	}
	return out.String()
}
