package jottest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// Refused returns one of each kind of token that an API answers with 401, by what is wrong with it. All but that is
// right: subject, scope and further claims are as stated, so that nothing else can be the reason. Tokens that were
// revoked are not among them: see RevokeToken. A verifier that waives a check, such as AnyAudience, accepts the token
// that only this check refuses.
//
//	for fault, token := range issuer.Refused(jottest.Claims{"scope": "pets:read"}) {
//		t.Run(fault, func(t *testing.T) { … })
//	}
func (i *Issuer) Refused(claims Claims) map[string]string {
	i.tb.Helper()
	now, own := i.Clock.Now(), i.signingKey()
	stranger := pool.key(i.tb, i.options.Algorithm)
	with := func(name string, value any) string {
		altered := Claims{}
		maps.Copy(altered, claims)
		altered[name] = value
		return i.Token(altered)
	}
	good := i.Token(claims)
	header, payload, signature := split(good)
	return map[string]string{
		"expired":          with("exp", now.Add(-time.Hour)),
		"not valid yet":    with("nbf", now.Add(time.Hour)),
		"no expiry":        with("exp", nil),
		"another issuer":   with("iss", "https://somebody-else.example"),
		"another audience": with("aud", "somebody-else"),
		"another type":     i.sign(own, "jottest-other+jwt", claims),

		"unknown key":     i.sign(stranger, i.options.Type, claims),
		"another key":     i.resign(stranger, header+"."+payload),
		"altered header":  encode(`{"alg":"`+string(own.Algorithm())+`"}`) + "." + payload + "." + signature,
		"altered claims":  header + "." + i.alterPayload(payload) + "." + signature,
		"altered bytes":   header + "." + payload + "." + alterFirst(signature),
		"no signature":    header + "." + payload + ".",
		"algorithm none":  encode(`{"alg":"none","typ":"`+i.options.Type+`"}`) + "." + payload + ".",
		"public key HMAC": i.confuse(own.Public(), payload),
		"cut off":         good[:len(good)/2],
	}
}

// resign signs another key's token.
func (i *Issuer) resign(key jot.SigningKey, input string) string {
	i.tb.Helper()
	signature, err := key.SignInput(context.Background(), []byte(input))
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// confuse signs with HMAC, and the public key as its secret (RFC 8725 §2.1).
func (i *Issuer) confuse(public *jot.PublicKey, payload string) string {
	i.tb.Helper()
	secret, err := json.Marshal(public)
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	key, err := jot.NewSecretKey(jot.HS256, secret, jot.KeyOptions{KeyID: public.KeyID()})
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	header := `{"alg":"HS256","kid":"` + public.KeyID() + `","typ":"` + i.options.Type + `"}`
	return i.resign(key, encode(header)+"."+payload)
}

// alterPayload adds a claim.
func (i *Issuer) alterPayload(payload string) string {
	i.tb.Helper()
	decoded, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		i.tb.Fatalf("jottest: %v", err)
	}
	return encode(`{"jottest_admin":true,` + strings.TrimPrefix(string(decoded), "{"))
}

// alterFirst changes the first character, which no padding bits are in.
func alterFirst(signature string) string {
	if signature[0] == 'A' {
		return "B" + signature[1:]
	}
	return "A" + signature[1:]
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func split(raw string) (header, payload, signature string) {
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, _ = strings.Cut(rest, ".")
	return header, payload, signature
}
