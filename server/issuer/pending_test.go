package issuer_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestSealed: what waits for a person is read for half an hour, for its purpose alone, and as it was sealed.
func TestSealed(t *testing.T) {
	f := newFixture(t, config())
	text, err := f.Seal(t.Context(), "a", "content")
	f.do(err)
	long, err := f.Seal(t.Context(), "a", strings.Repeat("x", 16<<10))
	f.do(err)
	open := func(purpose, text string) error {
		var content string
		err := f.Open(t.Context(), purpose, text, &content)
		if err == nil && content != "content" {
			t.Errorf("read %q", content)
		}
		return err
	}
	altered, _ := base64.RawURLEncoding.DecodeString(text)
	altered[len(altered)-1]++
	for name, err := range map[string]error{
		"another purpose": open("b", text), "none": open("a", ""), "cut": open("a", text[:44]), "altered": open("a", base64.RawURLEncoding.EncodeToString(altered)),
		"too long": open("a", long), "no base64url": open("a", text+"="),
	} {
		if !errors.Is(err, issuer.ErrPending) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.clock.Advance(30*time.Minute - time.Second)
	f.do(open("a", text))
	f.clock.Advance(time.Second)
	if err := open("a", text); !errors.Is(err, issuer.ErrPending) {
		t.Errorf("after half an hour: %v", err)
	}
}
