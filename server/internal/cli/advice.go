package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

const (
	maxQuoted = 80 // characters of a token's value in an error
	maxNamed  = 4  // keys in an error
)

// advisedError is a refusal with what a person should know of it. The advice quotes the token, on the terminal of
// whoever holds it: it is no part of Error, which may end in a log.
type advisedError struct {
	error
	advice string
}

func (e *advisedError) Unwrap() error { return e.error }

// advised adds to a refusal what the message and the keys say. Other errors, and none, stay as they are.
func (f verifyFlags) advised(err error, raw string, places []keyPlace, now time.Time) error {
	v, ok := rejection(err)
	if !ok {
		return err
	}
	return &advisedError{err, f.advice(v, dissect(raw), places, now)}
}

func (f verifyFlags) advice(v verdict, a *anatomy, places []keyPlace, now time.Time) string {
	switch v.Error {
	case "expired":
		return a.expiry(v.Detail, now)
	case "not_yet_valid":
		return v.Detail + a.beginning(now)
	case "issuer":
		return a.instead("issuer", "iss", fmt.Sprintf("--iss asks for %q", f.issuer), v.Detail)
	case "audience":
		wanted := fmt.Sprintf("--aud asks for %q", f.audience)
		if f.noAud {
			wanted = "--no-aud asks for none"
		}
		return a.instead("audience", "aud", wanted, v.Detail)
	case "claim":
		return v.Detail + a.adviseLifetime()
	case "type":
		return "another type was asked for" + a.statedType() + "; state its type with --typ, or accept any with --any-typ"
	case "unknown_key", "algorithm":
		return v.Detail + a.namedKeys() + heldKeys(places)
	case "signature":
		return v.Detail + f.adviseDetached(a)
	case "malformed":
		return v.Detail + a.adviseKind()
	case "decryption":
		return v.Detail + a.adviseSealed(f.opening.zip)
	case "too_large":
		return v.Detail + f.adviseSize(a)
	}
	return v.Detail
}

// expiry says when the token expired, where that can be read without decrypting it.
func (a *anatomy) expiry(otherwise string, now time.Time) string {
	text, _, known := describeDate(a.payload.member("exp"), now)
	if !known {
		return otherwise
	}
	date, ago, _ := strings.Cut(text, ", ")
	return "the token expired " + ago + " (" + date + ")"
}

// beginning says from when the token is valid, under the same condition.
func (a *anatomy) beginning(now time.Time) string {
	text, _, known := describeDate(a.payload.member("nbf"), now)
	if !known {
		return ""
	}
	return "; it is from " + text
}

// instead sets what a claim says beside what was asked for.
func (a *anatomy) instead(what, name, wanted, otherwise string) string {
	switch value := a.payload.member(name); {
	case a.encrypted:
		return otherwise + "; " + wanted
	case value == nil:
		return fmt.Sprintf("the token names no %s, and %s", what, wanted)
	default:
		return fmt.Sprintf("the token's %s is %s, and %s", what, quoted(value), wanted)
	}
}

func (a *anatomy) adviseLifetime() string {
	if a.encrypted || a.payload.member("exp") != nil {
		return ""
	}
	return "; accept a token that never expires with --no-exp"
}

// adviseSize is for a token as a whole, not for its header alone.
func (f verifyFlags) adviseSize(a *anatomy) string {
	if f.raw || len(a.raw) <= f.maxSize || len(a.raw) > maxInput {
		return ""
	}
	return "; --max-size takes larger ones, up to 1 MiB"
}

func (a *anatomy) statedType() string {
	if a.encrypted {
		return ""
	}
	typ := a.signers()[0].header.member("typ")
	if typ == nil {
		return "; it states no type"
	}
	return "; it says " + quoted(typ)
}

// namedKeys tells which keys the signatures name, and with which algorithm.
func (a *anatomy) namedKeys() string {
	if a.encrypted {
		return ""
	}
	var names []string
	for _, signer := range a.signers() {
		names = append(names, signer.namedKey())
	}
	if a.payload.opaque {
		return "; the message names " + enumerate(names)
	}
	return "; the token names " + enumerate(names)
}

func (p party) namedKey() string {
	id, alg := p.member("kid"), "no algorithm"
	if named := p.member("alg"); named != nil {
		alg = strings.Trim(quoted(named), `"`)
	}
	if id == nil {
		return "no key (" + alg + ")"
	}
	return "key " + quoted(id) + " (" + alg + ")"
}

// member returns a member of the protected header, or else of the other one.
func (p party) member(name string) json.RawMessage {
	if value := p.header.member(name); value != nil {
		return value
	}
	return p.open.member(name)
}

// signers are those of JSON, or the one of the compact form.
func (a *anatomy) signers() []party {
	if len(a.parties) > 0 {
		return a.parties
	}
	return []party{{header: a.header, sealed: a.signature}}
}

// heldKeys tells which keys the files hold. What an issuer holds it has said already, by not having the key.
func heldKeys(places []keyPlace) string {
	text := ""
	for _, place := range places {
		if len(place.keys) > 0 {
			text += "; " + place.name + " holds " + describeKeys(place.keys)
		}
	}
	return text
}

func describeKeys(keys []fileKey) string {
	var names []string
	for _, key := range keys {
		name := "a key without ID"
		if key.id() != "" {
			name = "key " + shortened(fmt.Sprintf("%q", key.id()), maxQuoted)
		}
		names = append(names, name+" ("+key.algorithm()+")")
	}
	return enumerate(names)
}

func enumerate(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		names = append(names[:maxNamed:maxNamed], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func quoted(value json.RawMessage) string { return shortened(displayed(value), maxQuoted) }

func (f verifyFlags) adviseDetached(a *anatomy) string {
	if f.raw && f.payload == "" && a.payload.encoded == "" {
		return "; is its payload detached? add --payload FILE"
	}
	return ""
}

// adviseKind tells what this is instead of a token.
func (a *anatomy) adviseKind() string {
	switch {
	case isKey(a.raw):
		return "; " + errKeyForToken.Error()
	case a.raw == "":
		return "; it is empty"
	case len(a.problems) > 0 && a.problems[0].Reason == withScheme:
		return "; " + withScheme
	case strings.Count(a.raw, ".") == encryptedParts-1:
		return "; a token of five parts is encrypted: open it with --decrypt FILE"
	}
	return ""
}

func (a *anatomy) adviseSealed(zip bool) string {
	if !a.encrypted && strings.Count(a.raw, ".") == signedParts-1 {
		return "; it is signed, not encrypted: leave --decrypt out"
	}
	return a.adviseZip(zip) + adviseInspect
}

// adviseZip goes by what the header says to everybody, so it tells nothing of the key.
func (a *anatomy) adviseZip(accepted bool) string {
	if accepted || a.header.member("zip") == nil {
		return ""
	}
	return "; it says that it's compressed: if that's meant, add --zip"
}

// errForm is a message that its flags don't fit, in the words of the command line.
type errForm string

func (e errForm) Error() string { return string(e) }

func (e errForm) Is(target error) bool {
	return target == jot.ErrMalformed || target == jot.ErrInvalidToken
}

// unheeded reports whether a signer names extensions that --understand doesn't.
func (f verifyFlags) unheeded(signer party) bool {
	var names []string
	if json.Unmarshal(signer.header.member("crit"), &names) != nil {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool { return name != "b64" && !slices.Contains(f.understand, name) })
}

// rephrased says in the words of the command line what the library says in those of its options. What is refused stays
// so.
func (f verifyFlags) rephrased(err error, raw string) error {
	if !errors.Is(err, jot.ErrMalformed) {
		return err
	}
	a := dissect(raw)
	first := a.signers()[0]
	switch {
	case isKey(raw):
		return err
	case first.header.member("b64") != nil && !f.unencoded:
		return errForm("the payload is signed as it is, without base64url (RFC 7797): if that's meant, add --unencoded")
	case first.header.member("alg") == nil && first.open.member("alg") != nil && !f.unprotectedAlg:
		return errForm("the algorithm stands in a header that is not protected, where anybody can alter it: if that's meant, add --unprotected-alg")
	case f.payload != "" && a.payload.encoded != "" && f.raw:
		return errForm("the message has a payload of its own: leave --payload out")
	case f.payload != "" && a.payload.encoded != "":
		return errForm("the message has a payload of its own: check it with --raw, and leave --payload out")
	case f.unheeded(first):
		return fmt.Errorf("%w; its crit names %s: accept what you understand with --understand", err, quoted(first.header.member("crit")))
	case f.payload == "" && a.json && a.payload.encoded == "":
		return errForm("the message has no payload; is it detached? add --payload FILE")
	}
	return err
}
