package config_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
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

// The lines of the document make the secret of a confidential client, and its hash.
func TestDocumentedSecret(t *testing.T) {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^    secret=.*\n    printf .*$`).FindString(string(text))
	out, err := exec.CommandContext(t.Context(), "sh", "-c", lines+"\nprintf %s \"$secret\"").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	hash, secret, _ := strings.Cut(string(out), "\n")
	if hash != fmt.Sprintf("%x", sha256.Sum256([]byte(secret))) || !regexp.MustCompile(`^jcs_[\w-]{43}$`).MatchString(secret) {
		t.Errorf("%s\nmakes %s", lines, out)
	}
}
