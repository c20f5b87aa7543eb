package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/strictjson"
)

// The compact forms, by the number of their parts.
const (
	signedParts    = 3 // JWS (RFC 7515 §3.1)
	encryptedParts = 5 // JWE (RFC 7516 §3.1)
)

// anatomy is what can be read of a token, a JWS or a JWE. Nothing in it has been checked.
type anatomy struct {
	raw       string
	json      bool // in JSON, not in compact form
	encrypted bool // a JWE: only its headers can be read
	header    part // not of a JWS in JSON, whose signers have one each
	shared    part // the unprotected header of a JWE in JSON
	payload   part
	signature part
	sealed    []part  // the encrypted parts of a JWE
	parties   []party // the signers or recipients of a JWS or JWE in JSON
	problems  []problem
}

// part is one part of a compact form.
type part struct {
	name    string
	encoded string
	offset  int      // of the part in the token
	content []byte   // decoded, as far as it goes
	members []member // of a JSON object, as far as it goes
	read    int      // bytes of content that the members take
	broken  bool
	opaque  bool // a payload of bytes, not of claims
}

// member is one member of a header or payload.
type member struct {
	name   string
	value  json.RawMessage
	offset int // of the value in the JSON
	size   int // bytes in the JSON, name and punctuation included
}

// problem is a place where a token breaks the rules.
type problem struct {
	Part     string `json:"part"`
	Position int    `json:"position"` // bytes of the token before it
	Reason   string `json:"reason"`
}

// dissect takes a token apart without checking it. It never fails: what is broken is in the problems.
func dissect(raw string) *anatomy {
	a := &anatomy{raw: raw}
	if strings.HasPrefix(raw, "{") {
		a.readJSON()
		return a
	}
	parts := splitParts(raw)
	a.header = a.readObject(parts[0])
	if len(parts) == encryptedParts && a.header.member("enc") != nil {
		a.encrypted = true
		a.readSealed(parts[1:])
		return a
	}
	if len(parts) > 1 {
		a.payload = a.readPayload(a.header, parts[1])
	}
	if len(parts) > 2 {
		a.signature = a.readBytes(parts[2])
	}
	a.countParts(parts)
	if !a.payload.opaque {
		a.consult()
	}
	return a
}

// splitParts cuts at dots, and names what a part is in a signed token.
func splitParts(raw string) []part {
	names := []string{"header", "payload", "signature"}
	var parts []part
	offset := 0
	for i, encoded := range strings.SplitN(raw, ".", encryptedParts+1) {
		name := "rest"
		if i < len(names) {
			name = names[i]
		}
		parts = append(parts, part{name: name, encoded: encoded, offset: offset})
		offset += len(encoded) + 1
	}
	return parts
}

// readSealed notes the parts that only the recipient can read.
func (a *anatomy) readSealed(parts []part) {
	for i, name := range []string{"encrypted key", "initialization vector", "ciphertext", "authentication tag"} {
		parts[i].name = name
		a.sealed = append(a.sealed, a.readBytes(parts[i]))
	}
}

// countParts says where a token ends early or goes on too long.
func (a *anatomy) countParts(parts []part) {
	switch n := len(parts); {
	case n < signedParts:
		a.add("token", len(a.raw), fmt.Sprintf("it ends after its %s: a signed token has three parts between two dots", parts[n-1].name))
	case n == encryptedParts:
		a.add("token", parts[3].offset-1, "five parts are an encrypted token (JWE), whose header names an enc; this one doesn't")
	case n > signedParts:
		a.add("token", parts[3].offset-1, "it goes on behind the signature: a signed token has three parts between two dots")
	}
}

// consult asks the library, whose rules count, about anything that was missed here.
func (a *anatomy) consult() {
	err := jot.Inspect(a.raw).Err()
	if len(a.problems) == 0 && err != nil && !errors.Is(err, jot.ErrTooLarge) {
		a.add("token", 0, message(err))
	}
}

func (a *anatomy) add(name string, position int, reason string) {
	reason = strings.ReplaceAll(reason, "invalid", "broken")                          // "valid" is no word for what wasn't checked
	a.problems = append(a.problems, problem{name, min(position, len(a.raw)), reason}) // an escape is longer than what it stands for
}

// readBytes decodes a part, as far as it goes.
func (a *anatomy) readBytes(p part) part {
	content, at, reason := decodePart(p.encoded)
	if reason != "" {
		a.add(p.name, p.offset+at, reason)
		p.broken = true
	}
	p.content = content
	return p
}

// readObject decodes a part that is a JSON object, as far as it goes.
func (a *anatomy) readObject(p part) part {
	p = a.readBytes(p)
	p.members, p.read = readMembers(p.content)
	if p.broken {
		return p
	}
	err := strictjson.Valid(p.content)
	if syntax, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
		a.add(p.name, p.offset+syntax.Offset*4/3, fmt.Sprintf("%s, at byte %d of its JSON", syntax.Reason, syntax.Offset))
		p.broken = true
	} else if !bytes.HasPrefix(bytes.TrimLeft(p.content, " \t\r\n"), []byte("{")) {
		a.add(p.name, p.offset, "it is JSON, but not an object")
		p.broken = true
	}
	return p
}

// readPayload reads claims, where the header's type or the payload's first byte promises some. Anything else is bytes:
// another use of JWS, whose payload may also stand elsewhere (RFC 7515, appendix F) or here as it is (RFC 7797).
func (a *anatomy) readPayload(header, p part) part {
	content, _, _ := decodePart(p.encoded)
	switch typed := header.isTyped(); {
	case string(header.member("b64")) == "false":
		p.content = []byte(p.encoded)
	case typed || bytes.HasPrefix(content, []byte("{")):
		return a.readObject(p)
	default:
		p = a.readBytes(p)
	}
	p.opaque = true
	return p
}

// isTyped reports whether the header says that the payload is claims (RFC 7519 §5.1, RFC 8725 §3.11).
func (p part) isTyped() bool {
	var typ string
	return json.Unmarshal(p.member("typ"), &typ) == nil && isTokenType(typ)
}

// isTokenType reports whether a type is a JWT's, or a more particular one's.
func isTokenType(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "jwt" || strings.HasSuffix(typ, "+jwt")
}

// member returns the value of the first member of a name, or nil.
func (p part) member(name string) json.RawMessage {
	for _, m := range p.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// withScheme is the fault of a token that was copied from an Authorization header as a whole.
const withScheme = "the word Bearer is no part of the token: leave it out"

// decodePart decodes strict base64url. Of a part that isn't, it returns what can be read, and where and how it breaks
// first.
func decodePart(encoded string) (content []byte, at int, reason string) {
	clean := make([]byte, 0, len(encoded))
	note := func(i int, why string) {
		if reason == "" {
			at, reason = i, why
		}
	}
scan:
	for i := range len(encoded) {
		switch c := encoded[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			clean = append(clean, c)
		case c == '+', c == '/':
			note(i, "+ and / belong to base64: base64url has - and _")
			clean = append(clean, map[byte]byte{'+': '-', '/': '_'}[c])
		case c == '=':
			note(i, "= is padding, which tokens leave out")
		case c == ' ' && strings.EqualFold(encoded[:i], "Bearer"):
			note(i, withScheme)
		case c == ' ', c == '\t', c == '\r', c == '\n':
			note(i, "white space or a line end inside the token")
		default:
			note(i, "a character outside the base64url alphabet")
			break scan
		}
	}
	if len(clean)%4 == 1 {
		note(len(encoded)-1, "it is cut short in the middle of a byte")
		clean = clean[:len(clean)-1]
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(string(clean)); err != nil {
		note(len(encoded)-1, "its last character has bits set that encode nothing")
	}
	content, _ = base64.RawURLEncoding.DecodeString(string(clean))
	return content, at, reason
}

// readMembers reads the members of a JSON object up to where it breaks; read is the length of what they take.
func readMembers(content []byte) (members []member, read int) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	if brace, err := decoder.Token(); err != nil || brace != json.Delim('{') {
		return nil, 0
	}
	for read = int(decoder.InputOffset()); decoder.More(); {
		name, err := decoder.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if decoder.Decode(&value) != nil {
			break
		}
		end := int(decoder.InputOffset())
		members = append(members, member{name.(string), value, end - len(value), end - read})
		read = end
	}
	return members, read
}
