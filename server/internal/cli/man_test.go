package cli

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestManPages holds every command to a page that says what it is, how it's called, what its flags do, and where to
// read on.
func TestManPages(t *testing.T) {
	for _, cmd := range documentedCommands(newRootCommand()) {
		page := string(manPage(cmd))
		name := manName(cmd)
		if !strings.HasPrefix(page, `.TH "`+roff(strings.ToUpper(name))+`" "1" "" "jot" "jot manual"`+"\n") {
			t.Errorf("%s: the title is %.100q", name, page)
		}
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"} {
			if strings.Count(page, fmt.Sprintf(".SH %q\n", section)) != 1 {
				t.Errorf("%s has no section %s", name, section)
			}
		}
		for _, line := range strings.Split(cmd.LocalFlags().FlagUsages(), "\n") {
			if flag := flagName.FindString(line); flag != "" && flag != "--help" && flag != "--version" && !strings.Contains(page, `\fB`+roff(flag)+`\fR`) {
				t.Errorf("%s says nothing of %s", name, flag)
			}
		}
		if cmd.Example != "" && !strings.Contains(page, ".nf\n"+roff(strings.SplitN(cmd.Example, "\n", 2)[0])) {
			t.Errorf("%s lacks the examples", name)
		}
	}
}

var flagName = regexp.MustCompile(`--[a-z-]+`)

// roffLine is a macro that the pages use, or text, which begins with neither of the characters that begin a request.
var roffLine = regexp.MustCompile(`^(\.(TH|SH|PP|TP|B|BR|nf|fi)( .*)?|[^.'].*|)$`)

// TestManPagesAreRoff holds them to ASCII and to the few macros that every formatter knows.
func TestManPagesAreRoff(t *testing.T) {
	for _, cmd := range documentedCommands(newRootCommand()) {
		kept := false
		for line := range strings.Lines(string(manPage(cmd))) {
			line = strings.TrimSuffix(line, "\n")
			if !roffLine.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s: line %q", manName(cmd), line)
			}
			if line == ".nf" || line == ".fi" {
				if kept == (line == ".nf") {
					t.Errorf("%s: %s where it is so already", manName(cmd), line)
				}
				kept = line == ".nf"
			}
		}
	}
}

// formatters read a page from standard input and complain on standard error.
var formatters = [][]string{
	{"groff", "-man", "-Tascii", "-ww", "-z"},
	{"mandoc", "-man", "-Tlint", "-Werror"},
}

// TestManPagesFormat asks the formatters that this machine has.
func TestManPagesFormat(t *testing.T) {
	found := 0
	defer func() {
		if found == 0 && os.Getenv("CI") == "true" {
			t.Error("neither groff nor mandoc is installed: run .ci/prepare")
		}
	}()
	for _, formatter := range formatters {
		if _, err := exec.LookPath(formatter[0]); err != nil {
			t.Logf("NOT TESTED: %s is not installed", formatter[0])
			continue
		}
		found++
		for _, cmd := range documentedCommands(newRootCommand()) {
			process := exec.Command(formatter[0], formatter[1:]...)
			process.Stdin = bytes.NewReader(manPage(cmd))
			if out, err := process.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s of %s: %v\n%s", formatter[0], manName(cmd), err, out)
			}
		}
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		`plain text`:      `plain text`,
		`--key FILE`:      `\-\-key FILE`,
		`a\nb`:            `a\(rsnb`,
		`don't "quote" ~`: `don\(aqt \(dqquote\(dq \(ti`,
		"RFC 7519 §4 …":   `RFC 7519 \[u00A7]4 \[u2026]`,
		"`^":              `\(ga\(ha`,
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
	var w manWriter
	w.text(".TH is a macro")
	w.text("'br is a request")
	if got, want := w.String(), "\\&.TH is a macro\n\\&\\(aqbr is a request\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}
