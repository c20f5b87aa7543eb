package jothttp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// ProofSigner makes DPoP proofs (RFC 9449 §4.2) with a client's key. It's safe for concurrent use. The zero value makes
// none.
type ProofSigner struct {
	signer     *jot.Signer
	thumbprint string
	now        func() time.Time
}

// ProofTarget is a request that a proof is for.
type ProofTarget struct {
	Method      string
	URL         string // with or without a query, which the proof leaves out
	AccessToken string // that goes with it; "" at a token endpoint
	Nonce       string // that the server gave last; "": none
}

// NewProofSigner makes a ProofSigner of a key of one of ProofAlgorithms. now is the clock; nil means time.Now.
func NewProofSigner(key *jot.PrivateKey, now func() time.Time) (*ProofSigner, error) {
	if key == nil {
		return nil, errors.New("jothttp: a ProofSigner needs a key: make one with jot.GenerateKey")
	}
	if !slices.Contains(ProofAlgorithms(), key.Algorithm()) {
		return nil, fmt.Errorf("jothttp: %.32q signs no DPoP proofs: see ProofAlgorithms", key.Algorithm())
	}
	if now == nil {
		now = time.Now
	}
	public, err := key.Public().MarshalJSON()
	if err != nil {
		return nil, err
	}
	digest, err := key.Public().Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: proofType, Header: map[string]any{"jwk": json.RawMessage(public)}})
	if err != nil {
		return nil, err
	}
	return &ProofSigner{signer, base64.RawURLEncoding.EncodeToString(digest), now}, nil
}

// Thumbprint is that of the key, as tokens and dpop_jkt name it.
func (s *ProofSigner) Thumbprint() string { return s.thumbprint }

// Sign makes a proof for one request, to be sent in the header DPoP.
func (s *ProofSigner) Sign(ctx context.Context, t ProofTarget) (string, error) {
	if s.signer == nil {
		return "", errors.New("jothttp: the zero value of a ProofSigner is none: use NewProofSigner")
	}
	target, _, _ := strings.Cut(t.URL, "#")
	target, _, _ = strings.Cut(target, "?")
	claims := struct {
		Method    string `json:"htm"`
		URL       string `json:"htu"`
		IssuedAt  int64  `json:"iat"`
		ID        string `json:"jti"`
		TokenHash string `json:"ath,omitempty"`
		Nonce     string `json:"nonce,omitempty"`
	}{Method: t.Method, URL: target, IssuedAt: s.now().Unix(), ID: rand.Text(), Nonce: t.Nonce}
	if t.AccessToken != "" {
		hash := sha256.Sum256([]byte(t.AccessToken))
		claims.TokenHash = base64.RawURLEncoding.EncodeToString(hash[:])
	}
	return s.signer.Sign(ctx, claims)
}
