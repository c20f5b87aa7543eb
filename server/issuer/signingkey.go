package issuer

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot"
)

// signingKey is a key that signs tokens of one type.
type signingKey struct {
	signer   *jot.Signer
	overhead int  // bytes of a token beside its payload
	remote   bool // whoever holds the private half may be out of reach
}

// newSigningKey asks for no signature to learn its size: a remote key may take long to answer.
func newSigningKey(key *jot.PrivateKey, typ string, remote bool) (*signingKey, error) {
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: typ})
	if err != nil {
		return nil, err
	}
	header, err1 := json.Marshal(map[string]string{"alg": string(key.Algorithm()), "kid": key.KeyID(), "typ": typ})
	signature, err2 := signatureSize(key.Public())
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	encoded := base64.RawURLEncoding.EncodedLen
	return &signingKey{signer, encoded(len(header)) + len("..") + encoded(signature), remote}, nil
}

// sign signs a token. A key that is elsewhere may be out of reach: that is ErrUnavailable.
func (k *signingKey) sign(ctx context.Context, claims any) (string, error) {
	token, err := k.signer.Sign(ctx, claims)
	switch {
	case err != nil && k.remote:
		return "", fmt.Errorf("%w: signing a token: %w", ErrUnavailable, err)
	case err != nil:
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return token, nil
}

// signatureSize returns the bytes of a key's signatures (RFC 7518 §3.3 and §3.4, RFC 8037 §3.1).
func signatureSize(key *jot.PublicKey) (int, error) {
	if key.Algorithm() != jot.RS256 {
		return 64, nil
	}
	text, err := json.Marshal(key)
	if err != nil {
		return 0, err
	}
	var parameters struct {
		Modulus string `json:"n"`
	}
	err = json.Unmarshal(text, &parameters)
	return base64.RawURLEncoding.DecodedLen(len(parameters.Modulus)), err
}

// activeKey is what the active key of an algorithm signs with, by the type of the token.
type activeKey struct {
	since  time.Time
	byType map[string]*signingKey
}

func newActiveKey(k Key, private *jot.PrivateKey) (activeKey, error) {
	active := activeKey{since: k.Activated, byType: make(map[string]*signingKey)}
	for _, typ := range []string{accessType, plainType, logoutType} {
		key, err := newSigningKey(private, typ, k.Remote)
		if err != nil {
			return activeKey{}, err
		}
		active.byType[typ] = key
	}
	return active, nil
}

// signer returns the key for tokens of a type: of the first of the algorithms that is named and has an active key. A
// key that was asked for a moment ago isn't active until verifiers hold it; then, and after a change of the
// configuration, the one that was activated last signs.
func (ring *keyring) signer(typ string, algorithms ...jot.Algorithm) (*signingKey, error) {
	typ = cmp.Or(typ, accessType)
	for _, algorithm := range algorithms {
		if active, ok := ring.active[algorithm]; ok {
			return active.byType[typ], nil
		}
	}
	var newest activeKey
	for _, active := range ring.active {
		if newest.byType == nil || active.since.After(newest.since) {
			newest = active
		}
	}
	if newest.byType == nil {
		return nil, errKeysMissing
	}
	return newest.byType[typ], nil
}
