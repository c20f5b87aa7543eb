package jothttp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/jot-auth/jot/strictjson"
)

// maxTokenAnswer bounds what is read of a token endpoint's answer, in bytes.
const maxTokenAnswer = 64 << 10

// TokenPair is what a login or a refresh gives a client. The zero value stands for nobody who is logged in. It prints
// without its tokens; its fields and its JSON, which is for a [TokenStore], have them. In an unexported field of a
// struct that is printed, package fmt sees the fields alone: such a struct needs a Format method, too.
type TokenPair struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // of the access token; zero if nobody knows
	Bound   bool      `json:"bound,omitempty"`  // to the client's key (RFC 9449): for a Transport that has it
	Login   string    `json:"login,omitempty"`  // of which a refresh made it, or a refresh of a refresh: see login; empty for the pair that the login gave
}

// ReadTokenPair reads the answer of a token endpoint (RFC 6749 §5.1) or of a login that was received just now: at most
// 64 KiB of strict JSON with a Bearer token or one that is bound to a key (DPoP). Members that it doesn't know are left
// alone.
func ReadTokenPair(answer io.Reader, now time.Time) (TokenPair, error) {
	text, err := io.ReadAll(io.LimitReader(answer, maxTokenAnswer+1))
	if err != nil {
		return TokenPair{}, fmt.Errorf("jothttp: reading tokens: %w", err)
	}
	var members struct {
		Access    string      `json:"access_token"`
		Type      string      `json:"token_type"`
		Refresh   string      `json:"refresh_token"`
		ExpiresIn json.Number `json:"expires_in"`
	}
	if err := strictjson.Unmarshal(text, &members); err != nil || len(text) > maxTokenAnswer {
		return TokenPair{}, errors.New("jothttp: the answer of the token endpoint is not strict JSON, or too long")
	}
	bound := strings.EqualFold(members.Type, schemeDPoP)
	if !isB64Token(members.Access) || !bound && !strings.EqualFold(members.Type, schemeBearer) {
		return TokenPair{}, errors.New("jothttp: the answer of the token endpoint has no bearer token")
	}
	pair := TokenPair{Access: members.Access, Refresh: members.Refresh, Bound: bound}
	if life, err := members.ExpiresIn.Int64(); err == nil && life > 0 {
		pair.Expires = now.Add(time.Duration(min(life, maxLife)) * time.Second).Round(0) // as a store gives it back
	}
	return pair, nil
}

// maxLife keeps a mistaken expires_in, in seconds, within what a time can hold.
const maxLife = 10 * 365 * 24 * 3600

// same tells pairs apart by their tokens alone.
func (p TokenPair) same(other TokenPair) bool {
	return p.Access == other.Access && p.Refresh == other.Refresh
}

// login tells logins apart, each by the pair that it gave, of which nothing can be learned from it.
func (p TokenPair) login() string {
	if p.Login != "" {
		return p.Login
	}
	sum := sha256.Sum256([]byte(p.Access + " " + p.Refresh)) // neither has a space in it
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// usable reports whether there is an access token that hasn't expired, as far as anybody knows.
func (p TokenPair) usable(now time.Time) bool {
	return p.Access != "" && (p.Expires.IsZero() || now.Before(p.Expires))
}

// replaces reports whether this is another pair than an old one, and can be used in its place.
func (p TokenPair) replaces(old TokenPair, now time.Time) bool { return !p.same(old) && p.usable(now) }

// Format writes when the access token expires, whatever the verb.
func (p TokenPair) Format(f fmt.State, _ rune) {
	switch {
	case p.Access == "":
		io.WriteString(f, "no tokens")
	case p.Expires.IsZero():
		io.WriteString(f, "tokens")
	default:
		io.WriteString(f, "tokens until "+p.Expires.Format(time.RFC3339))
	}
}

// LogValue is what log/slog writes: the same.
func (p TokenPair) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// hiddenPair is a pair in a function, which no printer looks into: in an unexported field, fmt can't call the pair's
// Format, and prints what it finds.
type hiddenPair func() TokenPair

func hide(p TokenPair) hiddenPair { return func() TokenPair { return p } }

// reveal returns the pair; the zero one of nil.
func (h hiddenPair) reveal() TokenPair {
	if h == nil {
		return TokenPair{}
	}
	return h()
}
