package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
)

// TestTextThatPostgreSQLCannotHold: PostgreSQL's text has no NUL and nothing but UTF-8. What bears such a text names
// nothing that there is; it's the caller's fault, never the server's.
func TestTextThatPostgreSQLCannotHold(t *testing.T) {
	f := newFleet(t, pgtest.Database(t), 1)
	s := f.ships[0].Server
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := issuer.NewSubject(nil, []string{issuer.ScopeAdmin})
	check(err)
	check(s.Issuer().CreateSubject(ctx, root))
	all, err := s.Issuer().Issue(ctx, issuer.Grant{Subject: root.ID, ClientID: issuer.CommandClient, Resource: s.Issuer().AdminAudience()})
	check(err)
	const jsonType, form = "application/json", "application/x-www-form-urlencoded"
	const assertionOf = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=" +
		"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJjbGllbnRfXHUwMDAwIn0.AA" // {"iss":"client_\u0000"}
	for _, c := range []struct{ method, path, media, body string }{
		{"POST", "/v1/login", jsonType, `{"username":"ada","password":"correct horse battery staple","client_id":"client_\u0000"}`},
		{"POST", "/v1/login", jsonType, `{"username":"a\u0000da","password":"correct horse battery staple"}`},
		{"POST", "/v1/refresh", jsonType, `{"refresh_token":"jrt_x","client_id":"\u0000"}`},
		{"POST", "/v1/logout", jsonType, `{"refresh_token":"jrt_x","client_id":"\u0000"}`},
		{"DELETE", "/v1/sessions/%00", "", ""},
		{"DELETE", "/v1/sessions/%ff", "", ""},
		{"GET", "/v1/sessions?after=%00", "", ""},
		{"GET", "/v1/sessions?after=%ff", "", ""},
		{"POST", "/oauth2/token", jsonType, `{"grant_type":"client_credentials","client_id":"\u0000"}`},
		{"POST", "/oauth2/token", form, "grant_type=client_credentials&client_id=client_%ff"},
		{"POST", "/oauth2/token", form, "grant_type=client_credentials&" + assertionOf},
		{"POST", "/oauth2/introspect", form, "token=x&" + assertionOf},
		{"GET", "/admin/v1/subjects/%00", "", ""},
		{"GET", "/admin/v1/subjects/%ff", "", ""},
		{"DELETE", "/admin/v1/subjects/%00", "", ""},
		{"PUT", "/admin/v1/subjects/%00/password", jsonType, `{"password":"correct horse battery staple"}`},
		{"GET", "/admin/v1/subjects?username=%00", "", ""},
		{"GET", "/admin/v1/subjects?username=%ff", "", ""},
		{"GET", "/admin/v1/subjects?username=a&after=AA", "", ""},
		{"GET", "/admin/v1/sessions/%00", "", ""},
		{"GET", "/admin/v1/sessions?sub=%00", "", ""},
		{"GET", "/admin/v1/sessions?client_id=%ff", "", ""},
		{"GET", "/admin/v1/clients/%00", "", ""},
		{"GET", "/admin/v1/clients?after=AA", "", ""},
		{"GET", "/admin/v1/clients?after=_w", "", ""},
		{"GET", "/admin/v1/resources/%ff", "", ""},
		{"GET", "/admin/v1/resources?after=AA", "", ""},
		{"DELETE", "/admin/v1/keys/%00", "", ""},
		{"GET", "/admin/v1/events?kind=%00", "", ""},
		{"GET", "/admin/v1/events?sub=%ff", "", ""},
		{"POST", "/admin/v1/revocations", jsonType, `{"subject":"\u0000"}`},
		{"POST", "/admin/v1/revocations", jsonType, `{"client_id":"\u0000"}`},
		{"POST", "/admin/v1/sessions", jsonType, `{"sub":"\u0000","client_id":"client_app"}`},
		{"POST", "/admin/v1/sessions", jsonType, `{"sub":"u","claims":{"a":"\u0000"},"client_id":"client_app","resource":"\u0000"}`},
		{"POST", "/admin/v1/sessions", jsonType, `{"sub":"u","claims":{"a":"\u0000"},"client_id":"client_app","user_agent":"a\u0000b","address":"\u0000"}`},
		{"POST", "/admin/v1/subjects", jsonType, `{"claims":{"a":"\u0000"}}`},
	} {
		r := httptest.NewRequestWithContext(ctx, c.method, "https://auth.example.com"+c.path, strings.NewReader(c.body))
		if c.media != "" {
			r.Header.Set("Content-Type", c.media)
		}
		if !strings.HasPrefix(c.path, "/oauth2/") && !strings.HasPrefix(c.path, "/v1/l") && !strings.HasPrefix(c.path, "/v1/r") {
			r.Header.Set("Authorization", "Bearer "+all.Access)
		}
		r.Header["User-Agent"] = []string{"\xff agent"}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		answer, _ := io.ReadAll(w.Result().Body)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, w.Code, answer)
		}
	}
}
