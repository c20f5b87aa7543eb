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

// ReplaceClientSecret gives a stored client a new secret, which makes it confidential if it was public, and returns it:
// it is nowhere else. The old one is good no longer, and neither are its keys. It fails with ErrNotFound or
// ErrDeclared.
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

// ClientProof is how a request says which client it comes from, for an operation that finds out in its own transaction
// (RFC 6749 §2.3). A client that has a secret proves itself with it; a public one has nothing to prove itself with, and
// "" as its secret. Anything else is ErrInvalidClient, a client with keys too: see AuthenticateAssertion.
type ClientProof struct {
	ID     string
	Secret string

	known *Client // the caller has authenticated it
}

// KnownClient is for a caller who has authenticated a client.
func KnownClient(c Client) ClientProof { return ClientProof{ID: c.ID, known: &c} }

// accepts reports whether the proof is that of a client, in constant time.
func (p ClientProof) accepts(c *Client) bool {
	if p.known != nil || !c.Confidential() && p.Secret == "" {
		return true
	}
	sum := sha256.Sum256([]byte(p.Secret))
	return subtle.ConstantTimeCompare(sum[:], c.SecretHash) == 1
}

// proved finds the client of a proof as it is in a transaction. There is no default one here: that is a person's.
func (i *Issuer) proved(r ClientReader, p ClientProof) (*Client, error) {
	if p.ID == "" {
		return nil, ErrInvalidClient
	}
	c, err := i.client(r, p.ID)
	if err == nil && !p.accepts(c) {
		err = ErrInvalidClient
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AuthenticateClient finds the client that a request comes from, where what it asks for doesn't take a ClientProof. It
// fails with ErrInvalidClient.
func (i *Issuer) AuthenticateClient(ctx context.Context, p ClientProof) (Client, error) {
	if p.known != nil {
		return *p.known, nil
	}
	c, err := i.Client(ctx, p.ID)
	if errors.Is(err, ErrNotFound) || err == nil && !p.accepts(&c) {
		err = ErrInvalidClient
	}
	if err != nil {
		return Client{}, err
	}
	return c, nil
}
