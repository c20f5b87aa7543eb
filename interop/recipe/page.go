// Package recipe reads the pages of docs/recipes, so that tests run the very code that they show.
package recipe

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/server/issuer"
)

// Page is one of docs/recipes.
type Page struct {
	t          *testing.T
	name, text string
}

// Read reads a page by its name without .md.
func Read(t *testing.T, name string) Page {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "../../docs/recipes", name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	return Page{t, name, string(text)}
}

// Block answers the page's only block of code in a language.
func (p Page) Block(language string) string {
	p.t.Helper()
	fence := "```" + language + "\n"
	_, after, found := strings.Cut(p.text, fence)
	block, rest, closed := strings.Cut(after, "```\n")
	if !found || !closed || strings.Contains(rest, fence) {
		p.t.Fatalf("docs/recipes/%s.md must have one block of %s", p.name, language)
	}
	return block
}

// File writes a file for the time of the test, and answers its path.
func File(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// word is one of a command's, as a shell reads it: what stands in quotation marks is one.
var word = regexp.MustCompile(`'[^']*'|\S+`)

// Client makes the client of the page's line `jot admin client create …`, with its texts replaced (old, new, …), and
// answers its secret, if it has one. keys are those that --key-set names.
func (p Page) Client(s running.Server, keys *jot.KeySet, replace ...string) (secret string) {
	p.t.Helper()
	_, after, found := strings.Cut(p.text, "\njot admin client create ")
	command, _, _ := strings.Cut(strings.ReplaceAll(after, "\\\n", " "), "\n")
	words := word.FindAllString(strings.NewReplacer(replace...).Replace(command), -1)
	for n := range words {
		words[n] = strings.Trim(words[n], "'")
	}
	if !found || len(words) == 0 {
		p.t.Fatalf("docs/recipes/%s.md makes no client", p.name)
	}
	client := issuer.Client{ID: words[0]}
	flags := flag.NewFlagSet("jot admin client create", flag.ContinueOnError)
	list := func(name string, to *[]string) {
		flags.Func(name, "", func(value string) error { *to = strings.Split(value, ","); return nil })
	}
	flags.Func("scope", "", func(value string) error { client.Scopes = strings.Fields(value); return nil })
	list("resource", &client.Resources)
	list("exchange-from", &client.ExchangeFrom)
	list("redirect-uri", &client.RedirectURIs)
	list("post-logout-redirect-uri", &client.PostLogoutRedirectURIs)
	flags.StringVar(&client.Name, "name", "", "")
	flags.BoolVar(&client.RequireDPoP, "require-dpop", false, "")
	flags.BoolFunc("confidential", "", func(string) error { secret, client.SecretHash = issuer.NewClientSecret(); return nil })
	flags.Func("key-set", "", func(string) error { client.KeySet = keys; return nil })
	if err := flags.Parse(words[1:]); err != nil {
		p.t.Fatal(err)
	}
	if err := s.Issuer().CreateClient(p.t.Context(), client); err != nil {
		p.t.Fatal(err)
	}
	return secret
}
