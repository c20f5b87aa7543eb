package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jot-auth/jot/strictjson"
)

// maxParties bounds how many signers or recipients of a message are shown; the library takes fewer.
const maxParties = 100

// party is a signer of a JWS or a recipient of a JWE in JSON.
type party struct {
	header part // protected; a recipient has none of its own
	open   part // unprotected: nothing vouches for it
	sealed part // the signature, or the encrypted key
}

// readJSON reads a JWS or JWE in JSON (RFC 7515 §7.2, RFC 7516 §7.2), general or flattened.
func (a *anatomy) readJSON() {
	a.json = true
	message := a.objectAt("message", json.RawMessage(a.raw), 0)
	if syntax, ok := errors.AsType[*strictjson.SyntaxError](strictjson.Valid(message.content)); ok {
		a.add("message", syntax.Offset, syntax.Reason)
	}
	a.encrypted = message.member("ciphertext") != nil
	if a.encrypted {
		a.readRecipients(message)
	} else {
		a.readSigners(message)
	}
}

func (a *anatomy) readSigners(message part) {
	for _, p := range a.partiesOf(message, "signatures") {
		a.parties = append(a.parties, party{a.encodedObject(p, "protected"), a.object(p, "header"), a.encodedBytes(p, "signature")})
	}
	var first part
	if len(a.parties) > 0 {
		first = a.parties[0].header
	}
	a.payload = a.readPayload(first, a.encoded(message, "payload"))
	if message.member("signature") == nil && message.member("signatures") == nil {
		a.add("message", 0, "it is JSON, but neither a JWS, which holds a signature or signatures, nor a JWE, which holds a ciphertext")
	}
}

func (a *anatomy) readRecipients(message part) {
	a.header, a.shared = a.encodedObject(message, "protected"), a.object(message, "unprotected")
	for _, p := range a.partiesOf(message, "recipients") {
		a.parties = append(a.parties, party{open: a.object(p, "header"), sealed: a.encodedBytes(p, "encrypted_key")})
	}
	for _, name := range []string{"iv", "ciphertext", "tag", "aad"} {
		if message.member(name) != nil {
			a.sealed = append(a.sealed, a.encodedBytes(message, name))
		}
	}
}

// partiesOf returns the objects of the general form, or the message itself, which is flattened.
func (a *anatomy) partiesOf(message part, name string) []part {
	list := message.member(name)
	if list == nil {
		return []part{message}
	}
	var parties []part
	decoder := json.NewDecoder(bytes.NewReader(list))
	opening, err := decoder.Token()
	for i := 0; err == nil && opening == json.Delim('[') && decoder.More() && i < maxParties; i++ {
		var element json.RawMessage
		if err = decoder.Decode(&element); err == nil {
			offset := message.offsetOf(name) + int(decoder.InputOffset()) - len(element)
			parties = append(parties, a.objectAt(fmt.Sprintf("%s[%d]", name, i), element, offset))
		}
	}
	if len(parties) == 0 || decoder.More() {
		a.add(name, message.offsetOf(name), fmt.Sprintf("it is not an array of 1 to %d objects", maxParties))
	}
	return parties
}

// object reads a member that is a JSON object; one that isn't there has no name.
func (a *anatomy) object(of part, name string) part {
	value := of.member(name)
	if value == nil {
		return part{}
	}
	return a.objectAt(name, value, of.offsetOf(name))
}

func (a *anatomy) objectAt(name string, value json.RawMessage, offset int) part {
	p := part{name: name, encoded: string(value), content: value, offset: offset}
	if value[0] != '{' {
		a.add(name, offset, "it is not an object")
		p.broken = true
	}
	p.members, p.read = readMembers(value)
	return p
}

// encoded reads a member that is a string.
func (a *anatomy) encoded(of part, name string) part {
	p := part{name: name, offset: of.offsetOf(name)}
	if value := of.member(name); value != nil {
		if json.Unmarshal(value, &p.encoded) != nil {
			a.add(name, p.offset, "it is not a string")
		}
		p.offset++ // the quotation mark
	}
	return p
}

func (a *anatomy) encodedBytes(of part, name string) part { return a.readBytes(a.encoded(of, name)) }

// encodedObject reads a member that is a JSON object in base64url; one that isn't there has no name.
func (a *anatomy) encodedObject(of part, name string) part {
	if of.member(name) == nil {
		return part{}
	}
	return a.readObject(a.encoded(of, name))
}

// offsetOf is where the value of a member begins in the message.
func (p part) offsetOf(name string) int {
	for _, m := range p.members {
		if m.name == name {
			return p.offset + m.offset
		}
	}
	return p.offset
}
