package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestIntrospectRefreshToken: a refresh token is what its session is, as long as that could be refreshed, and nothing
// when its subject's sessions end or its resource is gone.
func TestIntrospectRefreshToken(t *testing.T) {
	archive := issuer.Resource{Audience: "archive", Scopes: []string{"archive:read"}}
	for name, end := range map[string]func(f *fixture) error{
		"the resource is gone": func(f *fixture) error { return f.DeleteResource(f.Context(), "archive") },
		"another resource of the name": func(f *fixture) error {
			f.clock.Advance(time.Second)
			return errors.Join(f.DeleteResource(f.Context(), "archive"), f.CreateResource(f.Context(), archive))
		},
		"an ending that its row doesn't tell of": func(f *fixture) error {
			return f.store.Update(f.Context(), func(tx issuer.Tx) error {
				subject, err := tx.Subject("ann")
				f.do(err)
				subject.Ending = issuer.Ending{Before: subject.Generation + 1, At: f.clock.Now(), Why: issuer.EndedByLogout}
				return tx.UpdateSubject(subject)
			})
		},
		"a subject that is banned": func(f *fixture) error { return f.DisableSubject(f.Context(), "ann") },
		"a subject that is gone":   func(f *fixture) error { return f.DeleteSubject(f.Context(), "ann") },
	} {
		t.Run(name, func(t *testing.T) {
			c := config()
			_, hash := issuer.NewClientSecret()
			c.Clients = append(c.Clients, issuer.Client{ID: "client_api", Scopes: archive.Scopes, SecretHash: hash})
			f := newFixture(t, c)
			f.do(f.CreateResource(t.Context(), archive))
			f.do(f.ChangeSubject(t.Context(), "ann", issuer.Change{Scope: archive.Scopes}))
			client, err := f.Client(t.Context(), "client_api")
			f.do(err)
			tokens := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_api", Resource: "archive"})
			session, err := f.Session(t.Context(), tokens.SessionID)
			f.do(err)
			found, err := f.Introspect(t.Context(), tokens.Refresh, client)
			if err != nil || found.SessionID != session.ID || found.Audience != "archive" || !found.IssuedAt.Equal(f.clock.Now()) || !found.Expires.Equal(session.IdleExpires) || !session.IdleExpires.Before(session.Expires) {
				t.Errorf("%+v, %v, of %+v", found, err, session)
			}
			f.do(end(f))
			if found, err := f.Introspect(t.Context(), tokens.Refresh, client); !errors.Is(err, issuer.ErrNotFound) {
				t.Errorf("afterwards: %+v, %v", found, err)
			}
		})
	}
}

// TestIntrospectOwn: a client may ask about an access token of its own, whichever resource that is for.
func TestIntrospectOwn(t *testing.T) {
	c := config()
	_, hash := issuer.NewClientSecret()
	c.Clients = append(c.Clients, issuer.Client{ID: "client_api", Scopes: []string{"pets:read"}, SecretHash: hash}, issuer.Client{ID: "client_other", Scopes: []string{"pets:read"}, SecretHash: hash})
	f := newFixture(t, c)
	tokens := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_api"})
	for id, want := range map[string]error{"client_api": nil, "client_other": issuer.ErrNotFound} {
		client, err := f.Client(t.Context(), id)
		f.do(err)
		if _, err := f.Introspect(t.Context(), tokens.Access, client); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", id, err, want)
		}
	}
}
