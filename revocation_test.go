package jot_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/jot-auth/jot"
)

type revocationFunc func(*jot.RevocationFacts) (jot.Verdict, error)

func (f revocationFunc) CheckRevocation(_ context.Context, facts *jot.RevocationFacts) (jot.Verdict, error) {
	return f(facts)
}

func withRevocation(f revocationFunc) jot.VerifierOptions {
	o := strict()
	o.Revocation = f
	return o
}

func TestRevocationVerdicts(t *testing.T) {
	key := generateSecret(t)
	raw := sign(t, key, jot.SignerOptions{}, with(with(claims(), "sid", "s1"), "gen", 3))
	for verdict, want := range map[jot.Verdict]error{
		jot.Current: nil, jot.RefreshAdvised: nil, jot.StaleClaims: jot.ErrStaleClaims, jot.Revoked: jot.ErrRevoked, jot.Verdict(99): jot.ErrRevoked,
	} {
		verifier := newVerifier(t, jot.NewSecretKeySet(key), withRevocation(func(f *jot.RevocationFacts) (jot.Verdict, error) {
			if string(f.Issuer) != issuer || string(f.SessionID) != "s1" || string(f.Subject) != "ada" || f.Generation != 3 || f.IssuedAt != noon.Unix() || f.KeyID != key.KeyID() || f.ID != nil || f.ClientID != nil {
				t.Errorf("facts %+v", f)
			}
			return verdict, nil
		}))
		token, err := verifier.Verify(t.Context(), raw)
		if !errors.Is(err, want) || (token == nil) != (want != nil) {
			t.Errorf("verdict %d: %v", verdict, err)
		}
		if token != nil && token.RefreshAdvised() != (verdict == jot.RefreshAdvised) {
			t.Errorf("verdict %d: advised %v", verdict, token.RefreshAdvised())
		}
	}
}

// Revocation is asked last: a token that is refused anyway tells the checker nothing.
func TestRevocationIsAskedLast(t *testing.T) {
	key := generateSecret(t)
	verifier := newVerifier(t, jot.NewSecretKeySet(key), withRevocation(func(*jot.RevocationFacts) (jot.Verdict, error) {
		t.Error("asked")
		return jot.Revoked, nil
	}))
	verifier.Check(t.Context(), sign(t, key, jot.SignerOptions{}, with(claims(), "exp", noon.Unix())))
	verifier.Check(t.Context(), sign(t, generateSecret(t), jot.SignerOptions{}, claims()))
}

// A checker that appends to what it's given must not write into the token.
func TestRevocationCheckerMayAppend(t *testing.T) {
	key := generateSecret(t)
	o := withRevocation(func(f *jot.RevocationFacts) (jot.Verdict, error) {
		for _, fact := range [][]byte{f.Issuer, f.Subject, f.SessionID, f.ID, f.ClientID} {
			_ = append(fact, "overwritten overwritten overwritten"...)
		}
		return jot.Current, nil
	})
	raw := sign(t, key, jot.SignerOptions{}, claims())
	token, err := newVerifier(t, jot.NewSecretKeySet(key), o).Verify(t.Context(), raw)
	if err != nil || token.Subject() != "ada" || !json.Valid(token.Payload()) {
		t.Errorf("%q, %v", token.Payload(), err)
	}
}
