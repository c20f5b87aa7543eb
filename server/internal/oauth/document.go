package oauth

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
)

// document is one that caches may keep as long as a key set. It's the same until the key
// set is another, so it's encoded once for each: every verifier asks for it.
type document struct {
	contentType string
	content     func(keys *jot.KeySet) any
	last        atomic.Pointer[encoding]
}

// encoding is a document for one key set.
type encoding struct {
	keys *jot.KeySet
	body []byte
}

// publish answers with a document.
func (s *Server) publish(d *document) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := d.encode(s.issuer.KeySet())
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		web.Publish(w, r, d.contentType, body, int(s.issuer.KeySetMaxAge()/time.Second))
	}
}

func (d *document) encode(keys *jot.KeySet) ([]byte, error) {
	if last := d.last.Load(); last != nil && last.keys == keys {
		return last.body, nil
	}
	body, err := json.Marshal(d.content(keys))
	if err == nil {
		d.last.Store(&encoding{keys, body})
	}
	return body, err
}
