package issuer

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxAccessToken is what fits into the cookie __Host-jot: its name and value have 4096 bytes at most (RFC 6265bis), and
// the sign between them is counted to be safe.
const maxAccessToken = 4096 - len("__Host-jot=")

// accessClaims are the claims that the issuer sets (RFC 9068 §2.2).
type accessClaims struct {
	Issuer     string   `json:"iss"`
	Subject    string   `json:"sub"`
	Audience   string   `json:"aud"`
	ClientID   string   `json:"client_id"`
	Expires    int64    `json:"exp"`
	IssuedAt   int64    `json:"iat"`
	ID         string   `json:"jti"`
	SessionID  string   `json:"sid,omitempty"`
	Generation uint64   `json:"gen"`
	Scope      string   `json:"scope,omitempty"`
	AuthTime   int64    `json:"auth_time,omitempty"`
	ACR        string   `json:"acr,omitempty"`
	AMR        []string `json:"amr,omitempty"`

	Confirmation *confirmation `json:"cnf,omitempty"`
	Actor        *actor        `json:"act,omitempty"`
}

// confirmation binds a token to the key of whoever may use it (RFC 9449 §6.1).
type confirmation struct {
	Thumbprint string `json:"jkt"`
}

// draft is an access token whose every claim is settled but which isn't signed yet, and the refresh token that goes
// with it. Drafts are made inside a transaction, so that all claims are of one moment, and signed outside of it, so
// that nobody waits for a signature.
type draft struct {
	subject string
	at      time.Time     // of the transaction
	session *Session      // nil of a client that acts for itself
	ends    time.Duration // how long the session lasts at most
	scope   []string
	payload json.RawMessage
	life    time.Duration
	key     *signingKey
	id      *idDraft // nil where no ID token goes with it
	bound   string   // thumbprint of the key that the token is bound to; "" of a bearer token
}

// terms are what is particular about a token. The zero value is a bearer token that lives as long as the resource and
// the client have it.
type terms struct {
	thumbprint string    // of the key that it's bound to; "": none
	actor      *actor    // of an exchanged one
	until      time.Time // the end of the token that it was exchanged for; zero: none
}

// draft settles the claims of an access token: of a session, or without one of a client that acts for itself. It fails
// with ErrInvalidGrant when the session is over, with ErrProofRequired, or with a *TokenSizeError.
func (m moment) draft(subject *Subject, session *Session, client *Client, resource *Resource, scope []string, t terms) (*draft, error) {
	if err := client.checkBinding(t.thumbprint); err != nil {
		return nil, err
	}
	issued := m.now.Truncate(time.Second)
	expires := issued.Add(client.accessTTL(resource))
	claims := accessClaims{
		Issuer: m.issuer.config.URL, Subject: subject.ID, Audience: resource.Audience, ClientID: client.ID,
		IssuedAt: issued.Unix(), ID: rand.Text(), Generation: subject.Generation, Scope: strings.Join(scope, " "),
	}
	d := &draft{subject: subject.ID, at: m.now, session: session, scope: scope, bound: t.thumbprint}
	if claims.Actor = t.actor; t.thumbprint != "" {
		claims.Confirmation = &confirmation{t.thumbprint}
	}
	if end := t.until.Truncate(time.Second); !t.until.IsZero() && end.Before(expires) {
		expires = end
	}
	if session != nil {
		if end := session.Expires.Truncate(time.Second); end.Before(expires) {
			expires = end
		}
		d.ends = session.Expires.Sub(m.now)
		claims.SessionID, claims.AuthTime, claims.AMR, claims.ACR = session.ID, session.AuthTime.Unix(), session.AMR, acrOf(session.AMR)
	}
	if !expires.After(issued) {
		return nil, ErrInvalidGrant
	}
	if err := m.checkEarly(subject.ID, client.ID, issued); err != nil {
		return nil, err
	}
	claims.Expires, d.life = expires.Unix(), expires.Sub(issued)
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	d.payload = splice(payload, subject.Claims)
	d.key, err = m.issuer.keys.Load().signer(client.AccessType, resource.Algorithm, client.Algorithm, m.issuer.config.Algorithm)
	if err != nil {
		return nil, err
	}
	if err := d.checkSize(); err != nil || session == nil {
		return d, err
	}
	return d, m.draftID(d, client, resource, claims)
}

// splice appends the members of one JSON object to another. Their names differ: see reservedClaims.
func splice(object, more json.RawMessage) json.RawMessage {
	if len(more) <= len("{}") {
		return object
	}
	object[len(object)-1] = ','
	return append(object, more[1:]...)
}

// sign makes the tokens that a draft settled.
func (i *Issuer) sign(ctx context.Context, d *draft) (Tokens, error) {
	access, err := d.key.sign(ctx, d.payload)
	if err != nil {
		return Tokens{}, err
	}
	i.counts.tokens.Add(1)
	id := ""
	if d.id != nil {
		if id, err = d.id.sign(ctx, access); err != nil {
			return Tokens{}, err
		}
	}
	tokens := Tokens{ID: id, Access: access, ExpiresIn: d.life, Scope: d.scope, Subject: d.subject, KeyThumbprint: d.bound}
	if d.session != nil {
		tokens.Refresh = i.newRefreshToken(d.session, d.session.Counters.Current, d.at)
		tokens.SessionID, tokens.SessionExpiresIn = d.session.ID, d.ends
	}
	return tokens, nil
}

// TokenSizeError is an access token that would be larger than what fits into a cookie.
type TokenSizeError struct {
	Size  int        // bytes that the token would have
	Limit int        // bytes that it may have
	Parts []SizePart // what takes the room, largest first; together Size, but for rounding
}

// SizePart is one claim's share of a token, or that of "header and signature".
type SizePart struct {
	Name  string
	Bytes int
}

// Error names the largest parts.
func (e *TokenSizeError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "issuer: the access token would have %d bytes, and %d is the limit, which is a cookie's;", e.Size, e.Limit)
	for n, part := range e.Parts[:min(5, len(e.Parts))] {
		fmt.Fprintf(&b, "%s %s takes %d", strings.Repeat(",", min(n, 1)), part.Name, part.Bytes)
	}
	return b.String() + ": keep large data out of the subject's claims"
}

// checkSize refuses a draft whose token would be too large, before anything is stored.
func (d *draft) checkSize() error {
	size := d.key.overhead + base64.RawURLEncoding.EncodedLen(len(d.payload))
	if size <= maxAccessToken {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(d.payload, &members); err != nil {
		return err
	}
	parts := []SizePart{{"header and signature", d.key.overhead}}
	for name, value := range members {
		parts = append(parts, SizePart{name, (len(`"":,`) + len(name) + len(value)) * 4 / 3})
	}
	slices.SortFunc(parts, func(a, b SizePart) int { return cmp.Or(b.Bytes-a.Bytes, strings.Compare(a.Name, b.Name)) })
	return &TokenSizeError{Size: size, Limit: maxAccessToken, Parts: parts}
}
