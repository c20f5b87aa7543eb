package jot

import (
	"errors"

	"github.com/jot-auth/jot/internal/jwk"
)

func parsePrivatePEM(data []byte, o ParseOptions) (*PrivateKey, error) {
	alg, options, err := o.settle("", "")
	if err != nil {
		return nil, err
	}
	key, private, err := jwk.ParsePEM(data)
	if err != nil {
		return nil, prefixed(err)
	}
	if !private {
		return nil, errors.New("jot: this PEM block holds a public key where a private one is expected")
	}
	return newCheckedKey(alg, key, options)
}

func parsePublicPEM(data []byte, o ParseOptions) (*PublicKey, error) {
	alg, options, err := o.settle("", "")
	if err != nil {
		return nil, err
	}
	key, private, err := jwk.ParsePEM(data)
	if err != nil {
		return nil, prefixed(err)
	}
	if private {
		return nil, errPrivateAsPublic
	}
	return NewPublicKey(alg, key, options)
}

// ExportPEM returns the key as a PEM block "PUBLIC KEY", SPKI (RFC 5280 §4.1.2.7). It holds neither the algorithm nor
// the key ID.
func (k *PublicKey) ExportPEM() ([]byte, error) {
	if !k.usable() {
		return nil, errNoKey
	}
	return exported(jwk.MarshalPublicPEM(k.material))
}

// ExportPEM returns the key as a PEM block "PRIVATE KEY", PKCS #8 (RFC 5958), in the clear: whoever reads it can sign
// in this key's name. It holds neither the algorithm nor the key ID. A key whose material is out of reach, as in an
// HSM, is an error.
func (k *PrivateKey) ExportPEM() ([]byte, error) {
	material, err := k.exportable()
	if err != nil {
		return nil, err
	}
	return exported(jwk.MarshalPrivatePEM(material))
}

func exported(text []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, prefixed(err)
	}
	return text, nil
}
