package jot

import "context"

// RevocationFacts are what revocation rules go by. The byte slices alias the token's bytes and are valid during the
// call only.
type RevocationFacts struct {
	// "iss", "sub", "sid", "jti" and "client_id" of the token; nil where it has none.
	Issuer, Subject, SessionID, ID, ClientID []byte

	// KeyID is that of the key which verified the token; the header's may be missing, or another where the key was made
	// without an ID. Such a public key has its thumbprint here, and such a secret key nothing: a rule reaches a key by
	// the name that the verifier's key has.
	KeyID string
	// IssuedAt is "iat" in Unix seconds, rounded down; it counts only where HasIssuedAt is set.
	IssuedAt    int64
	HasIssuedAt bool
	// Generation is "gen", the count of changes to the subject's claims; 0 where the token has none.
	Generation uint64
}

// Verdict is what revocation rules say of a token. The zero value is the strictest.
type Verdict int

const (
	// Revoked refuses the token with ErrRevoked.
	Revoked Verdict = iota
	// StaleClaims refuses the token with ErrStaleClaims: its subject's claims were changed, and the old ones must not
	// count.
	StaleClaims
	// RefreshAdvised accepts the token, and Token.RefreshAdvised tells that newer claims are to be had.
	RefreshAdvised
	// Current accepts the token.
	Current
)

// RevocationChecker says whether a token whose signature and policy passed has been revoked. It's asked for each token,
// on the path of each request: it answers from memory. An error means that it can't know, for example because it lost
// its feed; the verifier wraps it in ErrUnavailable. Package revocation has one that follows a server's feed.
type RevocationChecker interface {
	CheckRevocation(ctx context.Context, facts *RevocationFacts) (Verdict, error)
}
