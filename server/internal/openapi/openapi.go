// Package openapi serves the description of the HTTP API, an OpenAPI 3.1 document. It's written by hand, a file for
// each group of endpoints, and tests hold it against what the server answers.
package openapi

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/strictjson"
)

//go:embed document/*.json
var parts embed.FS

// maxAge is how long caches may keep the document: it changes with the server's version.
const maxAge = time.Hour

// document is an OpenAPI document (OpenAPI Specification 3.1.1 §4.8.1), or a part of one.
type document struct {
	OpenAPI    string                                `json:"openapi,omitempty"`
	Info       json.RawMessage                       `json:"info,omitempty"`
	Servers    []serverObject                        `json:"servers,omitempty"`
	Tags       json.RawMessage                       `json:"tags,omitempty"`
	Paths      map[string]json.RawMessage            `json:"paths,omitempty"`
	Components map[string]map[string]json.RawMessage `json:"components,omitempty"`
}

type serverObject struct {
	URL string `json:"url"`
}

// Document returns the document of a server at the issuer's URL.
func Document(issuerURL string) ([]byte, error) {
	whole := document{Paths: map[string]json.RawMessage{}, Components: map[string]map[string]json.RawMessage{}}
	files, err := parts.ReadDir("document")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if err := whole.addFile("document/" + file.Name()); err != nil {
			return nil, fmt.Errorf("openapi: %s: %w", file.Name(), err)
		}
	}
	whole.Servers = []serverObject{{issuerURL}}
	return json.Marshal(whole)
}

func (d *document) addFile(name string) error {
	text, err := parts.ReadFile(name)
	if err != nil {
		return err
	}
	var part document
	if err := strictjson.UnmarshalKnown(text, &part); err != nil {
		return err
	}
	if part.OpenAPI != "" {
		d.OpenAPI, d.Info, d.Tags = part.OpenAPI, part.Info, part.Tags
	}
	for kind, components := range part.Components {
		if d.Components[kind] == nil {
			d.Components[kind] = map[string]json.RawMessage{}
		}
		if err := merge(d.Components[kind], components); err != nil {
			return err
		}
	}
	return merge(d.Paths, part.Paths)
}

// merge refuses a name that another part has.
func merge(into, from map[string]json.RawMessage) error {
	for name, value := range from {
		if into[name] != nil {
			return fmt.Errorf("%q is defined in another part too", name)
		}
		into[name] = value
	}
	return nil
}

// Register adds the route of the document to mux, under the path of the issuer's URL. The document is put together when
// somebody asks for it: few ever do.
func Register(mux *http.ServeMux, issuerURL string) error {
	base, err := web.BasePath(issuerURL)
	if err != nil {
		return err
	}
	made := sync.OnceValues(func() (*web.Document, error) {
		text, err := Document(issuerURL)
		return web.NewDocument("application/json", text, maxAge), err
	})
	web.Handle(mux, base, "GET /openapi.json", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, err := made()
		if err != nil {
			web.Fail(w, r, err)
			return
		}
		document.ServeHTTP(w, r)
	}))
	return nil
}
