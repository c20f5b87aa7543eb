package jothttp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/strictjson"
)

const (
	// ProofHeader bears a DPoP proof (RFC 9449 §4.1).
	ProofHeader = "DPoP"
	// NonceHeader bears the nonce for the next proofs (RFC 9449 §8.1).
	NonceHeader = "DPoP-Nonce"

	proofType = "dpop+jwt"

	maxProof          = 4 << 10 // bytes
	maxProofID        = 255     // bytes of its jti
	maxProofSignature = 512     // bytes of its signature, an RSA key's of 4096 bits: a stranger's larger ones would keep the server busy
	defaultProofAge   = time.Minute
	proofAhead        = 10 * time.Second // clocks of clients differ
	defaultMaxProofs  = 1 << 16
)

// The errors of a proof. Neither quotes it.
var (
	// ErrProof is a DPoP proof that isn't good, or is missing (RFC 9449 §5, invalid_dpop_proof).
	ErrProof = errors.New("jothttp: no good DPoP proof")
	// ErrNonce is a DPoP proof without a nonce that is good now: the client tries again with the one in DPoP-Nonce (RFC
	// 9449 §8, use_dpop_nonce).
	ErrNonce = errors.New("jothttp: the DPoP proof lacks a nonce of ours that is still good")
)

// errOtherKey is a good proof that is somebody else's.
var errOtherKey = badProof("its key isn't the one that the token is bound to")

func badProof(reason string) error { return fmt.Errorf("%w: %s", ErrProof, reason) }

// Nonces make and check the nonces that proofs are to bear (RFC 9449 §8), so that none is made ahead of its time. Both
// methods are called concurrently.
type Nonces interface {
	// DPoPNonce returns the one for new proofs: unpredictable, and of the characters of base64url.
	DPoPNonce() string
	// CheckDPoPNonce reports whether a proof with this nonce is of our time.
	CheckDPoPNonce(nonce string) bool
}

// ProofOptions say which DPoP proofs are good. The zero value is a good default.
type ProofOptions struct {
	// Algorithms are the accepted ones. Empty means ProofAlgorithms.
	Algorithms []jot.Algorithm
	// MaxAge is how old a proof may be, by its iat, which may be 10 s ahead. Zero means a minute.
	MaxAge time.Duration
	// MaxProofs bounds how many proofs are remembered for MaxAge, in some 50 bytes each and as many for each key: what
	// comes beyond is answered 503 rather than accepted twice. One key's proofs are at most as many as there is still
	// room for, so half of all where it's alone. Zero means 65,536.
	MaxProofs int
	// Nonces are demanded of each proof. Nil means that none is.
	Nonces Nonces
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// ProofAlgorithms are the algorithms of DPoP proofs that are accepted by default: the classical ones, since a header
// bears both key and signature.
func ProofAlgorithms() []jot.Algorithm { return jot.ClassicalAlgorithms() }

// ProofVerifier checks DPoP proofs (RFC 9449 §4.3), and remembers them, so that each is good once. Several servers for
// one address each have a memory of their own: nonces bound what a proof is worth at another. It's safe for concurrent
// use.
type ProofVerifier struct {
	options  ProofOptions
	verifier *jot.Verifier
	replays  replays
}

// NewProofVerifier makes a ProofVerifier. It fails for negative options, and for an algorithm that is none of
// ProofAlgorithms.
func NewProofVerifier(o ProofOptions) (*ProofVerifier, error) {
	if o.MaxAge < 0 || o.MaxProofs < 0 {
		return nil, errors.New("jothttp: MaxAge and MaxProofs are not negative")
	}
	if len(o.Algorithms) == 0 {
		o.Algorithms = ProofAlgorithms()
	}
	for _, alg := range o.Algorithms {
		if !slices.Contains(ProofAlgorithms(), alg) {
			return nil, fmt.Errorf("jothttp: %.32q signs no DPoP proofs: see ProofAlgorithms", alg)
		}
	}
	if o.MaxAge == 0 {
		o.MaxAge = defaultProofAge
	}
	if o.MaxProofs == 0 {
		o.MaxProofs = defaultMaxProofs
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	verifier, err := jot.NewVerifier(keyInProof{}, jot.VerifierOptions{
		AnyIssuer: true, AnyAudience: true, Type: proofType, NoExpiry: true, Algorithms: o.Algorithms, MaxSize: maxProof, Now: o.Now,
	})
	if err != nil {
		return nil, err
	}
	o.Algorithms = slices.Clone(o.Algorithms)
	return &ProofVerifier{options: o, verifier: verifier, replays: replays{window: o.MaxAge + proofAhead, limit: o.MaxProofs}}, nil
}

// Algorithms are those that it accepts.
func (v *ProofVerifier) Algorithms() []jot.Algorithm { return slices.Clone(v.options.Algorithms) }

// ProofRequest is a request that bears a proof, and what the proof has to say.
type ProofRequest struct {
	Fields      []string // the values of the header DPoP: there must be one
	Method      string
	URL         string // by which the client called, with scheme and host; a query doesn't count
	AccessToken string // beside the proof; "" at a token endpoint
	Thumbprint  string // of the one key that may have signed it, such as jot.Token.Confirmation says; "" is any
}

// Proof is a proof that was good.
type Proof struct {
	// Thumbprint is that of its key (RFC 7638): the base64url of the SHA-256.
	Thumbprint string
	// Nonce is the one for the next proofs, to be told in the header DPoP-Nonce; "" when the client has it already, or
	// none is demanded.
	Nonce string

	replays *replays
	used    use
}

// Forget lets the proof be used again. It's for a request that failed and gained nothing: so nobody without a grant
// fills the memory of proofs.
func (p *Proof) Forget() { p.replays.forget(p.used) }

// Verify checks a request's proof, and uses it up. It fails with ErrProof, with ErrNonce, and with jot.ErrUnavailable
// when there is no room to remember the proof.
func (v *ProofVerifier) Verify(ctx context.Context, r ProofRequest) (*Proof, error) {
	if len(r.Fields) != 1 {
		return nil, badProof(fmt.Sprintf("%d headers DPoP, want one", len(r.Fields)))
	}
	raw := r.Fields[0]
	key, thumbprint, err := v.readKey(raw)
	if err != nil {
		return nil, err
	}
	token, err := v.verifier.Verify(context.WithValue(ctx, keyInProof{}, key), raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProof, err)
	}
	now := v.options.Now()
	if err := v.judge(token, r, now); err != nil {
		return nil, err
	}
	if r.Thumbprint != "" && r.Thumbprint != thumbprint {
		return nil, errOtherKey
	}
	nonce, err := v.nextNonce(token)
	if err != nil {
		return nil, err
	}
	proof := &Proof{Thumbprint: thumbprint, Nonce: nonce, replays: &v.replays, used: useOf(thumbprint, token.ID())}
	switch fresh, room := v.replays.remember(proof.used, now); {
	case !room:
		return nil, fmt.Errorf("%w: too many DPoP proofs at once", jot.ErrUnavailable)
	case !fresh:
		return nil, badProof("it was used before")
	}
	return proof, nil
}

// keyInProof is the key that a proof brings along (RFC 9449 §4.2): the source of the one verifier for all of them, and
// its place in a context.
type keyInProof struct{}

func (keyInProof) VerificationKeys(ctx context.Context, _ jot.Algorithm, _ string) ([]jot.VerificationKey, error) {
	return []jot.VerificationKey{ctx.Value(keyInProof{}).(*jot.PublicKey)}, nil
}

// readKey reads the public key in a proof's header, which nothing has been checked of. Its algorithm is the header's.
func (v *ProofVerifier) readKey(raw string) (*jot.PublicKey, string, error) {
	if len(raw) > maxProof {
		return nil, "", badProof("it has more than 4 KiB")
	}
	proof := jot.Inspect(raw)
	if len(proof.Signature.Decoded) > maxProofSignature {
		return nil, "", badProof("its signature has more than 512 bytes")
	}
	var header struct {
		Algorithm jot.Algorithm   `json:"alg"`
		Key       json.RawMessage `json:"jwk"`
	}
	if strictjson.Unmarshal(proof.Header.Decoded, &header) != nil || !bytes.HasPrefix(header.Key, []byte("{")) {
		return nil, "", badProof("its header has no key")
	}
	if !slices.Contains(v.options.Algorithms, header.Algorithm) {
		return nil, "", badProof("its algorithm isn't one of those that are accepted")
	}
	key, err := jot.ParsePublicKey(header.Key, jot.ParseOptions{Algorithm: header.Algorithm})
	if err != nil {
		return nil, "", badProof("the key in its header isn't a public one for its algorithm")
	}
	digest, err := key.Thumbprint(crypto.SHA256)
	return key, base64.RawURLEncoding.EncodeToString(digest), err
}

// judge holds a proof whose signature is good against its request.
func (v *ProofVerifier) judge(token *jot.Token, r ProofRequest, now time.Time) error {
	var claims struct {
		Method    string `json:"htm"`
		URL       string `json:"htu"`
		TokenHash string `json:"ath"`
	}
	hash := sha256.Sum256([]byte(r.AccessToken))
	issued := token.IssuedAt()
	switch {
	case token.Decode(&claims) != nil:
		return badProof("a claim has another type")
	case claims.Method != r.Method:
		return badProof("it's for another method")
	case !sameTarget(claims.URL, r.URL):
		return badProof("it's for another address")
	case token.ID() == "" || len(token.ID()) > maxProofID:
		return badProof("its jti is missing or longer than 255 bytes")
	case issued.IsZero() || now.Sub(issued) > v.options.MaxAge || issued.Sub(now) > proofAhead:
		return badProof("it wasn't made just now")
	case r.AccessToken != "" && claims.TokenHash != base64.RawURLEncoding.EncodeToString(hash[:]):
		return badProof("it's for another access token")
	}
	return nil
}

// nextNonce judges the proof's nonce, and returns the next one if that's another.
func (v *ProofVerifier) nextNonce(token *jot.Token) (string, error) {
	if v.options.Nonces == nil {
		return "", nil
	}
	var claims struct {
		Nonce string `json:"nonce"`
	}
	if token.Decode(&claims) != nil || !v.options.Nonces.CheckDPoPNonce(claims.Nonce) {
		return "", ErrNonce
	}
	if next := v.options.Nonces.DPoPNonce(); next != claims.Nonce {
		return next, nil
	}
	return "", nil
}
