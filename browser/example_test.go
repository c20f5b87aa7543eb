package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/jot-auth/jot/browser"
)

// The pages of this server import the module from /jot.js.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("GET /jot.js", browser.Handler())
	mux.Handle("GET /", http.FileServer(http.Dir("pages")))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/jot.js", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 text/javascript; charset=utf-8
}
