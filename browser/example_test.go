package browser_test

import (
	"log"
	"net/http"

	"github.com/jot-auth/jot/browser"
)

// The pages of this server import the module from /jot.js.
func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("GET /jot.js", browser.Handler())
	mux.Handle("GET /", http.FileServer(http.Dir("pages")))
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", mux))
}
