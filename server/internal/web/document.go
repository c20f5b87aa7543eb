package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// Document is an answer that is the same for everybody: caches may keep it for a while, and ask for it again by its
// entity tag.
type Document struct {
	header http.Header // but for the length; its values are never changed
	length []string
	body   []byte
}

// NewDocument makes a document that caches may keep for maxAge.
func NewDocument(contentType string, body []byte, maxAge time.Duration) *Document {
	sum := sha256.Sum256(body)
	d := &Document{header: make(http.Header), length: []string{strconv.Itoa(len(body))}, body: body}
	d.header.Set("Content-Type", contentType)
	d.header.Set("X-Content-Type-Options", "nosniff")
	d.header.Set("Cache-Control", fmt.Sprintf("public, max-age=%d", maxAge/time.Second))
	d.header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:16])+`"`)
	return d
}

// ServeHTTP answers with the document, or with 304 to whoever has it.
func (d *Document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	maps.Copy(header, d.header)
	if r.Method == http.MethodGet && unconditional(r.Header) {
		header["Content-Length"] = d.length
		w.Write(d.body)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.body))
}

// unconditional reports whether a request asks for neither a part of a document nor a change of it: nearly all do, and
// it's half the work to answer them.
func unconditional(header http.Header) bool {
	for _, name := range [...]string{"Range", "If-Range", "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if len(header[name]) > 0 {
			return false
		}
	}
	return true
}
