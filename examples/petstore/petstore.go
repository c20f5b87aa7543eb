// Package petstore is a small API protected by jot, made to be copied: a public list, two scopes, a route for
// administrators and one for those whose licence includes a feature.
package petstore

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/strictjson"
)

// claims are the members of an access token that this API looks at beyond the registered ones.
type claims struct {
	Roles            []string `json:"roles"`
	LicensedFeatures []string `json:"licensedFeatures"`
}

// Handler serves a pet store in memory to whoever the verifier accepts. Everyone may list the pets.
func Handler(verifier *jot.Verifier) http.Handler { return routes(jothttp.Options{Verifier: verifier}) }

// FollowingHandler is Handler for a verifier that learns from the feed what is revoked: callers may demand fresh rules
// (Jot-Min-Cursor), and GET /health tells how the feed does.
func FollowingHandler(verifier *jot.Verifier, feed *revocation.Reader) http.Handler {
	mux := routes(jothttp.Options{Verifier: verifier, Follower: feed})
	mux.Handle("GET /health", health{feed})
	return mux
}

func routes(o jothttp.Options) *http.ServeMux {
	s := &store{pets: []pet{{1, "Rex", "store"}, {2, "Mia", "store"}, {3, "Bubbles", "store"}}, last: 3}
	o.Realm = "petstore"
	protect := o.Protect()
	reader, writer := jothttp.RequireScope("pets:read"), jothttp.RequireScope("pets:write")
	admin := jothttp.Require(func(c claims) bool { return slices.Contains(c.Roles, "admin") })
	licensed := jothttp.Require(func(c claims) bool { return slices.Contains(c.LicensedFeatures, "insights") })

	mux := http.NewServeMux()
	mux.HandleFunc("GET /pets", s.list)
	mux.Handle("GET /pets/{id}", protect(reader(http.HandlerFunc(s.get))))
	mux.Handle("POST /pets", protect(writer(http.HandlerFunc(s.add))))
	mux.Handle("GET /pets/insights", protect(licensed(http.HandlerFunc(s.insights))))
	mux.Handle("DELETE /admin/pets/{id}", protect(admin(http.HandlerFunc(s.remove))))
	return mux
}

type pet struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Owner string `json:"owner"`
}

// is says whether the request's path names the pet.
func (p pet) is(r *http.Request) bool { return strconv.Itoa(p.ID) == r.PathValue("id") }

// store keeps at most 1000 pets.
type store struct {
	mu   sync.Mutex
	pets []pet
	last int // the latest ID given
}

func (s *store) all() []pet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.pets)
}

func (s *store) list(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.all()) }

func (s *store) get(w http.ResponseWriter, r *http.Request) {
	for _, p := range s.all() {
		if p.is(r) {
			answer(w, http.StatusOK, p)
			return
		}
	}
	fail(w, http.StatusNotFound)
}

// add takes {"name":"…"}. The owner is the token's subject, whatever the body says.
func (s *store) add(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<10))
	if errors.As(err, new(*http.MaxBytesError)) {
		fail(w, http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil || media != "application/json" || strictjson.UnmarshalKnown(body, &in) != nil || in.Name == "" {
		fail(w, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pets) >= 1000 {
		fail(w, http.StatusInsufficientStorage)
		return
	}
	s.last++
	s.pets = append(s.pets, pet{s.last, in.Name, jothttp.From(r.Context()).Subject()})
	answer(w, http.StatusCreated, s.pets[len(s.pets)-1])
}

// insights answers how many pets each owner has.
func (s *store) insights(w http.ResponseWriter, _ *http.Request) {
	owners := map[string]int{}
	for _, p := range s.all() {
		owners[p.Owner]++
	}
	answer(w, http.StatusOK, map[string]any{"petsByOwner": owners})
}

func (s *store) remove(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.pets)
	if s.pets = slices.DeleteFunc(s.pets, func(p pet) bool { return p.is(r) }); len(s.pets) == before {
		fail(w, http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client is gone
}

// fail answers with a problem document (RFC 9457), which no cache keeps.
func fail(w http.ResponseWriter, status int) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status})
}
