package issuer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
)

// secretPrefix begins every client secret, so that one that leaked is found and recognized.
const secretPrefix = "jcs_"

// NewClientSecret makes a secret of 256 random bits, to be shown once, and the hash for Client.SecretHash.
func NewClientSecret() (secret string, hash []byte) {
	b := make([]byte, 32)
	rand.Read(b)
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(b)
	sum := sha256.Sum256([]byte(secret))
	return secret, sum[:]
}

// ReplaceClientSecret gives a stored client a new secret, which makes it confidential if it was public, and returns it: it is nowhere
// else. The old one is good no longer, and neither are its keys. It fails with ErrNotFound or ErrDeclared.
func (i *Issuer) ReplaceClientSecret(ctx context.Context, id string) (secret string, err error) {
	secret, hash := NewClientSecret()
	_, err = i.ChangeClient(ctx, id, func(c *Client) error {
		c.SecretHash, c.KeySet = hash, nil
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// AuthenticateClient finds the client that a request comes from (RFC 6749 §2.3). A client that has a secret proves itself with it; a
// public one has nothing to prove itself with, and "" as its secret. Anything else is ErrInvalidClient, a client with keys too: see AuthenticateAssertion.
func (i *Issuer) AuthenticateClient(ctx context.Context, id, secret string) (Client, error) {
	c, err := i.Client(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Client{}, ErrInvalidClient
	}
	if err != nil {
		return Client{}, err
	}
	if !c.Confidential() && secret == "" {
		return c, nil
	}
	sum := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(sum[:], c.SecretHash) != 1 {
		return Client{}, ErrInvalidClient
	}
	return c, nil
}
