package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Keys is what this package needs of an *issuer.Issuer about signing keys.
type Keys interface {
	Keys(ctx context.Context) ([]issuer.Key, error)
	ListKeys(ctx context.Context, f issuer.KeyFilter, p issuer.Page) (keys []issuer.Key, next string, err error)
	RotateKey(ctx context.Context, o issuer.RotateOptions) (issuer.Rotation, error)
	ImportKey(ctx context.Context, key *jot.PrivateKey) error
	RevokeKey(ctx context.Context, kid string) error
}

type keyAnswer struct {
	ID        string     `json:"kid"`
	Purpose   string     `json:"purpose"`
	Algorithm string     `json:"alg,omitempty"`
	State     string     `json:"state"`
	Created   time.Time  `json:"created"`
	Activated *time.Time `json:"activated,omitempty"`
	Expires   *time.Time `json:"expires,omitempty"` // of a retiring key: when it leaves the key set
}

func newKeyAnswer(k issuer.Key) keyAnswer {
	return keyAnswer{
		ID: k.ID, Purpose: string(k.Purpose), Algorithm: string(k.Algorithm), State: string(k.State),
		Created: k.Created, Activated: optional(k.Activated), Expires: optional(k.Expires),
	}
}

type keysAnswer struct {
	Keys []keyAnswer `json:"keys"`
	Next string      `json:"next,omitempty"`
}

// listKeys answers a page of the keys that there ever were, newest first. Of the private ones it says nothing.
func (a *API) listKeys(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "purpose", "state", "alg")
	page := q.page()
	filter := issuer.KeyFilter{Purpose: issuer.Purpose(q.text("purpose")), State: issuer.KeyState(q.text("state")), Algorithm: jot.Algorithm(q.text("alg"))}
	if q.err != nil {
		return q.err
	}
	keys, next, err := a.issuer.ListKeys(r.Context(), filter, page)
	if err != nil {
		return err
	}
	answer := keysAnswer{Keys: []keyAnswer{}, Next: next}
	for _, k := range keys {
		answer.Keys = append(answer.Keys, newKeyAnswer(k))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

type importRequest struct {
	Key       string `json:"key"` // the text of a private key: JWK or PEM
	Algorithm string `json:"alg"` // of a key that doesn't name its own
}

// importKey takes a private key from elsewhere as the next one.
func (a *API) importKey(w http.ResponseWriter, r *http.Request) error {
	var req importRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	key, err := jot.ParsePrivateKey([]byte(req.Key), jot.ParseOptions{Algorithm: jot.Algorithm(req.Algorithm)})
	if err != nil { // what's wrong with it may quote it
		return &issuer.InputError{Field: "key", Reason: "must be one private key that can sign, as JWK or PEM, with alg where it names none"}
	}
	if err := a.issuer.ImportKey(r.Context(), key); err != nil {
		return err
	}
	keys, err := a.issuer.Keys(r.Context())
	if err != nil {
		return err
	}
	n := slices.IndexFunc(keys, func(k issuer.Key) bool { return k.ID == key.KeyID() })
	if n < 0 {
		return issuer.ErrNotFound // it was replaced already
	}
	web.WriteJSON(w, http.StatusCreated, newKeyAnswer(keys[n]))
	return nil
}

type rotateRequest struct {
	Purpose   string `json:"purpose"`   // access, which is the default, or feed
	Algorithm string `json:"alg"`       // "": the server's own
	DryRun    bool   `json:"dry_run"`   // only says what would be done
	Emergency bool   `json:"emergency"` // revokes the key that signs now
}

type rotationAnswer struct {
	Purpose       string     `json:"purpose"`
	Algorithm     string     `json:"alg"`
	DryRun        bool       `json:"dry_run"`
	Active        string     `json:"active,omitempty"` // the key that signs then
	Retiring      string     `json:"retiring,omitempty"`
	RetiringUntil *time.Time `json:"retiring_until,omitempty"`
	Revoked       string     `json:"revoked,omitempty"`
	Next          string     `json:"next,omitempty"`
	Due           *time.Time `json:"due,omitempty"` // of a rotation that is scheduled: when it is carried out
	Published     int        `json:"published"`
	Limit         int        `json:"limit"`
}

// rotateKey makes the next key sign, or says what that would do.
func (a *API) rotateKey(w http.ResponseWriter, r *http.Request) error {
	var req rotateRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	done, err := a.issuer.RotateKey(r.Context(), issuer.RotateOptions{
		Purpose: issuer.Purpose(req.Purpose), Algorithm: jot.Algorithm(req.Algorithm), DryRun: req.DryRun, Emergency: req.Emergency,
	})
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, rotationAnswer{
		Purpose: string(done.Purpose), Algorithm: string(done.Algorithm), DryRun: req.DryRun, Active: done.Active, Retiring: done.Retiring, RetiringUntil: optional(done.RetiringUntil),
		Revoked: done.Revoked, Next: done.Next, Due: optional(done.Due), Published: done.Published, Limit: done.Limit,
	})
	return nil
}

// revokeKey takes a signing key out of use at once, with every token that it signed, or a key of the feed.
func (a *API) revokeKey(w http.ResponseWriter, r *http.Request) error {
	if err := a.issuer.RevokeKey(r.Context(), r.PathValue("kid")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
