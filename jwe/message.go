package jwe

import (
	"bytes"
	"fmt"
	"log/slog"
)

// Message is a decrypted message. Who sent it is not known: for a PublicKey, anybody can have written it. For a
// SecretKey or a Password, it was one of those who share that, or whoever was ever a recipient beside it: all
// recipients of a message learn the key of its content. With it each can encrypt other content, and put the others'
// parts of that message to it. Only a key of algorithm Dir, or one that was never used beside another recipient, says
// more. So a message isn't a token, and nothing makes it one but OpenToken.
//
// It's immutable and safe for concurrent use, and prints as its size and algorithms, never as what is in it.
type Message struct {
	opened func() opened // a function, as in PrivateKey
}

// opened is what a message is made of.
type opened struct {
	plaintext  []byte
	additional []byte
	protected  []byte
	header     header
	content    *content
	key        DecryptionKey
}

// read returns what the message is made of: nothing for the zero value.
func (m *Message) read() opened {
	if m.opened == nil {
		return opened{content: new(content), key: new(SecretKey)}
	}
	return m.opened()
}

// Plaintext returns a copy of the content.
func (m *Message) Plaintext() []byte { return bytes.Clone(m.read().plaintext) }

// Additional returns a copy of the additional data, "aad" (RFC 7516 §7.2.1), which everybody could read and nobody
// alter but a recipient; nil where there is none.
func (m *Message) Additional() []byte { return bytes.Clone(m.read().additional) }

// Protected returns a copy of the protected header, JSON; nil where there is none. Other parts of a header, which
// anybody could have altered, are not to be had.
func (m *Message) Protected() []byte { return bytes.Clone(m.read().protected) }

// Type returns "typ" of the protected header (RFC 7516 §4.1.11); empty when absent.
func (m *Message) Type() string { return m.read().header.typ }

// ContentType returns "cty" of the protected header (RFC 7516 §4.1.12); empty when absent.
func (m *Message) ContentType() string { return m.read().header.contentType }

// PartyU returns a copy of what the sender says about itself, "apu" (RFC 7518 §4.6.1.2), which went into the key that
// an ECDH_ES algorithm derived. It's nil where it is absent, and for any other algorithm, which gives it no meaning.
func (m *Message) PartyU() []byte {
	partyU, _ := m.read().parties()
	return bytes.Clone(partyU)
}

// PartyV returns a copy of what the sender says of the recipient, "apv" (RFC 7518 §4.6.1.3), like PartyU. A protocol
// that has an identity there demands that the two compare it with what they expect: a decrypter doesn't.
func (m *Message) PartyV() []byte {
	_, partyV := m.read().parties()
	return bytes.Clone(partyV)
}

func (o opened) parties() (partyU, partyV []byte) {
	if s := schemeOf(o.header.algorithm); s == nil || s.family != familyECDH {
		return nil, nil
	}
	return o.header.partyU, o.header.partyV
}

// Encryption returns the content encryption.
func (m *Message) Encryption() Encryption { return m.read().content.name }

// Algorithm returns the algorithm of the key that decrypted the message.
func (m *Message) Algorithm() Algorithm { return m.read().key.Algorithm() }

// KeyID returns the key ID of the key that decrypted the message, whatever its header says; empty where that has none.
func (m *Message) KeyID() string { return m.read().key.KeyID() }

// Format writes the algorithms and the size, whatever the verb: what was encrypted is not to be printed.
func (m Message) Format(f fmt.State, _ rune) {
	if m.opened == nil { // the zero value is no message
		fmt.Fprint(f, "no message")
		return
	}
	o := m.opened()
	fmt.Fprintf(f, "message of %d bytes for %v, %s", len(o.plaintext), o.key, o.content.name)
}

// LogValue is what log/slog writes: the algorithms and the size.
func (m Message) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(m)) }
