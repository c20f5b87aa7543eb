package backchannel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// fake has deliveries to make, each once, and remembers what came of them.
type fake struct {
	mu       sync.Mutex
	due      []issuer.Delivery
	noticed  chan struct{}
	outcomes chan string // of what was tried to the end
}

func (f *fake) ClaimDeliveries(_ context.Context, limit int, busy []string) ([]issuer.Delivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var claimed, left []issuer.Delivery
	for _, d := range f.due {
		if len(claimed) < limit && !slices.Contains(busy, d.Notice.ClientID) {
			claimed = append(claimed, d)
		} else {
			left = append(left, d)
		}
	}
	f.due = left
	return claimed, nil
}

func (f *fake) Delivered(_ context.Context, n issuer.Notice) error {
	f.outcomes <- "delivered " + n.ID
	return nil
}

func (f *fake) Undelivered(_ context.Context, n issuer.Notice) (bool, error) {
	f.outcomes <- "undelivered " + n.ID
	return n.ID == "last", nil
}

func (f *fake) Noticed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.noticed
}

func (f *fake) add(d issuer.Delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = append(f.due, d)
	close(f.noticed)
	f.noticed = make(chan struct{})
}

// TestDeliver: a client that answers 2xx was told; whatever else happens is told to the issuer, and no redirect is
// followed.
func TestDeliver(t *testing.T) {
	followed := make(chan string, 1)
	client := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.URL.Path == "/elsewhere":
			followed <- string(body)
		case r.URL.Path == "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case r.URL.Path == "/bad":
			w.WriteHeader(http.StatusBadRequest)
		case r.Method != "POST" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || string(body) != "logout_token=a.b.c":
			t.Errorf("%s %v %s", r.Method, r.Header, body)
		}
	}))
	defer client.Close()
	log := new(strings.Builder)
	f := &fake{outcomes: make(chan string, 8), noticed: make(chan struct{})}
	s := Start(t.Context(), f, slog.New(slog.NewTextHandler(log, nil)))
	named := strings.Replace(client.URL, "127.0.0.1", "localhost", 1)
	for id, c := range map[string]struct{ uri, want string }{
		"good": {client.URL + "/good", "delivered"}, "localhost": {named + "/good", "delivered"}, "redirect": {client.URL + "/redirect", "undelivered"}, "bad": {client.URL + "/bad", "undelivered"},
		"last": {client.URL + "/bad?secret=x", "undelivered"}, "link": {"http://169.254.169.254/latest?secret=x", "undelivered"}, "nothing": {"http://0.0.0.0/", "undelivered"}, "no address": {"http://\x00", "undelivered"},
	} {
		f.add(issuer.Delivery{Notice: issuer.Notice{ID: id}, URI: c.uri, Token: "a.b.c"})
		select {
		case got := <-f.outcomes:
			if got != c.want+" "+id {
				t.Errorf("%s: %s", id, got)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: nothing came of it", id)
		}
	}
	if err := s.Close(); err != nil || len(followed) > 0 {
		t.Errorf("%v, %d redirects followed", err, len(followed))
	}
	if strings.Contains(log.String(), "secret=x") || strings.Contains(log.String(), "a.b.c") || !strings.Contains(log.String(), "won't be") {
		t.Errorf("log %s", log)
	}
}

// TestDialRefusesNames that lead to this machine: only an address that says so is meant so.
func TestDialRefusesNames(t *testing.T) {
	if _, err := dial(context.WithValue(t.Context(), loopbackKey{}, namesLoopback("https://app.example.com/")), "tcp", "127.0.0.1:1"); !errors.Is(err, errAddress) {
		t.Errorf("%v", err)
	}
}

// TestOneSlowClient: a client that doesn't answer holds up its own logouts, and nobody else's, however many are due to
// it.
func TestOneSlowClient(t *testing.T) {
	answer := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-answer }))
	defer slow.Close()
	quick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer quick.Close()
	defer close(answer)
	f := &fake{outcomes: make(chan string, 32), noticed: make(chan struct{})}
	for range 24 {
		f.due = append(f.due, issuer.Delivery{Notice: issuer.Notice{ID: "slow", ClientID: "client_slow"}, URI: slow.URL})
	}
	for range 3 {
		f.due = append(f.due, issuer.Delivery{Notice: issuer.Notice{ID: "quick", ClientID: "client_quick"}, URI: quick.URL})
	}
	s := Start(t.Context(), f, slog.New(slog.DiscardHandler))
	defer s.Close()
	for range 3 {
		if got := <-f.outcomes; got != "delivered quick" {
			t.Errorf("%s came first", got)
		}
	}
}
