package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// Document is an answer that is the same for everybody: caches may keep it for a while, and ask for it again by its entity tag.
type Document struct {
	contentType  string
	cacheControl string
	entityTag    string
	body         []byte
}

// NewDocument makes a document that caches may keep for maxAge.
func NewDocument(contentType string, body []byte, maxAge time.Duration) *Document {
	sum := sha256.Sum256(body)
	return &Document{
		contentType: contentType, body: body,
		cacheControl: fmt.Sprintf("public, max-age=%d", maxAge/time.Second),
		entityTag:    `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`,
	}
}

// ServeHTTP answers with the document, or with 304 to whoever has it.
func (d *Document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", d.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", d.cacheControl)
	header.Set("ETag", d.entityTag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.body))
}
