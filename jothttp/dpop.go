package jothttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jot-auth/jot"
)

// DPoP says how [Protect] takes access tokens that are bound to a key (RFC 9449 §7): in the Authorization header, as
// "DPoP" and a token, with a proof in the header DPoP.
type DPoP struct {
	// Proofs checks the proofs. Required. Protects of one address share it, so that a proof which one has taken is good
	// for no other.
	Proofs *ProofVerifier
	// Base is the address by which clients know this server's root, such as https://api.example.com: a proof is for an
	// address, and what a request says of it, in its header Host, could be another server's. Required.
	Base string
	// Required refuses tokens that aren't bound.
	Required bool
}

// errBinding is a token that came without the proof that it needs, or with one that it has no use for.
var errBinding = fmt.Errorf("%w: the token's binding to a key isn't proved", jot.ErrInvalidToken)

// check panics for mistakes in the program.
func (d *DPoP) check() {
	if d.Proofs == nil {
		panic("jothttp: DPoP.Proofs is nil: make one with jothttp.NewProofVerifier")
	}
	if target, ok := normalTarget(d.Base); !ok || strings.ContainsAny(d.Base, "?#") || strings.HasSuffix(d.Base, "/") || target == "" {
		panic("jothttp: DPoP.Base is no address of a server: write it as https://api.example.com, without a slash at its end")
	}
}

func (d *DPoP) algorithms() string {
	var names []string
	for _, alg := range d.Proofs.options.Algorithms {
		names = append(names, string(alg))
	}
	return strings.Join(names, " ")
}

// checkBinding holds the way in which a verified token came against what it's bound to.
func (g *guard) checkBinding(w http.ResponseWriter, r *http.Request, token *jot.Token, f found) error {
	thumbprint, bound := token.Confirmation()
	if f.scheme != schemeDPoP {
		if bound || g.DPoP != nil && g.DPoP.Required {
			return errBinding
		}
		return nil
	}
	if thumbprint == "" {
		return errBinding
	}
	proof, err := g.DPoP.Proofs.Verify(r.Context(), ProofRequest{
		Fields: r.Header.Values(ProofHeader), Method: r.Method, URL: g.DPoP.Base + pathOf(r), AccessToken: f.token, Thumbprint: thumbprint,
	})
	if errors.Is(err, errOtherKey) {
		return errBinding
	}
	if err == nil && proof.Nonce != "" {
		w.Header().Set(NonceHeader, proof.Nonce)
	}
	return err
}

// pathOf is the path as the client wrote it, whatever handlers in front have cut off. A "#" in it, which no client
// should write, is a part of it as it is for those handlers.
func pathOf(r *http.Request) string {
	path := r.RequestURI
	if path == "" || !strings.HasPrefix(path, "/") {
		path = r.URL.EscapedPath()
	}
	path, _, _ = strings.Cut(path, "?")
	return strings.ReplaceAll(path, "#", "%23")
}
