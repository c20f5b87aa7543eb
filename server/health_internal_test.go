package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestReadyzBeforeTheEnd: as every 503, it says when to come again.
func TestReadyzBeforeTheEnd(t *testing.T) {
	s, mux, answer := new(Server), http.NewServeMux(), httptest.NewRecorder()
	s.registerHealth(mux, "")
	s.draining.Store(true)
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
		t.Errorf("%d %v", answer.Code, answer.Header())
	}
}
