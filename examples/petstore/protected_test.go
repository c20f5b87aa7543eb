package petstore_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jot-auth/jot/examples/petstore"
	"github.com/jot-auth/jot/jottest"
)

// What a test of a protected API takes.
func TestReaderMayRead(t *testing.T) {
	request, response := httptest.NewRequest("GET", "/pets/1", nil), httptest.NewRecorder()

	issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
	api := petstore.Handler(issuer.Verifier())
	request.Header.Set("Authorization", "Bearer "+issuer.Token(jottest.Claims{"sub": "ada", "scope": "pets:read"}))

	if api.ServeHTTP(response, request); response.Code != http.StatusOK {
		t.Errorf("status %d: %s", response.Code, response.Body)
	}
}
