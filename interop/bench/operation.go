package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"runtime"
	"strings"
	"sync"

	"github.com/jot-auth/jot"
)

// work does the same thing n times; it fails if it once came out otherwise than expected.
type work func(n int) error

// preparation makes the keys, options and tokens of a work, which then aren't measured.
type preparation func(k *keyring) (work, error)

// operation is a line of the table: something that jot does, what it's held against, and the other libraries doing the
// same.
type operation struct {
	name    string
	against baseline // without one, the line is in nanoseconds
	jot     preparation
	peers   func(library) preparation // nil where no other library has the like

	goal        float64   // at most this often the baseline, or this many nanoseconds
	allocations allowance // at most this many
}

// allowance is a number of allocations, beyond those of something that can't do without.
type allowance struct {
	count  float64
	beyond preparation
}

func atMost(count float64) allowance { return allowance{count: count} }

func beyond(prepare preparation, count float64) allowance { return allowance{count, prepare} }

// noAllowance is for a line whose goal says nothing of allocations.
var noAllowance = allowance{count: -1}

// operations are the lines of the table.
func operations() []operation {
	lines := []operation{
		{"HS256 `Check`", freshHMAC, check(jot.HS256), nil, 1.15, atMost(0)},
		{"HS256 `Check`", reusedHMAC, check(jot.HS256), nil, 2.4, atMost(0)},
		{"HS256 `Verify`", freshHMAC, verify(jot.HS256), nil, 1.7, atMost(3)},
		{"HS256 `Verify[T]`, all claims decoded", freshHMAC, decode(jot.HS256)(jotLibrary()), decode(jot.HS256), decodingGoal(), beyond(decodeJSON, 3)},
	}
	for _, alg := range algorithms[1:] {
		base := signatureCheck(alg)
		lines = append(lines,
			operation{fmt.Sprintf("%s `Verify`", alg), base, verify(alg), nil, 1.08, beyond(base.prepare, 3)},
			operation{fmt.Sprintf("%s `Verify[T]`, all claims decoded", alg), base, decode(alg)(jotLibrary()), decode(alg), 0, noAllowance})
	}
	lines = append(lines, operation{"HS256 sign, registered claims", macOfSigned, sign(jot.HS256)(jotLibrary()), sign(jot.HS256), 1.6, atMost(1)})
	for _, alg := range algorithms[1:] {
		base := signature(alg)
		lines = append(lines,
			operation{fmt.Sprintf("%s sign, registered claims", alg), base, sign(alg)(jotLibrary()), sign(alg), 1.10, beyond(base.prepare, 3)})
	}
	return append(lines,
		operation{"HS256, bad signature", reusedHMAC, refuse, refuseWith, 1.3, atMost(0)},
		operation{"token over the size limit", baseline{}, refuseSize, nil, 50, atMost(0)},
		operation{"HS256 `Verify` on all cores", baseline{"the same, on one", verify(jot.HS256)}, inParallel(verify(jot.HS256)), nil, 1.1, noAllowance},
		operation{"HS256 `Verify` from the cache, one token", baseline{}, recall(1), nil, 200, atMost(0)},
		operation{"HS256 `Verify` from the cache, 10,000 tokens in turn", baseline{}, recall(10_000), nil, 600, atMost(0)},
	)
}

// decodingGoal depends on the JSON package of the Go release.
func decodingGoal() float64 {
	if version.Compare(runtime.Version(), "go1.27") >= 0 {
		return 3
	}
	return 6
}

func repeat(once func() error) work {
	return func(n int) error {
		for range n {
			if err := once(); err != nil {
				return err
			}
		}
		return nil
	}
}

var errAccepted = errors.New("a bad token was accepted")

// repeatRefusal looks once, before the others, whether it is this refusal, or any one where it's nil.
func repeatRefusal(once func() error, refusal error) work {
	return func(n int) error {
		if err := once(); err != nil && refusal != nil && !errors.Is(err, refusal) {
			return err
		}
		for range n {
			if once() == nil {
				return errAccepted
			}
		}
		return nil
	}
}

// check verifies and keeps nothing.
func check(alg jot.Algorithm) preparation {
	return func(k *keyring) (work, error) {
		v, raw, err := jotAndToken(k, alg)
		return repeat(func() error { return v.Check(context.Background(), raw.text) }), err
	}
}

// verify makes a Token.
func verify(alg jot.Algorithm) preparation {
	return func(k *keyring) (work, error) {
		v, raw, err := jotAndToken(k, alg)
		return repeat(func() error {
			_, err := v.Verify(context.Background(), raw.text)
			return err
		}), err
	}
}

func jotAndToken(k *keyring, alg jot.Algorithm) (*jot.Verifier, token, error) {
	raw, err := k.sign(alg, newAccessClaims())
	if err != nil {
		return nil, token{}, err
	}
	v, err := newJotVerifier(k, alg, jot.VerifierOptions{})
	return v, raw, err
}

// decode verifies and decodes every claim into a struct.
func decode(alg jot.Algorithm) func(library) preparation {
	return func(lib library) preparation {
		return func(k *keyring) (work, error) {
			raw, err := k.sign(alg, newAccessClaims())
			if err != nil {
				return nil, err
			}
			v, err := lib.verifier(k, alg)
			if err != nil || v == nil {
				return nil, err
			}
			return repeat(func() error { return v(raw, nil) }), nil
		}
	}
}

// decodeJSON is what no library that decodes with encoding/json can do without.
func decodeJSON(k *keyring) (work, error) {
	payload, err := json.Marshal(newAccessClaims())
	return repeat(func() error { return json.Unmarshal(payload, new(jotClaims)) }), err
}

// sign makes a token of the registered claims.
func sign(alg jot.Algorithm) func(library) preparation {
	return func(lib library) preparation {
		return func(k *keyring) (work, error) {
			s, err := lib.signer(k, alg)
			if err != nil || s == nil {
				return nil, err
			}
			return repeat(func() error {
				_, err := s()
				return err
			}), nil
		}
	}
}

// forged is a token with another one's signature.
func (k *keyring) forged(alg jot.Algorithm) (token, error) {
	raw, err := k.sign(alg, newAccessClaims())
	if err != nil {
		return token{}, err
	}
	claims := newAccessClaims()
	claims.ID = "another"
	other, err := k.sign(alg, claims)
	return raw.withSignatureOf(other), err
}

// refuse checks a token with a bad signature, where good ones have come by before.
func refuse(k *keyring) (work, error) {
	raw, err := k.forged(jot.HS256)
	if err != nil {
		return nil, err
	}
	v, good, err := jotAndToken(k, jot.HS256)
	if err != nil {
		return nil, err
	}
	if err := v.Check(context.Background(), good.text); err != nil {
		return nil, err
	}
	return repeatRefusal(func() error { return v.Check(context.Background(), raw.text) }, jot.ErrSignature), nil
}

// refuseWith is refuse for the other libraries.
func refuseWith(lib library) preparation {
	return func(k *keyring) (work, error) {
		raw, err := k.forged(jot.HS256)
		if err != nil {
			return nil, err
		}
		v, err := lib.verifier(k, jot.HS256)
		return repeatRefusal(func() error { return v(raw, nil) }, nil), err
	}
}

// refuseSize checks a token that is one byte longer than the default limit of 16 KiB.
func refuseSize(k *keyring) (work, error) {
	const limit = 16 << 10
	v, raw, err := jotAndToken(k, jot.HS256)
	long := raw.text + strings.Repeat("A", limit+1-len(raw.text))
	return repeatRefusal(func() error { return v.Check(context.Background(), long) }, jot.ErrTooLarge), err
}

// inParallel shares the repetitions between as many goroutines as there are cores.
func inParallel(prepare preparation) preparation {
	return func(k *keyring) (work, error) {
		one, err := prepare(k)
		return func(n int) error {
			var group sync.WaitGroup
			workers := runtime.GOMAXPROCS(0)
			results := make([]error, workers)
			for i := range workers {
				group.Go(func() { results[i] = one((n + workers - 1) / workers) })
			}
			group.Wait()
			return errors.Join(results...)
		}, err
	}
}
