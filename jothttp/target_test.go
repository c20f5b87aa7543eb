package jothttp_test

import (
	"net/http"
	"testing"

	"github.com/jot-auth/jot"
)

// TestTargets: a proof is for the path that the handlers behind see, whichever way the request's first line writes it.
func TestTargets(t *testing.T) {
	a := newBoundAPI(t)
	h := newHolder(t, jot.ES256)
	h.bind(a, object{"jkt": h.thumbprint()})
	for _, c := range []struct {
		asked, proved string
		status        int
	}{
		{"/pets", "https://pets.example/pets", 200},
		{"/pets?page=2", "https://pets.example/pets", 200},
		{"/pets#1", "https://pets.example/pets", 401},
		{"/pets#1", "https://pets.example/pets%231", 200},
		{"/pets#/../admin?a", "https://pets.example/pets", 401},
		{"//evil.example/pets", "https://evil.example/pets", 401},
		{"//evil.example/pets", "https://pets.example//evil.example/pets", 200},
		{"https://evil.example/pets", "https://evil.example/pets", 401},
		{"https://evil.example/pets", "https://pets.example/pets", 200},
		{"@evil.example/pets", "https://evil.example/pets", 401},
		{"/zoo/../pets", "https://pets.example/pets", 401},
		{"/pets;a=b", "https://pets.example/pets", 401},
		{"/p%2565ts", "https://pets.example/pets", 401},
		{"/pets%2F1", "https://pets.example/pets/1", 401},
		{"/pets%2f1", "https://pets.example/pets%2F1", 200},
	} {
		r := request(http.MethodGet, "Authorization: DPoP "+h.token, "DPoP: "+h.sign(h.header(), h.claims().with("htu", c.proved)))
		r.RequestURI = c.asked
		if answer := a.serve(r); answer.StatusCode != c.status {
			t.Errorf("%s with a proof for %s: %d", c.asked, c.proved, answer.StatusCode)
		}
	}
}

// An address whose host has a dotted capital I is another one's than that with an i, whatever Unicode's table of small
// letters says: names are looked up as IDNA maps them (RFC 5895).
func TestTargetOfAnotherHost(t *testing.T) {
	a := newBoundAPI(t)
	a.options.DPoP.Base = "https://kittens.example"
	h := newHolder(t, jot.ES256)
	h.bind(a, object{"jkt": h.thumbprint()})
	for host, status := range map[string]int{"KITTENS.example": 200, "k\u0130ttens.example": 401, "k%C4%B0ttens.example": 401} {
		r := request(http.MethodGet, "Authorization: DPoP "+h.token, "DPoP: "+h.sign(h.header(), h.claims().with("htu", "https://"+host+"/pets")))
		r.RequestURI = "/pets"
		if answer := a.serve(r); answer.StatusCode != status {
			t.Errorf("a proof for %s: %d", host, answer.StatusCode)
		}
	}
}
