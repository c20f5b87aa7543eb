package server_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// BenchmarkRefresh is a refresh without the network: handler, rules and database. To see where its time goes:
//
//	go test -run - -bench Refresh -cpuprofile cpu.prof ./server && go tool pprof -top cpu.prof
func BenchmarkRefresh(b *testing.B) {
	s := benchmarked(b)
	if err := s.Issuer().CreateSubject(b.Context(), issuer.Subject{ID: "ada", Scope: []string{"pets:read"}}); err != nil {
		b.Fatal(err)
	}
	issued, err := s.Issuer().Issue(b.Context(), issuer.Grant{Subject: "ada"})
	if err != nil {
		b.Fatal(err)
	}
	var answer struct {
		RefreshToken string `json:"refresh_token"`
	}
	answer.RefreshToken = issued.Refresh
	b.ReportAllocs()
	for b.Loop() {
		request := httptest.NewRequest(http.MethodPost, "/v1/refresh", strings.NewReader(`{"refresh_token":"`+answer.RefreshToken+`"}`))
		request.Header.Set("Content-Type", "application/json")
		recorder := httptest.NewRecorder()
		s.Handler().ServeHTTP(recorder, request)
		if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || recorder.Code != http.StatusOK {
			b.Fatal(recorder.Code, err)
		}
	}
}

// BenchmarkKeySet is the smallest answer: what it costs is what every request costs.
func BenchmarkKeySet(b *testing.B) {
	s := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		recorder := httptest.NewRecorder()
		s.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil))
		if recorder.Code != http.StatusOK {
			b.Fatal(recorder.Code)
		}
	}
}

// benchmarked is a server that logs to nowhere, but does all the work of it.
func benchmarked(b *testing.B) *server.Server {
	b.Helper()
	s, err := server.New(b.Context(), server.Config{
		Issuer: issuer.Config{
			URL:              "http://127.0.0.1",
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		DataDir: b.TempDir(), Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}
