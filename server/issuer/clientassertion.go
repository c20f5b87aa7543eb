package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/strictjson"
)

const (
	maxAssertionLife = 10 * time.Minute // from now to exp: so long an assertion that was used is remembered
	maxAssertionID   = 255              // bytes of its jti
	maxAssertion     = 8 << 10          // bytes
	assertionLeeway  = 10 * time.Second // clocks of clients and of this server differ
	maxClientKeys    = 8

	// assertionType says more exactly what kind of JWT it is (draft-ietf-oauth-rfc7523bis); "JWT" and none are taken as
	// well.
	assertionType = "client-authentication+jwt"
)

// ClientKeyAlgorithms are those that a client's keys may be of.
func ClientKeyAlgorithms() []jot.Algorithm { return jot.ClassicalAlgorithms() }

// ParseClientKeySet reads the JWK Set with which a client proves itself: 1 to 8 public keys, each of which names its
// algorithm. It fails with an *InputError.
func ParseClientKeySet(text []byte) (*jot.KeySet, error) {
	keys, err := jot.ParseKeySet(text, jot.ParseOptions{})
	if err != nil {
		return nil, &InputError{"key_set", "must be a JWK Set (RFC 7517 §5)"}
	}
	if err := checkClientKeySet(keys); err != nil {
		return nil, err
	}
	written, err := keys.MarshalJSON() // as a store keeps it, where a key without an ID has its thumbprint for one
	if err != nil {
		return nil, err
	}
	return jot.ParseKeySet(written, jot.ParseOptions{})
}

func checkClientKeySet(keys *jot.KeySet) error {
	if keys == nil {
		return nil
	}
	if len(keys.Skipped()) > 0 || len(keys.Keys()) == 0 || len(keys.Keys()) > maxClientKeys {
		return &InputError{"key_set", "must have 1 to 8 public keys, each with its alg and without private parts"}
	}
	for _, key := range keys.Keys() {
		if !slices.Contains(ClientKeyAlgorithms(), key.Algorithm()) {
			return &InputError{"key_set", "must have keys of ES, PS, RS, EdDSA or Ed25519 algorithms alone"}
		}
	}
	return nil
}

// AuthenticateAssertion finds the client that signed an assertion (private_key_jwt: RFC 7523 §3, RFC 9700 §2.5): a JWT
// under one of its keys, from it and about it, for this issuer's URL and nobody else, that expires within 10 minutes
// and is used once. The token endpoint's address is no audience: an assertion for it could be one that another server
// talked the client into. id is the client that the request names, "" if it names none. Anything else is
// ErrInvalidClient, and uses nothing up.
func (i *Issuer) AuthenticateAssertion(ctx context.Context, id, assertion string) (Client, error) {
	if id == "" {
		id = statedIssuer(assertion)
	}
	c, err := i.Client(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && c.KeySet == nil {
		return Client{}, ErrInvalidClient
	}
	if err != nil {
		return Client{}, err
	}
	token, err := i.verifyAssertion(ctx, &c, assertion)
	if err != nil {
		return Client{}, err
	}
	if err := i.spendAssertion(ctx, &c, token); err != nil {
		return Client{}, err
	}
	return c, nil
}

// statedIssuer is whom an assertion says that it's from; whether it is turns out later.
func statedIssuer(assertion string) string {
	if len(assertion) > maxAssertion {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if strictjson.Unmarshal(jot.Inspect(assertion).Payload.Decoded, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

func (i *Issuer) verifyAssertion(ctx context.Context, c *Client, assertion string) (*jot.Token, error) {
	verifier, err := jot.NewVerifier(c.KeySet, jot.VerifierOptions{
		Issuer: c.ID, Audience: i.config.URL, AnyType: true, RequirePastIssuedAt: true, Leeway: assertionLeeway, MaxSize: maxAssertion, Now: i.config.Now,
	})
	if err != nil {
		return nil, err
	}
	token, err := verifier.Verify(ctx, assertion)
	if err != nil {
		return nil, ErrInvalidClient
	}
	latest := i.config.Now().Add(maxAssertionLife + assertionLeeway)
	if token.Subject() != c.ID || len(token.Audience()) != 1 || token.Expires().After(latest) || !isAssertionType(token.Type()) ||
		token.ID() == "" || len(token.ID()) > maxAssertionID {
		return nil, ErrInvalidClient
	}
	return token, nil
}

func isAssertionType(typ string) bool {
	return typ == "" || strings.EqualFold(typ, plainType) || strings.EqualFold(strings.TrimPrefix(typ, "application/"), assertionType)
}

// spendAssertion notes that an assertion was used.
func (i *Issuer) spendAssertion(ctx context.Context, c *Client, token *jot.Token) error {
	// One insert: of two requests with one assertion, at whichever servers, the unique hash lets one go on.
	err := i.commit(ctx, func(u *update) error {
		return u.InsertAssertion(assertionHash(c.ID, token.ID()), token.Expires().Add(assertionLeeway))
	})
	if errors.Is(err, ErrTaken) {
		return ErrInvalidClient
	}
	return err
}

// assertionHash names an assertion of a client.
func assertionHash(client, id string) []byte {
	hash := sha256.New()
	hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(client))))
	hash.Write([]byte(client + id))
	return hash.Sum(nil)
}

// sweepAssertions forgets those that have expired, also by clocks that differ.
func (u *update) sweepAssertions() (more bool, err error) {
	count, err := u.DeleteAssertions(u.now.Add(-skew), sweepBatch)
	return count > 0, err
}
