package admin_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/webtest"
)

// TestManySessionsEndInTime: what ends the sessions of a client, or of everybody, has more time than other requests.
func TestManySessionsEndInTime(t *testing.T) {
	f := newFixture(t)
	var deadline time.Time
	handler := f.server.Config.Handler
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(webtest.Noting{ResponseWriter: w, Deadline: &deadline}, r)
	})
	f.do("POST", "/admin/v1/clients", `{"client_id":"client_busy","scope":"pets:read"}`).want(t, http.StatusCreated)
	for _, one := range []struct{ method, path, body string }{
		{"POST", "/admin/v1/revocations", `{"client_id":"client_busy"}`},
		{"DELETE", "/admin/v1/clients/client_busy", ""},
		{"POST", "/admin/v1/revocations", `{"everything":true}`},
	} {
		deadline = time.Time{}
		began := time.Now()
		f.do(one.method, one.path, one.body).want(t, http.StatusNoContent)
		if deadline.Before(began.Add(time.Minute)) {
			t.Errorf("%s %s has %v", one.method, one.path, deadline.Sub(began))
		}
	}
}
