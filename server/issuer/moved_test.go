package issuer_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/logtest"
	"github.com/jot-auth/jot/server/issuer"
)

// A server that starts under another URL than before says what that means, once, with both; and it's true: nothing of
// before is good, and is again under the old URL.
func TestMoved(t *testing.T) {
	const old, next = "https://auth.example.com", "https://login.example.com"
	var log logtest.Buffer
	c := config()
	c.URL, c.Logger = old, slog.New(slog.NewTextHandler(&log, nil))
	f := newFixture(t, c)
	tokens := f.login()
	start := func(url string, warned bool) {
		t.Helper()
		f.config.URL = url
		f.restart()
		said := log.Take()
		if warns := strings.Contains(said, "level=WARN"); warns != warned || warned && !(strings.Contains(said, "before="+old) && strings.Contains(said, "now="+next) || strings.Contains(said, "before="+next) && strings.Contains(said, "now="+old)) {
			t.Errorf("under %s it logs %q", url, said)
		}
	}
	start(old, false)
	f.accept(tokens.Access)
	start(next, true)
	f.refuse(tokens.Access, jot.ErrInvalidToken)
	f.refuseRefresh(tokens.Refresh)
	start(next, false)
	start(old, true)
	f.accept(tokens.Access)
	f.refresh(tokens.Refresh)

	events, err := f.Events(t.Context(), issuer.EventFilter{}, 0, 1000)
	f.do(err)
	var details []string
	for _, e := range events {
		if e.Kind == issuer.EventIssuerMoved {
			details = append(details, e.Detail)
		}
	}
	if want := []string{"from " + old + " to " + next, "from " + next + " to " + old}; !slices.Equal(details, want) {
		t.Errorf("events %q, want %q", details, want)
	}
}
