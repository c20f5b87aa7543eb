package oauth_test

import (
	"testing"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// TestBoundUserInfo: a token that is bound to a key gets past the door of UserInfo with its proof, each once, and never without. Behind it, it lacks openid (403).
func TestBoundUserInfo(t *testing.T) {
	f := serve(t, "https://auth.example.com/base")
	holder, thief := f.prover(), f.prover()
	subject := f.tokens().Subject
	issue := func(g issuer.Grant) string {
		g.Subject, g.ClientID = subject, app
		tokens, err := f.issuer.Issue(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		return tokens.Access
	}
	bound, free := issue(issuer.Grant{KeyThumbprint: holder.Thumbprint()}), issue(issuer.Grant{})
	proof := func(p *prover, method, path, token, nonce string) string {
		proof, err := p.Sign(t.Context(), jothttp.ProofTarget{Method: method, URL: "https://auth.example.com" + path, AccessToken: token, Nonce: nonce})
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	const here = "/base/userinfo"
	used := proof(holder, "GET", here, bound, holder.nonce)
	for _, c := range []struct {
		name, scheme, token, proof string
		status                     int
	}{
		{"with its proof", "DPoP", bound, used, 403},
		{"in other letters", "dpop", bound, proof(holder, "GET", here, bound, holder.nonce), 403},
		{"the proof again", "DPoP", bound, used, 401},
		{"without one", "DPoP", bound, "", 401},
		{"without a nonce", "DPoP", bound, proof(holder, "GET", here, bound, ""), 401},
		{"as a bearer token", "Bearer", bound, proof(holder, "GET", here, bound, holder.nonce), 401},
		{"another key's proof", "DPoP", bound, proof(thief, "GET", here, bound, holder.nonce), 401},
		{"another method's", "DPoP", bound, proof(holder, "POST", here, bound, holder.nonce), 401},
		{"another path's", "DPoP", bound, proof(holder, "GET", "/userinfo", bound, holder.nonce), 401},
		{"another token's", "DPoP", bound, proof(holder, "GET", here, free, holder.nonce), 401},
		{"a token that isn't bound", "DPoP", free, proof(holder, "GET", here, free, holder.nonce), 401},
	} {
		headers := []string{"Authorization", c.scheme + " " + c.token}
		if c.proof != "" {
			headers = append(headers, "DPoP", c.proof)
		}
		a := f.get("/base/userinfo", headers...)
		if a.status != c.status || a.header.Get("WWW-Authenticate") == "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v %s", c.name, a.status, a.header, a.body)
		}
		if wanted := c.name == "without a nonce"; wanted != (a.header.Get("DPoP-Nonce") != "") {
			t.Errorf("%s: DPoP-Nonce is %q", c.name, a.header.Get("DPoP-Nonce"))
		}
	}
}
