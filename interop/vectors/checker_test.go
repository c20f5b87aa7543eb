package vectors

import (
	"slices"
	"strings"
	"testing"
)

// The checker itself is checked on every run: what never fails proves nothing.

func TestBounded(t *testing.T) {
	var kept []byte
	for name, test := range map[string]struct {
		run  func()
		want string
	}{
		"a panic":    {func() { panic("no such key") }, "panic: no such key"},
		"much room":  {func() { kept = make([]byte, 2*maxMemory) }, "allocated"},
		"what's due": {func() { kept = make([]byte, maxMemory/4) }, ""},
	} {
		if fault := bounded(test.run); !strings.HasPrefix(fault, test.want) || (fault == "") != (test.want == "") {
			t.Errorf("%s: %q", name, fault)
		}
	}
	_ = kept
}

// RFC 7515, appendix A.1, and what becomes of it.
func TestSuiteTellsGoodFromBad(t *testing.T) {
	const token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	good := Case{JWK: []byte(`{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`), Algorithms: []string{"HS256"}, Token: token}
	if payload, err := openJWS(&good); err != nil || !strings.HasPrefix(string(payload), `{"iss":"joe"`) {
		t.Errorf("%q, %v", payload, err)
	}
	for name, change := range map[string]func(*Case){
		"another token":     func(c *Case) { c.Token = strings.Replace(token, "dBjft", "dBjfu", 1) },
		"another algorithm": func(c *Case) { c.Algorithms = []string{"HS512"} },
		"no algorithm":      func(c *Case) { c.Algorithms = []string{"none"} },
		"another key":       func(c *Case) { c.JWK = []byte(strings.Replace(string(c.JWK), "AyM1", "AyM2", 1)) },
		"no key":            func(c *Case) { c.JWK = []byte("null") },
	} {
		bad := good
		change(&bad)
		if _, err := openJWS(&bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRanges(t *testing.T) {
	got := ranges([]string{"a/1", "a/2", "a/3", "a/5", "a/6", "b/7", "b", "c/x", "a/9", "a/10", "a/11"})
	if want := []string{"a/1–3", "a/5", "a/6", "b/7", "b", "c/x", "a/9–11"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
