package jot

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
)

const (
	scalarSize         = 32 // of P-256
	ecdsaSignatureSize = 2 * scalarSize
)

var errForeignSignature = errors.New("jot: the signer returned something that is not an ECDSA signature")

// sign returns the JWS signature of the signing input (RFC 7515 §5.1).
func (k *PrivateKey) sign(input []byte) ([]byte, error) {
	signature, err := k.signRaw(input)
	if err != nil {
		return nil, fmt.Errorf("jot: signing with %v: %w", k, err)
	}
	if !k.public.verifiesSize(signature) {
		return nil, fmt.Errorf("jot: signing with %v: the signer returned a signature of %d bytes", k, len(signature))
	}
	return signature, nil
}

func (k *PrivateKey) signRaw(input []byte) ([]byte, error) {
	s, _ := schemeOf(k.public.alg)
	if s.family == familyEd25519 {
		return k.material.signer.Sign(rand.Reader, input, crypto.Hash(0))
	}
	digest := sha256.Sum256(input)
	signature, err := k.material.signer.Sign(rand.Reader, digest[:], s.hash)
	if err == nil && s.family == familyECDSA {
		return rawFromDER(signature)
	}
	return signature, err
}

func (k *PublicKey) verifiesSize(signature []byte) bool {
	switch material := k.material.(type) {
	case *ecdsa.PublicKey:
		return len(signature) == ecdsaSignatureSize
	case ed25519.PublicKey:
		return len(signature) == ed25519.SignatureSize
	case *rsa.PublicKey:
		return len(signature) == material.Size()
	}
	return false
}

// verify reports whether signature is this key's over the signing input (RFC 7515 §5.2).
func (k *PublicKey) verify(input, signature []byte) bool {
	if !k.verifiesSize(signature) {
		return false
	}
	switch material := k.material.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(input)
		var buffer [maxDERSize]byte
		der := derFromRaw(buffer[:0], signature)
		return ecdsa.VerifyASN1(material, digest[:], der)
	case ed25519.PublicKey:
		return ed25519.Verify(material, input, signature)
	case *rsa.PublicKey:
		digest := sha256.Sum256(input)
		return rsa.VerifyPKCS1v15(material, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

func (k *SecretKey) sign(input []byte) (signature []byte, _ error) {
	k.material.sum(input, func(mac []byte) { signature = slices.Clone(mac) })
	return signature, nil
}

func (k *SecretKey) verify(input, signature []byte) (equal bool) {
	k.material.sum(input, func(mac []byte) { equal = subtle.ConstantTimeCompare(mac, signature) == 1 })
	return equal
}

// maxDERSize is a SEQUENCE of two INTEGERs of a scalar each, every one with a header of two bytes and
// the INTEGERs with a sign byte.
const maxDERSize = 2 + 2*(2+1+scalarSize)

// derFromRaw turns r‖s (RFC 7518 §3.4) into the ASN.1 that crypto/ecdsa verifies, appending to dst.
func derFromRaw(dst, raw []byte) []byte {
	dst = append(dst, 0x30, 0)
	dst = appendDERInteger(dst, raw[:scalarSize])
	dst = appendDERInteger(dst, raw[scalarSize:])
	dst[1] = byte(len(dst) - 2)
	return dst
}

func appendDERInteger(dst, scalar []byte) []byte {
	for len(scalar) > 1 && scalar[0] == 0 {
		scalar = scalar[1:]
	}
	if scalar[0] >= 0x80 {
		dst = append(dst, 0x02, byte(len(scalar)+1), 0)
	} else {
		dst = append(dst, 0x02, byte(len(scalar)))
	}
	return append(dst, scalar...)
}

// rawFromDER turns the ASN.1 that a crypto.Signer returns into r‖s.
func rawFromDER(der []byte) ([]byte, error) {
	if len(der) < 2 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, errForeignSignature
	}
	raw := make([]byte, ecdsaSignatureSize)
	rest, ok := readDERInteger(raw[:scalarSize], der[2:])
	if !ok {
		return nil, errForeignSignature
	}
	rest, ok = readDERInteger(raw[scalarSize:], rest)
	if !ok || len(rest) != 0 {
		return nil, errForeignSignature
	}
	return raw, nil
}

// readDERInteger writes the next INTEGER right-aligned into scalar and returns what follows it.
func readDERInteger(scalar, der []byte) (rest []byte, ok bool) {
	if len(der) < 2 || der[0] != 0x02 || int(der[1]) > len(der)-2 || der[1] == 0 {
		return nil, false
	}
	value, rest := der[2:2+der[1]], der[2+der[1]:]
	for len(value) > 1 && value[0] == 0 {
		value = value[1:]
	}
	if len(value) > len(scalar) {
		return nil, false
	}
	copy(scalar[len(scalar)-len(value):], value)
	return rest, true
}
