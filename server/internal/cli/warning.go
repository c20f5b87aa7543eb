package cli

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	cookieSize   = 4096     // what browsers store of a cookie, at most (RFC 6265 §6.1)
	verifierSize = 16 << 10 // what a verifier of this library accepts unless told otherwise
)

// signatureSizes are fixed by the algorithm, in bytes; RSA's are the key's.
var signatureSizes = map[string]int{
	"HS256": 32, "HS384": 48, "HS512": 64,
	"ES256": 64, "ES384": 96, "ES512": 132,
	"EdDSA": 64, "Ed25519": 64,
	"ML-DSA-44": 2420, "ML-DSA-65": 3309, "ML-DSA-87": 4627,
}

// warnings are what a person who made this token should know.
func (a *anatomy) warnings() []string {
	var list []string
	for _, leak := range findLeaks(a.payload.members) {
		list = append(list, leak.String())
	}
	if !a.encrypted {
		for _, p := range a.signers() {
			list = append(list, a.signatureWarnings(p)...)
		}
	}
	switch size := len(a.raw); {
	case size > verifierSize:
		list = append(list, "the token is larger than the 16 KiB that verifiers accept unless told otherwise")
	case size > cookieSize:
		list = append(list, "the token is larger than the 4096 bytes that a cookie holds")
	}
	return list
}

// signatureWarnings hold a signature against its algorithm. Of a broken token it's said already why no verifier accepts
// it.
func (a *anatomy) signatureWarnings(p party) []string {
	named := p.member("alg")
	if named == nil && len(a.problems) == 0 {
		return []string{"the header names no alg, without which no verifier accepts this (RFC 7515 §4.1.1)"}
	}
	var alg string
	if json.Unmarshal(named, &alg) != nil {
		return nil
	}
	size, known := signatureSizes[alg]
	switch got := len(p.sealed.content); {
	case strings.EqualFold(alg, "none"):
		return []string{"alg is none: there is no signature, anybody could have written this token"}
	case known && got != size && !p.sealed.broken:
		return []string{fmt.Sprintf("a signature of %s has %d bytes, this one has %d", alg, size, got)}
	}
	return nil
}
