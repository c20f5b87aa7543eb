package jwe

import (
	"bytes"
	"fmt"
	"log/slog"
)

// Message is a decrypted message. Nobody altered it on its way, but for its recipients, if it has several; who sent it is not known, unless a SecretKey or Password
// decrypted it, and then it's one of those who share that. So it isn't a token, and nothing makes it one but OpenToken. It's immutable and safe for
// concurrent use.
type Message struct {
	plaintext  []byte
	additional []byte
	protected  []byte
	header     header
	content    *content
	key        DecryptionKey
}

// Plaintext returns a copy of the content.
func (m *Message) Plaintext() []byte { return bytes.Clone(m.plaintext) }

// Additional returns a copy of the additional data, "aad" (RFC 7516 §7.2.1), which everybody could read and nobody alter; nil where there is none.
func (m *Message) Additional() []byte { return bytes.Clone(m.additional) }

// Protected returns a copy of the protected header, JSON; nil where there is none. Other parts of a header, which anybody could have altered, are not
// to be had.
func (m *Message) Protected() []byte { return bytes.Clone(m.protected) }

// Type returns "typ" of the protected header (RFC 7516 §4.1.11); empty when absent.
func (m *Message) Type() string { return m.header.typ }

// ContentType returns "cty" of the protected header (RFC 7516 §4.1.12); empty when absent.
func (m *Message) ContentType() string { return m.header.contentType }

// Encryption returns the content encryption.
func (m *Message) Encryption() Encryption { return m.content.name }

// Algorithm returns the algorithm of the key that decrypted the message.
func (m *Message) Algorithm() Algorithm { return m.key.Algorithm() }

// KeyID returns the key ID of the key that decrypted the message, whatever its header says; empty where that has none.
func (m *Message) KeyID() string { return m.key.KeyID() }

// Format writes the algorithms and the size, whatever the verb: what was encrypted is not to be printed.
func (m Message) Format(f fmt.State, _ rune) {
	if m.key == nil { // the zero value is no message
		fmt.Fprint(f, "no message")
		return
	}
	fmt.Fprintf(f, "message of %d bytes for %v, %s", len(m.plaintext), m.key, m.content.name)
}

// LogValue is what log/slog writes: the algorithms and the size.
func (m Message) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(m)) }
