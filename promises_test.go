package jot_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each test that docs/revocation.md names for a promise exists.
func TestPromisesHaveTests(t *testing.T) {
	var tests strings.Builder
	for _, pattern := range []string{"*/*_test.go", "*/*/*_test.go", "*/*/*/*_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			tests.WriteString(read(t, name))
		}
	}
	named := regexp.MustCompile("`(Test[A-Z][A-Za-z]+)`").FindAllStringSubmatch(read(t, "docs/revocation.md"), -1)
	if len(named) < 10 {
		t.Errorf("docs/revocation.md names %d tests", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "\nfunc "+name[1]+"(t *testing.T)") {
			t.Errorf("docs/revocation.md names %s, which is no test", name[1])
		}
	}
}
