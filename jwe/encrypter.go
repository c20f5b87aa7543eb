package jwe

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jot-auth/jot/internal/jose"
)

const maxPartySize = 512

// EncrypterOptions are what an encrypter writes into its messages beside the content.
type EncrypterOptions struct {
	// Type is the header's "typ" (RFC 7516 §4.1.11); empty means none.
	Type string
	// ContentType is the header's "cty" (RFC 7516 §4.1.12): what kind of content this is; empty means none. SealToken
	// writes its own.
	ContentType string
	// Header has further members for the protected header: anything that encodes to JSON. The names that RFC 7516 and
	// RFC 7518 register are refused.
	Header map[string]any
	// PartyU and PartyV are information about sender and recipient, "apu" and "apv", that goes into the key that an
	// ECDH_ES algorithm derives (RFC 7518 §4.6.1), each at most 512 bytes. Few protocols ask for them.
	PartyU, PartyV []byte
	// Compress writes the content as DEFLATE, "zip" (RFC 7516 §4.1.3). The message's length then tells something of the
	// content: never compress a secret together with what an attacker may choose (RFC 8725 §3.6). The content has at
	// most 250 KiB, as decrypters inflate no more.
	Compress bool
}

// Encrypter encrypts messages for the holders of its keys. It's immutable and safe for concurrent use.
type Encrypter struct {
	content *content
	keys    []EncryptionKey
	options EncrypterOptions
	extra   map[string]any // EncrypterOptions.Header, encoded
}

// NewEncrypter makes an encrypter for 1 to 16 keys, each of which will decrypt its messages. A message for several keys
// can be read by the holder of the weakest. All of them learn the key of its content, with which each can write to the
// others in the sender's place, whatever kind their keys are and for as long as they use them; see Message. To keep a
// SecretKey or a Password good for telling who wrote, never use it beside another recipient's.
//
// Each of several keys has a key ID of its own, by which the recipients find their parts. Secret keys of one algorithm
// are then 8 at most, and the iterations of passwords together what one message may cost, for a holder who doesn't know
// the key's ID tries them all. Keys of algorithms Dir and ECDH_ES are the only key of their encrypter, and a key of
// algorithm Dir is for one content encryption.
func NewEncrypter(enc Encryption, o EncrypterOptions, keys ...EncryptionKey) (*Encrypter, error) {
	c, err := offeredContent(enc)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 || len(keys) > maxRecipients {
		return nil, fmt.Errorf("jwe: an encrypter has 1 to %d keys", maxRecipients)
	}
	for _, key := range keys {
		if err := checkRecipient(c, key, len(keys) == 1); err != nil {
			return nil, err
		}
	}
	if err := checkFindable(keys); err != nil {
		return nil, err
	}
	for _, text := range []string{o.Type, o.ContentType} {
		if text != "" && !jose.IsMediaType(text) {
			return nil, errors.New("jwe: a type is a media type, printable ASCII without spaces (RFC 6838 §4.2)")
		}
	}
	if len(o.PartyU) > maxPartySize || len(o.PartyV) > maxPartySize {
		return nil, fmt.Errorf("jwe: PartyU and PartyV have at most %d bytes", maxPartySize)
	}
	extra, err := encodeExtra(o.Header)
	if err != nil {
		return nil, err
	}
	o.PartyU, o.PartyV = slices.Clone(o.PartyU), slices.Clone(o.PartyV)
	e := &Encrypter{c, slices.Clone(keys), o, extra}
	// What no decrypter would read is refused here, not message by message.
	if header, err := e.encodeHeader(e.sharedMembers(o.ContentType)); err != nil || len(header) > maxHeaderSize/2 {
		return nil, errors.New("jwe: these header members don't encode to strict JSON of at most 4 KiB")
	}
	return e, nil
}

func checkRecipient(c *content, key EncryptionKey, only bool) error {
	switch key.(type) {
	case *PublicKey, *SecretKey, *Password:
	default:
		return errors.New("jwe: an encrypter's keys are *PublicKey, *SecretKey and *Password, not nil and not embedded in another type")
	}
	if !key.usable() {
		return errNoKey
	}
	if schemeOf(key.Algorithm()).direct() && !only {
		return fmt.Errorf("jwe: a key for %s is the only key of its encrypter: use ECDH_ES_A256KW or A256KW for several", key.Algorithm())
	}
	if bound := key.bound(); bound != nil && bound != c {
		return fmt.Errorf("jwe: this key is for %s, not for %s", bound.name, c.name)
	}
	return nil
}

// checkFindable refuses recipients that a decrypter would give up on before it came to them.
func checkFindable(keys []EncryptionKey) error {
	if len(keys) == 1 {
		return nil
	}
	named, tried := map[string]bool{"": true}, attempts{}
	for _, key := range keys {
		if named[key.KeyID()] {
			return errors.New("jwe: each of an encrypter's several keys has a key ID of its own, by which its holder finds the right part of a message")
		}
		named[key.KeyID()] = true
		if !tried.pay(key.Algorithm(), key.usual()) {
			return fmt.Errorf("jwe: a decrypter doesn't try that many keys for %s, or that many iterations: encrypt another message for some of them", key.Algorithm())
		}
	}
	return nil
}

// encodeExtra encodes the caller's members, so that they're the same in every message whatever the caller does with
// them later.
func encodeExtra(members map[string]any) (map[string]any, error) {
	encoded := map[string]any{}
	for name, value := range members {
		if jose.IsReserved(name) {
			return nil, fmt.Errorf("jwe: header member %.32q isn't free to be set", name)
		}
		text, err := jose.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("jwe: encoding header member %.32q: %w", name, err)
		}
		encoded[name] = json.RawMessage(text)
	}
	return encoded, nil
}

// Encrypt returns the message in compact form (RFC 7516 §3.1). It needs an encrypter of one key. The message is a third
// longer than its content, and a decrypter reads 1 MiB unless told otherwise: content of more than 767 KiB needs a
// DecrypterOptions.MaxSize on the other side.
func (e *Encrypter) Encrypt(plaintext []byte) (string, error) {
	return e.encryptCompact(plaintext, e.options.ContentType)
}

func (e *Encrypter) encryptCompact(plaintext []byte, contentType string) (string, error) {
	if err := e.checkCompact(); err != nil {
		return "", err
	}
	m, err := e.encrypt(plaintext, nil, contentType)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{m.Protected, m.EncryptedKey, m.IV, m.Ciphertext, m.Tag}, "."), nil
}

func (e *Encrypter) checkCompact() error {
	if len(e.keys) > 1 {
		return fmt.Errorf("jwe: the compact form has one recipient, this encrypter has %d: use EncryptJSON", len(e.keys))
	}
	return nil
}

// EncryptJSON returns the message in JSON, flattened for one key and general for several (RFC 7516 §7.2). What Encrypt
// says of the size holds for it too. The additional data, if there is any, stands in the message for everybody to read,
// and nobody but a recipient can alter it unnoticed. With several keys, each one's algorithm and key ID stand outside
// of the protected header, and each recipient could alter the message for the others, or write them another one: they
// all learn the key of its content; see NewEncrypter.
func (e *Encrypter) EncryptJSON(plaintext, additional []byte) ([]byte, error) {
	m, err := e.encrypt(plaintext, additional, e.options.ContentType)
	if err != nil {
		return nil, err
	}
	return json.Marshal(m)
}

// written is a message as it's written in JSON; the texts are encoded.
type written struct {
	Protected    string             `json:"protected"`
	Recipients   []writtenRecipient `json:"recipients,omitempty"`
	EncryptedKey string             `json:"encrypted_key,omitempty"`
	Additional   string             `json:"aad,omitempty"`
	IV           string             `json:"iv"`
	Ciphertext   string             `json:"ciphertext"`
	Tag          string             `json:"tag"`
}

type writtenRecipient struct {
	Header       json.RawMessage `json:"header"`
	EncryptedKey string          `json:"encrypted_key"`
}

// encrypt follows the steps of RFC 7516 §5.1.
func (e *Encrypter) encrypt(plaintext, additional []byte, contentType string) (*written, error) {
	if len(e.keys) == 0 {
		return nil, errors.New("jwe: the zero value of Encrypter has no keys")
	}
	plaintext, err := e.deflated(plaintext)
	if err != nil {
		return nil, err
	}
	m := &written{Additional: base64URL(additional)}
	key, header, err := e.wrapAll(m, e.sharedMembers(contentType))
	if err != nil {
		return nil, fmt.Errorf("jwe: encrypting: %w", err)
	}
	m.Protected = base64URL(header)
	authenticated := m.Protected
	if len(additional) > 0 {
		authenticated += "." + m.Additional
	}
	sealed, err := e.content.seal(key, plaintext, []byte(authenticated))
	if err != nil {
		return nil, fmt.Errorf("jwe: encrypting: %w", err)
	}
	m.IV, m.Ciphertext, m.Tag = base64URL(sealed.iv), base64URL(sealed.ciphertext), base64URL(sealed.tag)
	return m, nil
}

// wrapAll finds the content's key and wraps it for each recipient. It returns the key and the protected header.
func (e *Encrypter) wrapAll(m *written, shared map[string]any) (contentKey, header []byte, err error) {
	contentKey = e.content.newKey()
	for _, key := range e.keys {
		w := &wrapping{algorithm: key.Algorithm(), keyID: key.KeyID()}
		if schemeOf(w.algorithm).family == familyECDH {
			w.partyU, w.partyV = e.options.PartyU, e.options.PartyV
		}
		if contentKey, err = key.wrap(w, e.content, contentKey); err != nil {
			return nil, nil, err
		}
		if len(e.keys) == 1 { // all of its members can be protected
			maps.Copy(shared, w.members())
			m.EncryptedKey = base64URL(w.encryptedKey)
			break
		}
		own, err := e.encodeHeader(w.members())
		if err != nil {
			return nil, nil, err
		}
		m.Recipients = append(m.Recipients, writtenRecipient{own, base64URL(w.encryptedKey)})
	}
	header, err = e.encodeHeader(shared)
	return contentKey, header, err
}

// sharedMembers are the members of the header that are the same for every recipient.
func (e *Encrypter) sharedMembers(contentType string) map[string]any {
	members := maps.Clone(e.extra)
	members["enc"] = e.content.name
	setText(members, "typ", e.options.Type)
	setText(members, "cty", contentType)
	if e.options.Compress {
		members["zip"] = "DEF"
	}
	return members
}

func (e *Encrypter) encodeHeader(members map[string]any) ([]byte, error) {
	header, err := jose.Marshal(members)
	if err != nil {
		return nil, err
	}
	return header, jose.Valid(header)
}

// members are those of one recipient (RFC 7518 §4.6.1, §4.7.1 and §4.8.1).
func (w *wrapping) members() map[string]any {
	members := map[string]any{"alg": w.algorithm}
	setText(members, "kid", w.keyID)
	for name, data := range map[string][]byte{"apu": w.partyU, "apv": w.partyV, "iv": w.iv, "tag": w.tag, "p2s": w.salt} {
		setText(members, name, base64URL(data))
	}
	if w.iterations > 0 {
		members["p2c"] = w.iterations
	}
	if w.ephemeral != nil {
		members["epk"] = json.RawMessage(w.ephemeral)
	}
	return members
}

func setText(members map[string]any, name, text string) {
	if text != "" {
		members[name] = text
	}
}
