package jot

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

func isPEM(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) }

func parsePrivatePEM(data []byte, o ParseOptions) (*PrivateKey, error) {
	block, err := onePEMBlock(data, o)
	if err != nil {
		return nil, err
	}
	var key any
	switch block.Type {
	case "PRIVATE KEY": // PKCS #8
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY": // PKCS #1
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY": // SEC 1
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("jot: this private key is encrypted: decrypt it first, as with openssl pkcs8")
	default:
		return nil, fmt.Errorf("jot: a PEM block of type %.32q holds no private key", block.Type)
	}
	signer, ok := key.(crypto.Signer)
	if err != nil || !ok {
		return nil, fmt.Errorf("jot: this PEM block holds no usable private key for %s", o.Algorithm)
	}
	return NewPrivateKey(o.Algorithm, signer, KeyOptions{})
}

func parsePublicPEM(data []byte, o ParseOptions) (*PublicKey, error) {
	block, err := onePEMBlock(data, o)
	if err != nil {
		return nil, err
	}
	var key crypto.PublicKey
	switch block.Type {
	case "PUBLIC KEY": // SPKI
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY": // PKCS #1
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = certificate.PublicKey
		}
	default:
		return nil, fmt.Errorf("jot: a PEM block of type %.32q holds no public key", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("jot: this PEM block holds no usable public key for %s", o.Algorithm)
	}
	return NewPublicKey(o.Algorithm, key, KeyOptions{})
}

// onePEMBlock returns the only block, apart from the curve parameters that OpenSSL writes before a SEC 1 key.
func onePEMBlock(data []byte, o ParseOptions) (*pem.Block, error) {
	if len(data) > maxKeySize {
		return nil, fmt.Errorf("jot: a PEM key has at most %d bytes", maxKeySize)
	}
	if o.Algorithm == "" {
		return nil, errors.New("jot: a PEM key doesn't name its algorithm: state it in ParseOptions")
	}
	blocks := bytes.Count(data, []byte("-----BEGIN ")) // pem.Decode would pass over a broken one
	block, rest := pem.Decode(data)
	if block != nil && block.Type == "EC PARAMETERS" {
		block, rest = pem.Decode(rest)
		blocks--
	}
	if block == nil || blocks != 1 || len(bytes.TrimSpace(rest)) != 0 {
		return nil, errors.New("jot: a PEM key is exactly one block")
	}
	return block, nil
}
