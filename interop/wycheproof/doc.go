// Package wycheproof holds jot against the JOSE vectors of Wycheproof (https://github.com/C2SP/wycheproof), which come
// as a Go module: signatures, encryption, keys, and the Diffie-Hellman vectors whose keys are JWKs. Its tests always
// run:
//
//	go test ./interop/wycheproof
//
// Add -update to write what was found into docs/conformance.md, which the tests hold against every later run.
package wycheproof
