package jot

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot/internal/jose"
)

// Claims are the registered claims of RFC 7519 §4.1, to be signed as they are or embedded in a struct of the caller's
// own. Zero values are left out.
type Claims struct {
	Issuer    string      `json:"iss,omitempty"`
	Subject   string      `json:"sub,omitempty"`
	Audience  Audience    `json:"aud,omitempty"`
	Expires   NumericDate `json:"exp,omitempty"`
	NotBefore NumericDate `json:"nbf,omitempty"`
	IssuedAt  NumericDate `json:"iat,omitempty"`
	ID        string      `json:"jti,omitempty"`
}

// Audience is the "aud" claim (RFC 7519 §4.1.3). One value is written as a string, several as an array; both are read.
type Audience []string

// Contains reports whether the audience names a recipient, compared byte by byte.
func (a Audience) Contains(recipient string) bool { return slices.Contains(a, recipient) }

// MarshalJSON writes one value as a string, several as an array.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return jose.Marshal(a[0])
	}
	return jose.Marshal([]string(a))
}

// UnmarshalJSON reads a string or an array of strings.
func (a *Audience) UnmarshalJSON(data []byte) error {
	value, err := jose.Parse(data)
	if err != nil {
		return err
	}
	if text, ok := value.Text(); ok {
		*a = Audience{string(text)}
		return nil
	}
	several := Audience{}
	for elements := value.Elements(); elements.Next(); {
		text, ok := elements.Value().Text()
		if !ok {
			return errAudienceType
		}
		several = append(several, string(text))
	}
	if value.Kind() != jose.Array {
		return errAudienceType
	}
	*a = several
	return nil
}

var errAudienceType = errors.New("jot: aud is a string or an array of strings")

// NumericDate is a point in time as RFC 7519 §2 writes it: seconds since 1970-01-01 UTC. The zero value means that
// there is none, so the first second of 1970 can't be written.
type NumericDate int64

// At returns the NumericDate of t, rounded down to the second; of the zero time, the zero NumericDate.
func At(t time.Time) NumericDate {
	if t.IsZero() {
		return 0
	}
	return NumericDate(t.Unix())
}

// Time returns the date in UTC; for the zero NumericDate, the zero time.
func (d NumericDate) Time() time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Unix(int64(d), 0).UTC()
}

// UnmarshalJSON reads a JSON number; fractions of a second are dropped.
func (d *NumericDate) UnmarshalJSON(data []byte) error {
	value, err := jose.Parse(data)
	if err != nil {
		return err
	}
	seconds, _, ok := value.Seconds()
	if !ok {
		return errors.New("jot: a date is a JSON number of seconds, from 1970 to the year 9999")
	}
	*d = NumericDate(seconds)
	return nil
}

// date is an instant as a claim states it, to the nanosecond.
type date struct {
	seconds int64
	nanos   int32
	set     bool
}

func (d date) time() time.Time {
	if !d.set {
		return time.Time{}
	}
	return time.Unix(d.seconds, int64(d.nanos)).UTC()
}

// span is the place of a text within the scratch's buffer. Nothing ends where the buffer begins: the zero span is none.
type span struct{ start, end int32 }

func (s span) set() bool { return s.end > 0 }

// claimSet is what the verifier, or an accessor of Token, needs of the payload.
type claimSet struct {
	expires, notBefore, issuedAt, authTime      date // first, where a remembered token is looked at
	issuer, subject, id, session, client, scope span
	confirmation                                span // "jkt" of "cnf"
	audience                                    []span
	hasAudience                                 bool // also where it names nobody
	bound                                       bool // there is a "cnf", whatever it holds
	generation                                  uint64
}

// readClaims scans the whole payload strictly, once, and then takes note of the claims that it knows.
func (s *scratch) readClaims() error {
	s.claims, s.foreign = claimSet{audience: s.claims.audience[:0]}, nil
	s.scanner.Reset(s.payload)
	if err := s.scanner.Err(); err != nil {
		return malformedBy("payload", err)
	}
	members := s.scanner.Members()
	for i := range members {
		if m := &members[i]; !s.readClaim(m) {
			if err := s.mismatch(string(m.Name(s.payload))); err != nil {
				return err
			}
		}
	}
	return nil
}

// readClaim takes note of a claim. It returns false when that has an unexpected type.
func (s *scratch) readClaim(m *jose.Member) (ok bool) {
	c := &s.claims
	var text *span
	var instant *date
	switch string(m.Name(s.payload)) {
	case "iss":
		text = &c.issuer
	case "sub":
		text = &c.subject
	case "aud":
		return s.readAudience(m.Value(s.payload))
	case "exp":
		instant = &c.expires
	case "nbf":
		instant = &c.notBefore
	case "iat":
		instant = &c.issuedAt
	case "jti":
		text = &c.id
	case "sid":
		text = &c.session
	case "client_id":
		text = &c.client
	case "scope":
		text = &c.scope
	case "auth_time":
		instant = &c.authTime
	case "gen":
		c.generation, ok = m.Value(s.payload).Uint()
		return ok
	case "cnf":
		return s.readConfirmation(m.Value(s.payload))
	default:
		return true
	}
	if instant != nil {
		*instant, ok = readDate(m.Value(s.payload))
		return ok
	}
	start, end, ok := m.Place()
	if !ok {
		return s.readEscapedText(m.Value(s.payload), text)
	}
	*text = span{start, end}
	return true
}

// mismatch decides about a claim of an unexpected type. The registered ones are refused; another issuer may mean
// something else by one that RFC 7519 doesn't register, so that has no value for the accessors.
func (s *scratch) mismatch(claim string) error {
	reason := "is not a string"
	switch claim {
	case "aud":
		reason = "is neither a string nor an array of strings"
	case "exp", "nbf", "iat":
		reason = "is not a date: a JSON number of seconds from 1970 to the year 9999"
	case "gen":
		reason = "is not a non-negative integer"
	case "cnf":
		reason = "is not an object with a thumbprint as its jkt, or without one (RFC 9449 §6.1)"
	}
	err := &ClaimError{Claim: claim, Reason: reason, malformed: true}
	switch claim {
	case "sid", "client_id", "gen":
		s.foreign = err
		return nil
	case "scope", "auth_time": // some issuers write an array
		return nil
	}
	return err
}

// readEscapedText puts the text behind the payload, without escapes.
func (s *scratch) readEscapedText(value jose.Value, place *span) bool {
	if value.Kind() != jose.String {
		return false
	}
	start := len(s.payload)
	s.payload = value.AppendString(s.payload)
	*place = span{int32(start), int32(len(s.payload))}
	return true
}

// readConfirmation takes note of what binds the token to its holder's key (RFC 7800 §3.1), and of the key's thumbprint
// where it's there.
func (s *scratch) readConfirmation(value jose.Value) bool {
	var members struct {
		Thumbprint json.RawMessage `json:"jkt"` // null too, which is no thumbprint
	}
	if value.Kind() != jose.Object || jose.Unmarshal(value.Raw(), &members) != nil {
		return false
	}
	if s.claims.bound = true; members.Thumbprint == nil {
		return true
	}
	thumbprint, err := jose.Parse(members.Thumbprint)
	if err != nil || !s.readEscapedText(thumbprint, &s.claims.confirmation) {
		return false
	}
	return s.claims.confirmation.start < s.claims.confirmation.end
}

// readAudience accepts a string or an array of strings (RFC 7519 §4.1.3).
func (s *scratch) readAudience(value jose.Value) bool {
	s.claims.hasAudience = true
	if value.Kind() != jose.Array {
		return s.readRecipient(value)
	}
	elements := value.Elements()
	for elements.Next() {
		if !s.readRecipient(elements.Value()) {
			return false
		}
	}
	return true
}

func (s *scratch) readRecipient(value jose.Value) bool {
	start, end, ok := value.Place()
	recipient := span{start, end}
	if !ok && !s.readEscapedText(value, &recipient) {
		return false
	}
	s.claims.audience = append(s.claims.audience, recipient)
	return true
}

// readDate accepts a NumericDate from 1970 to 9999 (RFC 7519 §2); anything else is malformed, not absent.
func readDate(value jose.Value) (d date, ok bool) {
	d.seconds, d.nanos, ok = value.Seconds()
	d.set = ok
	return d, ok
}
