package issuer

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"

	"github.com/jot-auth/jot"
)

// idClaims are those of an ID token (OpenID Connect Core 1.0 §2). It is for the client alone: its audience is a client,
// its type JWT, and it has neither client_id nor scope, so that no API takes it for an access token.
type idClaims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   string   `json:"aud"`
	Expires    int64    `json:"exp"`
	IssuedAt   int64    `json:"iat"`
	AuthTime   int64    `json:"auth_time"`
	Nonce      string   `json:"nonce,omitempty"` // of the first one only, as §12.2 advises
	ACR        string   `json:"acr,omitempty"`
	AMR        []string `json:"amr,omitempty"`
	SessionID  string   `json:"sid"`
	AccessHash string   `json:"at_hash"`
}

// idDraft is an ID token that waits for the access token that it goes with.
type idDraft struct {
	claims idClaims
	key    *signingKey
}

// The classes of authentication (acr): by one factor, and by more than one (RFC 8176, mfa).
const (
	ACROneFactor  = "urn:jot:acr:1fa"
	ACRTwoFactors = "urn:jot:acr:2fa"
)

func acrOf(amr []string) string {
	switch {
	case slices.Contains(amr, "mfa"):
		return ACRTwoFactors
	case len(amr) > 0:
		return ACROneFactor
	}
	return ""
}

// draftID drafts the ID token of a session that has one, as long-lived as its access token.
func (m moment) draftID(d *draft, client *Client, resource *Resource, access accessClaims) error {
	if !slices.Contains(d.scope, scopeOpenID) || !isIdentity(scopeOpenID, resource) {
		return nil
	}
	key, err := m.issuer.keys.Load().signer(plainType, client.Algorithm, m.issuer.config.Algorithm)
	if err != nil {
		return err
	}
	d.id = &idDraft{key: key, claims: idClaims{
		Issuer: access.Issuer, Subject: access.Subject, Audience: client.ID, Expires: access.Expires, IssuedAt: access.IssuedAt,
		AuthTime: access.AuthTime, ACR: access.ACR, AMR: access.AMR, SessionID: access.SessionID,
	}}
	return nil
}

func (d *idDraft) sign(ctx context.Context, access string) (string, error) {
	d.claims.AccessHash = accessHash(d.key.signer.Algorithm(), access)
	return d.key.sign(ctx, d.claims)
}

// accessHash is the left half of the access token's hash, by the hash of the ID token's algorithm (OpenID Connect Core
// 1.0 §3.1.3.6).
func accessHash(algorithm jot.Algorithm, access string) string {
	if algorithm == jot.EdDSA { // Ed25519 hashes with SHA-512
		sum := sha512.Sum512([]byte(access))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
