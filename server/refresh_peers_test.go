package server_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// pastGrace is longer than the grace window of the default configuration.
const pastGrace = 31 * time.Second

// refresher is one of the two doors to the refresh rule: it presents a token, and returns the status and the next
// tokens.
type refresher func(h http.Handler, refreshToken string) (int, tokens)

// inBothDoors runs a test on a server whose time passes only when the test sleeps, with an account that can log in,
// through each endpoint that refreshes.
func inBothDoors(t *testing.T, f func(t *testing.T, h http.Handler, refresh refresher)) {
	for name, refresh := range map[string]refresher{
		"v1": func(h http.Handler, token string) (int, tokens) {
			return answered(h, "/v1/refresh", "application/json", `{"refresh_token":"`+token+`"}`)
		},
		"oauth2": func(h http.Handler, token string) (int, tokens) {
			form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"client_app"}, "refresh_token": {token}}
			return answered(h, "/oauth2/token", "application/x-www-form-urlencoded", form.Encode())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := server.New(t.Context(), server.Config{
					Issuer: issuer.Config{
						URL:              "https://auth.example.com",
						Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
						Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
						KeyEncryptionKey: server.NewSecret().Bytes(),
					},
					DataDir: filepath.Join(t.TempDir(), "data"), SignUpScope: []string{"pets:read"}, Logger: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if _, err := s.SignUp(t.Context(), "ada", password); err != nil {
					t.Fatal(err)
				}
				f(t, s.Handler(), refresh)
			})
		})
	}
}

// answered posts a body and reads the tokens of the answer.
func answered(h http.Handler, path, contentType, body string) (int, tokens) {
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	var pair tokens
	content, _ := io.ReadAll(answer.Body)
	json.Unmarshal(content, &pair)
	return answer.Code, pair
}

func logIn(t *testing.T, h http.Handler) tokens {
	t.Helper()
	status, pair := answered(h, "/v1/login", "application/json", `{"username":"ada","password":"`+password+`"}`)
	if status != http.StatusOK {
		t.Fatalf("log in: %d", status)
	}
	return pair
}

// accepted reports whether the server itself takes an access token.
func accepted(h http.Handler, access string) bool {
	request := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
	request.Header.Set("Authorization", "Bearer "+access)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer.Code == http.StatusOK
}

func mustRefresh(t *testing.T, h http.Handler, refresh refresher, token string) tokens {
	t.Helper()
	status, pair := refresh(h, token)
	if status != http.StatusOK || !accepted(h, pair.Access) {
		t.Fatalf("refresh: %d, %+v", status, pair)
	}
	return pair
}

func mustRefuse(t *testing.T, h http.Handler, refresh refresher, token string) {
	t.Helper()
	if status, _ := refresh(h, token); status != http.StatusUnauthorized && status != http.StatusBadRequest {
		t.Fatalf("refresh: %d, want a refusal", status)
	}
}

// atOnce presents one token many times in parallel, and returns every answer.
func atOnce(t *testing.T, h http.Handler, refresh refresher, token string) []tokens {
	t.Helper()
	answers := make([]tokens, 8)
	var wait sync.WaitGroup
	for n := range answers {
		wait.Go(func() {
			status, pair := refresh(h, token)
			if status != http.StatusOK {
				t.Errorf("refresh %d: %d", n, status)
			}
			answers[n] = pair
		})
	}
	wait.Wait()
	return answers
}

// TestEightParallelRefreshesLeaveNoDeadWinner: elsewhere (Hydra) several of them are answered with tokens, of which all
// but the last are dead, and a client that kept another one is logged out.
func TestEightParallelRefreshesLeaveNoDeadWinner(t *testing.T) {
	inBothDoors(t, func(t *testing.T, h http.Handler, refresh refresher) {
		token := logIn(t, h).Refresh
		for range 3 {
			var next string
			for n, winner := range atOnce(t, h, refresh, token) {
				if !accepted(h, winner.Access) {
					t.Errorf("the access token of winner %d is dead", n)
				}
				next = mustRefresh(t, h, refresh, winner.Refresh).Refresh
			}
			token = next
		}
	})
}

// TestGraceWindowGrowsNoChains: elsewhere (Hydra with a grace period) each use within the window begins a chain of
// tokens that goes on by itself, and a thief keeps one for good.
func TestGraceWindowGrowsNoChains(t *testing.T) {
	inBothDoors(t, func(t *testing.T, h http.Handler, refresh refresher) {
		first := logIn(t, h)
		successors := make(map[string]bool)
		for range 3 {
			for _, answer := range atOnce(t, h, refresh, first.Refresh) {
				successors[answer.Refresh] = true
			}
			time.Sleep(10 * time.Second)
		}
		if len(successors) != 1 {
			t.Fatalf("one token has %d successors", len(successors))
		}
		var shared string
		for shared = range successors {
		}
		victim := mustRefresh(t, h, refresh, mustRefresh(t, h, refresh, shared).Refresh)
		mustRefuse(t, h, refresh, shared) // the thief's chain
		mustRefuse(t, h, refresh, victim.Refresh)
		if accepted(h, victim.Access) {
			t.Error("the session goes on although it has two holders")
		}
	})
}

// TestReuseRevokesTheFamily: elsewhere (Dex) a used token is refused, and what was made of it lives on.
func TestReuseRevokesTheFamily(t *testing.T) {
	inBothDoors(t, func(t *testing.T, h http.Handler, refresh refresher) {
		family, other := []tokens{logIn(t, h)}, logIn(t, h)
		for range 3 {
			family = append(family, mustRefresh(t, h, refresh, family[len(family)-1].Refresh))
		}
		mustRefuse(t, h, refresh, family[0].Refresh)
		for n, member := range family {
			mustRefuse(t, h, refresh, member.Refresh)
			if accepted(h, member.Access) {
				t.Errorf("access token %d of the family is accepted", n)
			}
		}
		mustRefresh(t, h, refresh, other.Refresh)
	})
}

// TestLostReplyDoesNotLogOut: elsewhere (Zitadel) a client whose answer got lost presents the token that it has, and
// that is taken for reuse.
func TestLostReplyDoesNotLogOut(t *testing.T) {
	for name, pause := range map[string]time.Duration{"at once": 0, "within the grace": 20 * time.Second, "an hour later": time.Hour, "just after the grace": pastGrace} {
		t.Run(name, func(t *testing.T) {
			inBothDoors(t, func(t *testing.T, h http.Handler, refresh refresher) {
				kept := logIn(t, h)
				for range 3 {
					mustRefresh(t, h, refresh, kept.Refresh) // and the answer never arrives
					time.Sleep(pause)
				}
				arrived := mustRefresh(t, h, refresh, kept.Refresh)
				mustRefresh(t, h, refresh, mustRefresh(t, h, refresh, arrived.Refresh).Refresh)
			})
		})
	}
}
