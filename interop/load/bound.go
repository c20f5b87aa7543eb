package main

import (
	"context"
	"net/http"
	"net/url"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// boundSessions are sessions that are bound to a key (RFC 9449). This program signs the proofs: their CPU time isn't
// the server's.
type boundSessions struct {
	sessions
	signer *jothttp.ProofSigner
	nonce  string // that the server gave last
}

// newBoundSessions makes a key, to which issue binds the sessions whose refresh tokens it returns.
func newBoundSessions(issue func(thumbprint string) ([]string, error)) (*boundSessions, error) {
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		return nil, err
	}
	signer, err := jothttp.NewProofSigner(key, nil)
	if err != nil {
		return nil, err
	}
	tokens, err := issue(signer.Thumbprint())
	return &boundSessions{sessions: sessions{tokens: tokens}, signer: signer}, err
}

// refreshingBound is refreshing with a proof of the key in each request.
func (w *world) refreshingBound() call {
	return func(ctx context.Context, n int) error {
		own := w.bound[n]
		return own.refresh(func(token string, answer any) error {
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {client}}
			if own.nonce == "" { // the first request learns it
				own.ask(ctx, w.caller, form, answer)
			}
			return own.ask(ctx, w.caller, form, answer)
		})
	}
}

// ask sends a form to the token endpoint with a proof.
func (b *boundSessions) ask(ctx context.Context, c *caller, form url.Values, answer any) error {
	proof, err := b.signer.Sign(ctx, jothttp.ProofTarget{Method: http.MethodPost, URL: issuerURL + "/oauth2/token", Nonce: b.nonce})
	if err != nil {
		return err
	}
	header, err := c.with(jothttp.ProofHeader, proof).postForHeader(ctx, "/oauth2/token", formType, form.Encode(), answer)
	if nonce := header.Get(jothttp.NonceHeader); nonce != "" {
		b.nonce = nonce
	}
	return err
}
