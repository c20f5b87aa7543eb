package issuer_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// FuzzForeignLogout: whatever another issuer signs, it's refused as its mistake, or it is about tokens of that issuer
// alone, for no longer than they live, in a rule that every verifier takes.
func FuzzForeignLogout(f *testing.F) {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	c := issuer.Config{URL: "https://auth.example.com", Now: func() time.Time { return now }, ForeignIssuers: []issuer.ForeignIssuer{
		{URL: foreignURL, Audience: "our-id", MaxTTL: time.Hour, Keys: jot.NewKeySet(key.Public())},
	}}
	open, err := issuer.ForeignLogoutRules(c)
	if err != nil {
		f.Fatal(err)
	}
	const start, event = `{"iss":"https://idp.example.com/","aud":"our-id","iat":1893553445,"exp":1893553565,"jti":"1",`, `"events":{"http://schemas.openid.net/event/backchannel-logout":{}}`
	for _, seed := range []string{
		"", "{}", start + event + "}", start + event + `,"sub":"zoe"}`, start + event + `,"sid":"s1"}`, start + event + `,"sub":"zoe","sid":"s1"}`,
		start + event + `,"sub":"\u0000","sid":null}`, start + event + `,"sub":"zoe","nonce":null}`, start + event + `,"sub":"\ud800"}`, start + `"events":{},"sub":"zoe"}`,
	} {
		f.Add("logout+jwt", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, typ string, claims []byte) {
		header, err := json.Marshal(map[string]string{"alg": "EdDSA", "kid": key.KeyID(), "typ": typ})
		if err != nil {
			t.Fatal(err)
		}
		input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims)
		signature, err := key.SignInput(t.Context(), []byte(input))
		if err != nil {
			t.Fatal(err)
		}
		rule, err := open(t.Context(), input+"."+base64.RawURLEncoding.EncodeToString(signature))
		var refused *issuer.InputError
		switch {
		case err != nil && !errors.As(err, &refused):
			t.Errorf("%s %s: %v", typ, claims, err)
		case err == nil && (rule.Validate() != nil || rule.Issuer != foreignURL || rule.Kind != revocation.Session && rule.Kind != revocation.BareSession && rule.Kind != revocation.SubjectIssuedAt):
			t.Errorf("%s %s: %+v, %v", typ, claims, rule, rule.Validate())
		case err == nil && (rule.Minimum > now.Add(2*time.Minute).Unix() || rule.Expires > now.Add(2*time.Hour).Unix()):
			t.Errorf("%s %s reaches into the future: %+v", typ, claims, rule)
		}
	})
}
