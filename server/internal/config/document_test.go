package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/config"
)

var write = flag.Bool("write", false, "write the table of docs/configuration.md")

// docs/configuration.md lists the settings that there are.
func TestDocument(t *testing.T) {
	const name, begin, end = "../../../docs/configuration.md", "<!-- settings -->\n", "<!-- /settings -->\n"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found1 := strings.Cut(string(text), begin)
	table, after, found2 := strings.Cut(rest, end)
	if !found1 || !found2 {
		t.Fatal("the place of the table can't be found")
	}
	if table == config.Markdown() {
		return
	}
	if !*write {
		t.Fatal("the table isn't what the program knows: run this test with -write")
	}
	if err := os.WriteFile(name, []byte(before+begin+config.Markdown()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
