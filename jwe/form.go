package jwe

import (
	"bytes"
	"strings"

	"github.com/jot-auth/jot/internal/jose"
)

// maxRecipients bounds the recipients of a message.
const maxRecipients = 16

const compactParts = 5 // RFC 7516 §3.1

// form is a message taken apart, whichever way it was written (RFC 7516 §7). Nothing in it is authentic yet.
type form struct {
	authenticated []byte // what the tag covers beside the ciphertext (RFC 7516 §5.1, step 14)
	protected     []byte // the protected header's JSON, decoded; nil where there is none
	additional    []byte // "aad", decoded; nil where there is none
	content       sealed
	recipients    []header // one for each: joined from all parts of the header (RFC 7516 §4)
}

// parseForm reads the compact form, or JSON.
func parseForm(message []byte) (*form, error) {
	if jose.InJSON(message) {
		return parseJSON(message)
	}
	return parseCompact(string(message))
}

// parseCompact reads BASE64URL(header).BASE64URL(encrypted key).BASE64URL(IV).BASE64URL(ciphertext).BASE64URL(tag).
func parseCompact(message string) (*form, error) {
	if strings.Count(message, ".") != compactParts-1 {
		return nil, ErrDecryption
	}
	parts := strings.Split(message, ".")
	f := &form{authenticated: []byte(parts[0])}
	var shared header
	if err := f.readProtected(parts[0], &shared); err != nil {
		return nil, err
	}
	for i, into := range []*[]byte{&shared.encryptedKey, &f.content.iv, &f.content.ciphertext, &f.content.tag} {
		var err error
		if *into, err = decode(parts[1+i]); err != nil {
			return nil, err
		}
	}
	f.recipients = []header{shared}
	return f, f.check()
}

func decode(encoded string) ([]byte, error) {
	data, err := jose.AppendDecode(nil, encoded)
	return data, accept(err == nil)
}

// readProtected reads the header that the tag covers.
func (f *form) readProtected(encoded string, shared *header) (err error) {
	if len(encoded) > 2*maxHeaderSize {
		return ErrDecryption
	}
	if f.protected, err = decode(encoded); err != nil {
		return err
	}
	return shared.read(f.protected, true)
}

// members are those of the JSON forms' top level (RFC 7516 §7.2), still encoded; nil where absent.
type members struct {
	protected, initialization, additional, ciphertext, tag, encryptedKey []byte // texts
	unprotected, header, recipients                                      []byte // JSON
}

// parseJSON reads the general form and the flattened one. Members that the RFC doesn't know are ignored, as it says.
func parseJSON(message []byte) (*form, error) {
	m, err := readMembers(message)
	if err != nil || m.ciphertext == nil {
		return nil, ErrDecryption
	}
	f := &form{authenticated: m.protected}
	var shared header
	if m.protected != nil {
		if err := f.readProtected(string(m.protected), &shared); err != nil {
			return nil, err
		}
	}
	if m.unprotected != nil {
		if err := shared.read(m.unprotected, false); err != nil {
			return nil, err
		}
	}
	if err := f.readContent(m); err != nil {
		return nil, err
	}
	if err := f.readRecipients(m, shared); err != nil {
		return nil, err
	}
	return f, f.check()
}

// readMembers reads an object of a few members: what a stranger makes up takes no more memory than its own.
func readMembers(message []byte) (m members, err error) {
	texts := map[string]*[]byte{
		"protected": &m.protected, "iv": &m.initialization, "aad": &m.additional, "ciphertext": &m.ciphertext, "tag": &m.tag,
		"encrypted_key": &m.encryptedKey,
	}
	values := map[string]*[]byte{"unprotected": &m.unprotected, "header": &m.header, "recipients": &m.recipients}
	var s jose.Scanner
	for s.ResetFew(message); s.Next(); {
		name := string(s.Name())
		if into := texts[name]; into != nil {
			text, ok := s.Value().Text()
			// What is empty is left out (RFC 7516 §7.2.1); only the ciphertext is always there.
			if !ok || len(text) == 0 && name != "ciphertext" {
				return m, ErrDecryption
			}
			*into = text
		} else if into := values[name]; into != nil {
			*into = s.Value().Raw()
		}
	}
	return m, accept(s.Err() == nil)
}

func (f *form) readContent(m members) error {
	for _, part := range []struct {
		encoded []byte
		into    *[]byte
	}{{m.initialization, &f.content.iv}, {m.ciphertext, &f.content.ciphertext}, {m.tag, &f.content.tag}, {m.additional, &f.additional}} {
		var err error
		if *part.into, err = decode(string(part.encoded)); err != nil {
			return err
		}
	}
	if m.additional != nil {
		f.authenticated = bytes.Join([][]byte{f.authenticated, m.additional}, []byte{'.'})
	}
	return nil
}

// readRecipients reads "recipients", or the one recipient of the flattened form, which stands in the message itself.
func (f *form) readRecipients(m members, shared header) error {
	if m.recipients == nil {
		return f.addRecipient(m, m, shared)
	}
	if m.header != nil || m.encryptedKey != nil { // RFC 7516 §7.2.2
		return ErrDecryption
	}
	list, err := jose.Parse(m.recipients)
	if err != nil || list.Kind() != jose.Array {
		return ErrDecryption
	}
	for elements := list.Elements(); elements.Next(); {
		recipient, err := readMembers(elements.Value().Raw())
		if err != nil || len(f.recipients) == maxRecipients {
			return ErrDecryption
		}
		if err := f.addRecipient(m, recipient, shared); err != nil {
			return err
		}
	}
	return nil
}

// addRecipient joins the parts of the header for one recipient.
func (f *form) addRecipient(m, recipient members, joined header) (err error) {
	var parts [][]byte
	for _, part := range [][]byte{f.protected, m.unprotected, recipient.header} {
		if part != nil {
			parts = append(parts, part)
		}
	}
	if recipient.header != nil {
		if err := joined.read(recipient.header, false); err != nil {
			return err
		}
	}
	if jose.Valid(jose.Join(parts...)) != nil { // no two parts have one name (RFC 7516 §7.2.1)
		return ErrDecryption
	}
	if joined.encryptedKey, err = decode(string(recipient.encryptedKey)); err != nil {
		return err
	}
	f.recipients = append(f.recipients, joined)
	return nil
}

// check demands what every header has, and what its recipients must agree on (RFC 7516 §4.1.1, §4.1.2 and §7.2.1), and
// refuses an ephemeral key where the algorithm has none.
func (f *form) check() error {
	if len(f.recipients) == 0 {
		return ErrDecryption
	}
	for _, h := range f.recipients {
		if h.algorithm == "" || h.encryption == "" || h.encryption != f.recipients[0].encryption {
			return ErrDecryption
		}
		if s := schemeOf(h.algorithm); s != nil && s.family != familyECDH && h.ephemeral != nil {
			return ErrDecryption
		}
	}
	return nil
}
