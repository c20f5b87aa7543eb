package vectors

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// JWT judges claims sets: the case says what the verifier demands, and its clock.
func JWT(deviations map[string]string) Suite {
	return Suite{"JWT", openJWT, func(*Case) *Text { return nil }, deviations}
}

func openJWT(c *Case) ([]byte, error) {
	algorithms, source, err := c.keys()
	if err != nil {
		return nil, err
	}
	verifier, err := jot.NewVerifier(source, c.Options.verifier(algorithms))
	if err != nil {
		return nil, err
	}
	raw := c.Token
	if c.TokenFile != "" {
		raw = deepToken(source)
	}
	token, err := verifier.Verify(context.Background(), raw)
	if err != nil {
		return nil, err
	}
	if o := c.Options; o.Issuer != nil && token.Issuer() != *o.Issuer || o.ID != nil && token.ID() != *o.ID {
		return nil, errors.New("accepted, with other claims")
	}
	return nil, nil
}

// verifier translates what a case demands. A case that says nothing of a claim lets it be; the demand for an empty
// issuer can't be stated, and is held against the token's accessor afterwards.
func (o Options) verifier(algorithms []jot.Algorithm) jot.VerifierOptions {
	translated := jot.VerifierOptions{
		NoExpiry: true, Algorithms: algorithms, Type: o.Type, AnyType: o.Type == "" && !o.NoType, RequirePastIssuedAt: o.PastIssuedAt,
		Leeway: time.Duration(o.Skew * float64(time.Second)), AnyIssuer: true, NoAudience: o.NoAudience,
	}
	if o.Issuer != nil && *o.Issuer != "" {
		translated.AnyIssuer, translated.Issuer = false, *o.Issuer
	}
	if o.Audience != nil {
		translated.Audience = *o.Audience
	}
	translated.AnyAudience = translated.Audience == "" && !o.NoAudience
	if o.Now != nil {
		seconds, fraction := math.Modf(*o.Now)
		now := time.Unix(int64(seconds), int64(fraction*1e9))
		translated.Now = func() time.Time { return now }
	}
	return translated
}

// deepToken is a signed token whose payload is nested 110,000 levels deep: the collection leaves it out for its size.
func deepToken(source jot.KeySource) string {
	const levels = 110_000
	keys, err := source.VerificationKeys(context.Background(), jot.HS256, "")
	if err != nil {
		panic(err)
	}
	signature := func(input string) string {
		mac, err := keys[0].(*jot.SecretKey).SignInput(context.Background(), []byte(input))
		if err != nil {
			panic(err)
		}
		return encode(mac)
	}
	input := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(strings.Repeat(`{"a":`, levels)+`""`+strings.Repeat("}", levels)))
	return input + "." + signature(input)
}
