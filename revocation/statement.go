package revocation

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

// StatementType is the typ of the signatures that the feed key makes, and of nothing else: no
// statement can pass for a token, and no token for a statement.
const StatementType = "jot-feed+jwt"

// maxLogID bounds the name of a log, in bytes.
const maxLogID = 128

// Statement is what an issuer says, and signs, about its log at one moment.
type Statement struct {
	Head
	Time   time.Time     // when the issuer looked at the head, in milliseconds, on the issuer's clock
	MaxTTL time.Duration // the longest life of a token, in whole seconds: how long rules have to be kept
	Nonce  string        // the asker's, in the first frame of a connection; empty otherwise
	Digest *[32]byte     // SHA-256 of what follows the statement in a snapshot; nil in frames
	Size   int64         // of that, in bytes; 0 in frames

	// Acknowledge asks the reader to tell when the rules up to the head are in force: somebody waits for that.
	Acknowledge bool
}

// statementClaims is the payload of a statement's JWS.
type statementClaims struct {
	Issuer   string `json:"iss"`
	LogID    string `json:"log_id"`
	Sequence uint64 `json:"seq"`
	Hash     string `json:"hash"`
	Time     int64  `json:"time"`
	MaxTTL   int64  `json:"max_ttl"`
	Nonce    string `json:"nonce,omitempty"`
	Digest   string `json:"rules,omitempty"`
	Size     int64  `json:"size,omitempty"`
	Ack      bool   `json:"ack,omitempty"`
}

// Sign returns the statement as a JWS of the issuer (RFC 7515). The signer's key is the feed's, its
// type StatementType.
func (s Statement) Sign(ctx context.Context, signer *jot.Signer, issuer string) (string, error) {
	claims := statementClaims{
		Issuer: issuer, LogID: s.LogID, Sequence: s.Sequence, Hash: base64.RawURLEncoding.EncodeToString(s.Hash[:]),
		Time: s.Time.UnixMilli(), MaxTTL: int64(s.MaxTTL / time.Second), Nonce: s.Nonce, Size: s.Size, Ack: s.Acknowledge,
	}
	if s.Digest != nil {
		claims.Digest = base64.RawURLEncoding.EncodeToString(s.Digest[:])
	}
	return signer.Sign(ctx, claims)
}

// StatementVerifier verifies the statements of one issuer.
type StatementVerifier struct{ verifier *jot.Verifier }

// NewStatementVerifier returns a verifier for statements of the issuer that are signed with one of the
// feed's keys.
func NewStatementVerifier(keys jot.KeySource, issuer string) (*StatementVerifier, error) {
	return newStatementVerifier(keys, issuer, nil)
}

func newStatementVerifier(keys jot.KeySource, issuer string, revoked jot.RevocationChecker) (*StatementVerifier, error) {
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{
		Issuer: issuer, AnyAudience: true, NoExpiry: true,
		Type: StatementType, Algorithms: []jot.Algorithm{jot.EdDSA}, Revocation: revoked,
	})
	if err != nil {
		return nil, err
	}
	return &StatementVerifier{verifier}, nil
}

// Verify checks signature, type and issuer of a signed statement. It says nothing about how fresh it
// is. The error wraps jot.ErrUnavailable when the feed's keys can't be had.
func (v *StatementVerifier) Verify(ctx context.Context, signed string) (Statement, error) {
	token, err := v.verifier.Verify(ctx, signed)
	if errors.Is(err, jot.ErrUnknownKey) {
		return Statement{}, fmt.Errorf("feed statement: %w: give the keys of the feed, which the issuer's metadata name as jot_feed_jwks_uri", err)
	}
	if err != nil {
		return Statement{}, fmt.Errorf("feed statement: %w", err)
	}
	var claims statementClaims
	if err := token.Decode(&claims); err != nil {
		return Statement{}, fmt.Errorf("feed statement: %w", err)
	}
	return claims.statement()
}

const (
	maxTime = 1000 * 253402300799 // Unix milliseconds: the year 9999
	maxLife = 100 * 365 * 24 * time.Hour
)

func (c statementClaims) statement() (Statement, error) {
	switch {
	case c.LogID == "" || len(c.LogID) > maxLogID:
		return Statement{}, errors.New("feed statement: log_id is missing or too long")
	case c.Time <= 0 || c.Time > maxTime:
		return Statement{}, errors.New("feed statement: time is missing or out of range")
	case c.MaxTTL <= 0 || c.MaxTTL > int64(maxLife/time.Second):
		return Statement{}, errors.New("feed statement: max_ttl is missing or out of range")
	case c.Size < 0 || (c.Size != 0) != (c.Digest != ""):
		return Statement{}, errors.New("feed statement: size and digest don't belong together")
	}
	s := Statement{
		Head: Head{LogID: c.LogID, Sequence: c.Sequence},
		Time: time.UnixMilli(c.Time), MaxTTL: time.Duration(c.MaxTTL) * time.Second, Nonce: c.Nonce, Size: c.Size,
		Acknowledge: c.Ack,
	}
	if err := decodeHash(&s.Hash, c.Hash); err != nil {
		return Statement{}, err
	}
	if c.Digest != "" {
		s.Digest = new([32]byte)
		return s, decodeHash(s.Digest, c.Digest)
	}
	return s, nil
}

func decodeHash(hash *[32]byte, text string) error {
	decoded, err := jose.AppendDecode(nil, text)
	if err != nil || len(decoded) != len(hash) {
		return errors.New("feed statement: a hash is not 32 bytes in base64url")
	}
	copy(hash[:], decoded)
	return nil
}
