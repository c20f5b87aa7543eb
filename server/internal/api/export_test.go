package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/issuer"
)

// later is an issuer that is asked some time after the logins.
type later struct {
	*issuer.Issuer
	by time.Duration
}

func (l later) Now(ctx context.Context) (time.Time, error) {
	now, err := l.Issuer.Now(ctx)
	return now.Add(l.by), err
}

// TestExportWantsARecentLogin: 10 minutes after the login nobody gets all that is stored.
func TestExportWantsARecentLogin(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	subject, err := issuer.NewSubject(nil, nil)
	if err == nil {
		err = f.issuer.CreateSubject(t.Context(), subject)
	}
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.issuer.Issue(t.Context(), issuer.Grant{Subject: subject.ID, ClientID: "client_app"})
	if err != nil {
		t.Fatal(err)
	}
	for by, want := range map[time.Duration]int{0: http.StatusOK, 9 * time.Minute: http.StatusOK, 11 * time.Minute: http.StatusUnauthorized} {
		handlers, err := api.New(later{f.issuer, by}, f.issuer.Verifier(), broken{err: issuer.ErrNotFound}, api.Options{})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		handlers.Register(mux)
		r := httptest.NewRequest("GET", "/base/v1/me/export", nil)
		r.Header.Set("Authorization", "Bearer "+tokens.Access)
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, r)
		challenge := answer.Header().Get("WWW-Authenticate")
		if answer.Code != want || (want == http.StatusUnauthorized) != strings.Contains(challenge, `error="insufficient_user_authentication"`) {
			t.Errorf("%v after the login: %d %s %s", by, answer.Code, challenge, answer.Body)
		}
	}
}
