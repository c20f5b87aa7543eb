package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"unsafe"

	"github.com/jot-auth/jot"
)

// recall verifies tokens that the verifier remembers, in an order that no processor foresees. The cache has room for
// eight times as many, so that hardly one drives out another.
func recall(tokens int) preparation {
	return func(k *keyring) (work, error) {
		v, err := newJotVerifier(k, jot.HS256, jot.VerifierOptions{CacheSize: 8 * tokens})
		if err != nil {
			return nil, err
		}
		incoming, err := k.remembered(v, tokens)
		if err != nil {
			return nil, err
		}
		next := 0
		return repeat(func() error {
			_, err := v.Verify(context.Background(), incoming.receive(next))
			next = (next + 1) % tokens
			return err
		}), nil
	}
}

// inbox receives one token after the other in the same memory, as a server does that has just read a request: that
// memory is in the processor's cache, and only what the verifier remembers may have left it.
type inbox struct {
	buffer []byte
	common int      // how much of the buffer is the same in all tokens
	ends   []string // the rest of each
}

// receive returns a token that is valid until the next one is received. The verifier keeps none.
func (in *inbox) receive(i int) string {
	copy(in.buffer[in.common:], in.ends[i])
	return unsafe.String(&in.buffer[0], len(in.buffer))
}

// remembered makes tokens that differ in their last claim, and lets the verifier see each of them. It fails unless
// nearly all are found again.
func (k *keyring) remembered(v *jot.Verifier, tokens int) (*inbox, error) {
	in := &inbox{}
	claims := newAccessClaims()
	for i := range tokens {
		claims.Methods = []string{"pwd", "otp", fmt.Sprintf("%05d", i)}
		raw, err := k.sign(jot.HS256, claims)
		if err != nil {
			return nil, err
		}
		if in.buffer == nil {
			const digits, signature = 12, 1 + 43 // of base64url, with what stands behind them
			in.buffer, in.common = raw.bytes, len(raw.bytes)-digits-signature
		}
		in.ends = append(in.ends, strings.Clone(raw.text[in.common:]))
	}
	return in, in.introduce(v)
}

// introduce verifies each token twice.
func (in *inbox) introduce(v *jot.Verifier) error {
	first := make([]*jot.Token, len(in.ends))
	forgotten := 0
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(in.ends))
	for pass := range 2 {
		for _, i := range order {
			token, err := v.Verify(context.Background(), in.receive(i))
			if err != nil {
				return err
			}
			if pass == 1 && token != first[i] {
				forgotten++
			}
			first[i] = token
		}
	}
	if forgotten > len(in.ends)/100 {
		return fmt.Errorf("%d of %d tokens were forgotten", forgotten, len(in.ends))
	}
	return nil
}
