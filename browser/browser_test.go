package browser_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jot-auth/jot/browser"
)

// The module is small, below 4 KB however they are counted, and whole, and browsers take it for a script.
func TestHandler(t *testing.T) {
	answer := httptest.NewRecorder()
	browser.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/jot.js", nil))
	if size := answer.Body.Len(); answer.Code != 200 || size == 0 || size >= 4000 {
		t.Errorf("status %d, %d bytes", answer.Code, size)
	}
	if !strings.Contains(answer.Body.String(), "export class Session") || answer.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Error("not the module:", answer.Header())
	}
}
