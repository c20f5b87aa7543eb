package jottest

import (
	"encoding/json"
	"net/http"

	"github.com/jot-auth/jot"
)

// handler serves what a jot server serves to APIs.
func (i *Issuer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/.well-known/jwks.json"})
	})
	mux.HandleFunc("GET /.well-known/jwks.json", i.serveKeys)
	mux.HandleFunc("GET /feed/jwks.json", func(w http.ResponseWriter, _ *http.Request) { writeKeys(w, i.feed.keys) })
	mux.HandleFunc("GET /feed/snapshot", i.feed.protect(i.feed.snapshot))
	mux.HandleFunc("GET /feed/live", i.feed.protect(i.feed.live))
	return mux
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	keys, err := i.published()
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	writeKeys(w, keys)
}

// writeKeys asks for the set not to be kept, so that a source asks again as soon as its own bounds allow.
func writeKeys(w http.ResponseWriter, keys *jot.KeySet) {
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, keys)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // fails when the client is gone
}
