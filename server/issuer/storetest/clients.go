package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

const keys = `{"keys":[
	{"kty":"EC","crv":"P-256","alg":"ES256","kid":"one","x":"WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis","y":"y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE"},
	{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

func client(id string) issuer.Client {
	keySet, err := issuer.ParseClientKeySet([]byte(keys))
	if err != nil {
		panic(err)
	}
	return issuer.Client{
		ID: id, Name: odd, Scopes: []string{"b:2", "a:1"}, Resources: []string{"https://api.example.com/" + odd, "two words"}, FirstParty: true,
		AccessTTL: time.Minute, IdleTTL: time.Millisecond, AbsoluteTTL: 1000 * time.Hour, AccessType: "JWT", Algorithm: "RS256",
		SecretHash: []byte{0, 1, 255}, KeySet: keySet, RequireDPoP: true, DeviceGrant: true, ExchangeFrom: []string{odd, "b"}, Created: base,
		RedirectURIs: []string{"https://app.example.com/a b", "com.example.app:/" + odd}, PostLogoutRedirectURIs: []string{}, BackchannelLogoutURI: "https://app.example.com/out",
	}
}

func findClient(id string) func(issuer.Reader) (issuer.Client, error) {
	return func(r issuer.Reader) (issuer.Client, error) { return r.Client(id) }
}

func (s *suite) clients() {
	first := client("client_" + odd)
	missing(s, findClient(first.ID))
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateClient(first) })
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.DeleteClient(first.ID) })
	s.update(func(tx issuer.Tx) error { return tx.InsertClient(first) })
	s.equal(read(s, findClient(first.ID)), first)
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertClient(first) })

	for _, resources := range [][]string{nil, {}} { // any, and none
		changed := issuer.Client{ID: first.ID, Scopes: []string{}, Resources: resources, Created: first.Created}
		s.update(func(tx issuer.Tx) error {
			altered := changed
			altered.Created = base.Add(time.Hour) // must not be taken over
			return tx.UpdateClient(altered)
		})
		s.equal(read(s, findClient(first.ID)), changed)
	}
	s.update(func(tx issuer.Tx) error { return tx.DeleteClient(first.ID) })
	missing(s, findClient(first.ID))
}

// pages reads a list two records at a time.
func pages[T any](s *suite, list func(r issuer.Reader, after string) ([]T, error), name func(T) string) []string {
	var names []string
	for after := ""; ; after = names[len(names)-1] {
		page := read(s, func(r issuer.Reader) ([]T, error) { return list(r, after) })
		for _, one := range page {
			names = append(names, name(one))
		}
		if len(page) < 2 || len(names) > 100 {
			return names
		}
	}
}

// sorted is in the order of bytes, which no language's alphabet has.
var sorted = []string{"client_A", "client_B", "client_a", "client_b", "client_Ä", "client_雪"}

func (s *suite) clientPages() {
	s.update(func(tx issuer.Tx) error {
		var err error
		for _, id := range []string{"client_b", "client_雪", "client_A", "client_Ä", "client_a", "client_B"} {
			err = errors.Join(err, tx.InsertClient(client(id)))
		}
		return err
	})
	ids := pages(s, func(r issuer.Reader, after string) ([]issuer.Client, error) { return r.Clients(after, 2) }, func(c issuer.Client) string { return c.ID })
	s.equal(ids, sorted)
}

func resource(audience string) issuer.Resource {
	return issuer.Resource{Audience: audience, Name: odd, Scopes: []string{"b:2", "a:1"}, AccessTTL: time.Hour, Algorithm: "EdDSA", Created: base}
}

func findResource(audience string) func(issuer.Reader) (issuer.Resource, error) {
	return func(r issuer.Reader) (issuer.Resource, error) { return r.Resource(audience) }
}

func algorithms(r issuer.Reader) ([]jot.Algorithm, error) { return r.Algorithms() }

func (s *suite) resources() {
	first := resource("https://api.example.com/" + odd)
	missing(s, findResource(first.Audience))
	s.equal(len(read(s, algorithms)), 0)
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.UpdateResource(first) })
	s.refuse(issuer.ErrNotFound, func(tx issuer.Tx) error { return tx.DeleteResource(first.Audience) })
	s.update(func(tx issuer.Tx) error { return tx.InsertResource(first) })
	s.equal(read(s, findResource(first.Audience)), first)
	s.refuse(issuer.ErrTaken, func(tx issuer.Tx) error { return tx.InsertResource(first) })

	s.update(func(tx issuer.Tx) error {
		return errors.Join(tx.InsertClient(client("client_1")), tx.InsertClient(client("client_2")), tx.InsertResource(resource("other")))
	})
	used := read(s, algorithms)
	slices.Sort(used)
	s.equal(used, []jot.Algorithm{"EdDSA", "RS256"})

	changed := issuer.Resource{Audience: first.Audience, Scopes: []string{}, AccessTTL: time.Second, Created: first.Created}
	s.update(func(tx issuer.Tx) error {
		altered := changed
		altered.Created = base.Add(time.Hour) // must not be taken over
		return tx.UpdateResource(altered)
	})
	s.equal(read(s, findResource(first.Audience)), changed)
	s.update(func(tx issuer.Tx) error { return tx.DeleteResource(first.Audience) })
	missing(s, findResource(first.Audience))
}

func (s *suite) resourcePages() {
	s.update(func(tx issuer.Tx) error {
		var err error
		for _, audience := range []string{"client_b", "client_雪", "client_A", "client_Ä", "client_a", "client_B"} {
			err = errors.Join(err, tx.InsertResource(resource(audience)))
		}
		return err
	})
	names := pages(s, func(r issuer.Reader, after string) ([]issuer.Resource, error) { return r.Resources(after, 2) }, func(r issuer.Resource) string { return r.Audience })
	s.equal(names, sorted)
}
