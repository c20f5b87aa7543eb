package jot

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jot-auth/jot/internal/jose"
)

// Claims are the registered claims of RFC 7519 §4.1, to be signed as they are or embedded in a struct of the caller's own.
// Zero values are left out.
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
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
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

// NumericDate is a point in time as RFC 7519 §2 writes it: seconds since 1970-01-01 UTC. The zero value means that there is none,
// so the first second of 1970 can't be written.
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

// span is the place of a text within the scratch's buffer.
type span struct {
	start, end int32
	set        bool
}

// claimSet is what the verifier, or an accessor of Token, needs of the payload.
type claimSet struct {
	issuer, subject, id, session, client, scope span
	audience                                    []span
	hasAudience                                 bool // also where it names nobody
	expires, notBefore, issuedAt, authTime      date
	generation                                  uint64

	// foreign is a claim that jot's issuer writes with another type: another issuer may mean something else by its name. It counts
	// where revocation rules go by it.
	foreign error
}

// readClaims scans the whole payload strictly, once, and notes the claims that it knows on the way.
func (s *scratch) readClaims() error {
	s.claims = claimSet{audience: s.claims.audience[:0]}
	payload := s.payload
	for s.scanner.Reset(payload); s.scanner.Next(); {
		if err := s.readClaim(s.scanner.Name(), s.scanner.Value()); err != nil {
			return err
		}
	}
	if err := s.scanner.Err(); err != nil {
		return malformedBy("payload", err)
	}
	return nil
}

func (s *scratch) readClaim(name []byte, value jose.Value) error {
	c := &s.claims
	switch string(name) {
	case "iss":
		return s.readText("iss", value, &c.issuer)
	case "sub":
		return s.readText("sub", value, &c.subject)
	case "aud":
		return s.readAudience(value)
	case "exp":
		return readDate("exp", value, &c.expires)
	case "nbf":
		return readDate("nbf", value, &c.notBefore)
	case "iat":
		return readDate("iat", value, &c.issuedAt)
	case "jti":
		return s.readText("jti", value, &c.id)
	}
	return s.readOwnClaim(name, value)
}

// readOwnClaim notes a claim that RFC 7519 doesn't register. One of an unexpected type has no value for the accessors.
func (s *scratch) readOwnClaim(name []byte, value jose.Value) error {
	c := &s.claims
	var foreign error
	switch string(name) {
	case "sid":
		foreign = s.readText("sid", value, &c.session)
	case "client_id":
		foreign = s.readText("client_id", value, &c.client)
	case "gen":
		foreign = readGeneration(value, &c.generation)
	case "scope": // some issuers write an array
		_ = s.readText("scope", value, &c.scope)
	case "auth_time":
		_ = readDate("auth_time", value, &c.authTime)
	}
	if foreign != nil {
		c.foreign = foreign
	}
	return nil
}

func wrongType(claim, reason string) error {
	return &ClaimError{Claim: claim, Reason: reason, malformed: true}
}

// readText notes a string claim.
func (s *scratch) readText(claim string, value jose.Value, place *span) error {
	if value.Kind() != jose.String {
		return wrongType(claim, "is not a string")
	}
	*place = s.place(value)
	return nil
}

// place appends a text, without escapes, behind the payload.
func (s *scratch) place(value jose.Value) span {
	start := len(s.payload)
	s.payload = value.AppendString(s.payload)
	return span{int32(start), int32(len(s.payload)), true}
}

// readAudience accepts a string or an array of strings (RFC 7519 §4.1.3).
func (s *scratch) readAudience(value jose.Value) error {
	s.claims.hasAudience = true
	if value.Kind() == jose.String {
		s.claims.audience = append(s.claims.audience, s.place(value))
		return nil
	}
	if value.Kind() != jose.Array {
		return wrongType("aud", "is neither a string nor an array of strings")
	}
	elements := value.Elements()
	for elements.Next() {
		if elements.Value().Kind() != jose.String {
			return wrongType("aud", "holds something that is not a string")
		}
		s.claims.audience = append(s.claims.audience, s.place(elements.Value()))
	}
	return nil
}

// readDate accepts a NumericDate from 1970 to 9999 (RFC 7519 §2); anything else is malformed, not absent.
func readDate(claim string, value jose.Value, d *date) error {
	seconds, nanos, ok := value.Seconds()
	if !ok {
		return wrongType(claim, "is not a date: a JSON number of seconds from 1970 to the year 9999")
	}
	*d = date{seconds, nanos, true}
	return nil
}

func readGeneration(value jose.Value, generation *uint64) error {
	n, ok := value.Uint()
	if !ok {
		return wrongType("gen", "is not a non-negative integer")
	}
	*generation = n
	return nil
}
