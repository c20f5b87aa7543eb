package jwk

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
)

// checkCertificate holds the first certificate of "x5c" against the key (RFC 7517 §4.7). Nothing else is read from the
// chain, and nobody's trust in the key comes from it: whoever wrote the key wrote the chain.
func (k *Key) checkCertificate(public crypto.PublicKey) error {
	if !k.certified {
		return nil
	}
	if len(k.certificates) == 0 {
		return errors.New(`member "x5c" of this JWK holds no certificate`)
	}
	first := k.certificates[0]
	der, err := base64.StdEncoding.Strict().DecodeString(first)
	if err != nil || strings.ContainsAny(first, "\r\n") { // the decoder passes over line breaks
		return errors.New(`member "x5c" of this JWK is not base64 with padding and without line breaks (RFC 7517 §4.7)`)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return errors.New(`the first certificate in "x5c" of this JWK can't be read`)
	}
	if !equal(public, certificate.PublicKey) {
		return errors.New(`the first certificate in "x5c" of this JWK is for another key (RFC 7517 §4.7)`)
	}
	return nil
}
