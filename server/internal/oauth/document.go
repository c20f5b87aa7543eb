package oauth

import (
	"encoding/json"
	"net/http"
	"sync/atomic"

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
	keys     *jot.KeySet
	document *web.Document
}

// publish answers with a document.
func (s *Server) publish(d *document) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		document, err := s.encode(d)
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		document.ServeHTTP(w, r)
	}
}

func (s *Server) encode(d *document) (*web.Document, error) {
	keys := s.issuer.KeySet()
	if last := d.last.Load(); last != nil && last.keys == keys {
		return last.document, nil
	}
	body, err := json.Marshal(d.content(keys))
	if err != nil {
		return nil, err
	}
	encoded := &encoding{keys, web.NewDocument(d.contentType, body, s.issuer.KeySetMaxAge())}
	d.last.Store(encoded)
	return encoded.document, nil
}
