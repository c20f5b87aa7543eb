package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
)

// TestBoundCode: a code that was asked for with dpop_jkt (RFC 9449 §10) is good with that key alone, and no other
// attempt burns it.
func TestCodeBoundBeforehand(t *testing.T) {
	f := serve(t)
	prover := func() *jothttp.ProofSigner {
		key, err := jot.GenerateKey(jot.ES256)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := jothttp.NewProofSigner(key, nil)
		if err != nil {
			t.Fatal(err)
		}
		return signer
	}
	redeem := func(code string, by *jothttp.ProofSigner) (int, map[string]any) {
		r, err := http.NewRequest("POST", f.server.URL+"/base/oauth2/token", strings.NewReader(form("grant_type", "authorization_code", "client_id", app, "code", code,
			"redirect_uri", callback, "code_verifier", verifier).Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if by != nil {
			proof, err := by.Sign(t.Context(), jothttp.ProofTarget{Method: "POST", URL: issuerURL + "/oauth2/token", Nonce: f.issuer.DPoPNonce()})
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("DPoP", proof)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var members map[string]any
		if err := json.NewDecoder(response.Body).Decode(&members); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, members
	}
	holder, thief := prover(), prover()
	b := f.browser()
	code := b.logIn(b.authorize("dpop_jkt", holder.Thumbprint())).code(t)
	for name, by := range map[string]*jothttp.ProofSigner{"another key": thief, "no key": nil} {
		if status, members := redeem(code, by); status != 400 || members["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, members)
		}
	}
	status, members := redeem(code, holder)
	if status != 200 || members["token_type"] != "DPoP" {
		t.Fatalf("%d %v", status, members)
	}
	if status, members := redeem(b.authorize().code(t), thief); status != 200 || members["token_type"] != "DPoP" {
		t.Errorf("without dpop_jkt any key is good: %d %v", status, members)
	}
}
