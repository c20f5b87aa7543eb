package jwk

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// IsPEM reports whether data begins like PEM, white space apart, or has a line that does: text may stand before a block
// (RFC 7468 §2), and OpenSSL writes some. No JSON text has such a line.
func IsPEM(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) || bytes.Contains(data, []byte("\n-----BEGIN "))
}

// ParsePEM reads one PEM block of at most 32 KiB: a private key in PKCS #8, PKCS #1 or SEC 1, or a public one in SPKI,
// PKCS #1 or a certificate, which is a container here: its chain and dates are not checked. The key has passed
// CheckPrivate or CheckPublic; private says which.
func ParsePEM(data []byte) (key any, private bool, err error) {
	block, err := onePEMBlock(data)
	if err != nil {
		return nil, false, err
	}
	switch block.Type {
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		key, err = parsePrivateDER(block)
		private = true
	case "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE":
		key, err = parsePublicDER(block)
	case "ENCRYPTED PRIVATE KEY":
		err = errors.New("this private key is encrypted: decrypt it first, as with openssl pkcs8")
	case "OPENSSH PRIVATE KEY":
		err = errors.New("OpenSSH's own format is not read: convert a copy with ssh-keygen -p -m PKCS8")
	default:
		err = fmt.Errorf("a PEM block of type %.32q holds no key", block.Type)
	}
	if err != nil {
		return nil, false, err
	}
	return key, private, nil
}

func parsePrivateDER(block *pem.Block) (key any, err error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		return parsePKCS1(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		if pkcs1, ok := insidePKCS8(block.Bytes); ok {
			return parsePKCS1(pkcs1)
		}
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, unreadable(block)
	}
	return CheckPrivate(key)
}

func parsePublicDER(block *pem.Block) (key any, err error) {
	switch block.Type {
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = certificate.PublicKey
		}
	default:
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil || key == nil { // a certificate for a key that x509 doesn't know is read without it
		return nil, unreadable(block)
	}
	return CheckPublic(key)
}

// mldsaOID begins the object identifiers of ML-DSA-44, 65 and 87, as DER writes them (RFC 9881 §2).
var mldsaOID = []byte{0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03}

// errUnreadable quotes no error of the packages that read DER: it might hold parts of the key.
var errUnreadable = errors.New("this PEM block holds no key that can be read")

// unreadable says why a block that x509 refused is refused.
func unreadable(block *pem.Block) error {
	if bytes.Contains(block.Bytes, mldsaOID) && !offersMLDSA {
		return errNeedsGo127
	}
	return errUnreadable
}

// errNeedsGo127 is the answer to every ML-DSA key where crypto/mldsa isn't there.
var errNeedsGo127 = errors.New("ML-DSA needs Go 1.27 or later")

// onePEMBlock returns the only block, apart from the curve parameters that OpenSSL writes before a SEC 1 key.
func onePEMBlock(data []byte) (*pem.Block, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("a PEM key has at most %d bytes", maxSize)
	}
	blocks := bytes.Count(data, []byte("-----BEGIN ")) // pem.Decode would pass over a broken one
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
		blocks--
	}
	switch {
	case blocks > 1:
		return nil, fmt.Errorf("a PEM key is one block, and here are %d: give the one with the key", blocks)
	case block == nil:
		return nil, errors.New("this PEM block is damaged")
	case len(bytes.TrimSpace(rest)) != 0:
		return nil, errors.New("something follows the PEM block of this key")
	}
	return block, nil
}

// MarshalPublicPEM writes a public key that CheckPublic accepts as a block "PUBLIC KEY", SPKI (RFC 5280 §4.1).
func MarshalPublicPEM(key crypto.PublicKey) ([]byte, error) {
	checked, err := CheckPublic(key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(checked)
	if err != nil {
		return nil, fmt.Errorf("a key of type %T can't be written as PEM", key)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// MarshalPrivatePEM writes a private key that CheckPrivate accepts as a block "PRIVATE KEY", PKCS #8 (RFC 5958), in the
// clear.
func MarshalPrivatePEM(key crypto.PrivateKey) ([]byte, error) {
	checked, err := CheckPrivate(key)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(checked)
	if err != nil {
		return nil, fmt.Errorf("a key of type %T can't be written as PEM", key)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
