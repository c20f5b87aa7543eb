package jot_test

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// accessClaims are those of an access token of some 400 bytes.
func accessClaims() map[string]any {
	return map[string]any{
		"iss": issuer, "sub": "JBSWY3DPEHPK3PXPJBSWY3DPEH", "aud": audience, "client_id": "client_app",
		"exp": noon.Unix() + 900, "iat": noon.Unix(), "jti": "MFRGGZDFMZTWQ2LKNNWG23TPOA", "sid": "GEZDGNBVGY3TQOJQGEZDGNBVGY",
		"gen": 3, "scope": "pets:read pets:write", "auth_time": noon.Unix() - 60, "amr": []string{"pwd"},
		"licensedFeatures": []string{"insights", "export"},
	}
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Log("under the race detector sync.Pool drops at random: the counts are pinned by the run without it")
		return
	}
	key := generateSecret(t)
	raw := sign(t, key, jot.SignerOptions{}, accessClaims())
	forged := raw[:len(raw)-4] + "AAAA"
	verifier := newVerifier(t, jot.NewSecretKeySet(key), strict())
	huge := strings.Repeat("a", 16<<10+1)
	ctx := t.Context()
	for _, test := range []struct {
		name string
		want float64
		run  func() error
		ok   bool
	}{
		{"Check", 0, func() error { return verifier.Check(ctx, raw) }, true},
		{"Check of a forged token", 0, func() error { return verifier.Check(ctx, forged) }, false},
		{"Check of a token that is too large", 0, func() error { return verifier.Check(ctx, huge) }, false},
		{"Verify", 3, func() error { _, err := verifier.Verify(ctx, raw); return err }, true},
	} {
		got := testing.AllocsPerRun(200, func() {
			if err := test.run(); (err == nil) != test.ok {
				t.Fatal(err)
			}
		})
		if got != test.want {
			t.Errorf("%s allocates %v times, not %v", test.name, got, test.want)
		}
	}
}

func BenchmarkHS256(b *testing.B) {
	key := generateSecret(b)
	raw := sign(b, key, jot.SignerOptions{}, accessClaims())
	verifier := newVerifier(b, jot.NewSecretKeySet(key), strict())
	b.Run("Check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := verifier.Check(b.Context(), raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := verifier.Verify(b.Context(), raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
