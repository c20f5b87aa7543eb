// Package passkeytest is a browser with an authenticator in software, for tests: it makes passkeys and signs with them
// (WebAuthn Level 3 §6.3), and says what isn't so where a test tells it to.
package passkeytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"testing"
)

// Algorithms of COSE (RFC 9053) that an authenticator may have.
const (
	ES256 = -7
	EdDSA = -8
	RS256 = -257
)

// Flags of authenticator data (WebAuthn Level 3 §6.1).
const (
	Present        = 1 << 0
	Verified       = 1 << 2
	BackupEligible = 1 << 3
	BackedUp       = 1 << 4
	attested       = 1 << 6
)

// Authenticator makes answers. Every field may be changed between two of them.
type Authenticator struct {
	*testing.T
	Origin    string // of the page
	Host      string // relying party; "": the one that the page asks for
	Ceremony  string // type of the client data; "": the right one
	Challenge string // "": the one that the page was given
	Flags     byte
	Algorithm int    // of new passkeys
	Format    string // of the attestation
}

// New makes one at whose pages somebody is there, and shows a fingerprint.
func New(t *testing.T, origin string) *Authenticator {
	return &Authenticator{T: t, Origin: origin, Flags: Present | Verified, Algorithm: ES256, Format: "none"}
}

// Passkey is a key pair with what belongs to it.
type Passkey struct {
	ID     []byte
	Handle []byte // of its owner; nil: the authenticator doesn't know
	Count  uint32 // shown next; 0: it doesn't count
	key    crypto.Signer
}

// options are those of the server, as far as they matter here.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		Host      string `json:"rpId"`
		Party     struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

// Create is navigator.credentials.create, and answers its result as JSON.
func (a *Authenticator) Create(text []byte) (*Passkey, []byte) {
	a.Helper()
	var o options
	a.check(json.Unmarshal(text, &o))
	p := &Passkey{ID: make([]byte, 32), key: a.newKey()}
	rand.Read(p.ID)
	var err error
	p.Handle, err = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID)
	a.check(err)
	data := a.data(o.PublicKey.Party.ID, a.Flags|attested, p.Count)
	data = append(data, make([]byte, 16)...) // AAGUID
	data = binary.BigEndian.AppendUint16(data, uint16(len(p.ID)))
	data = append(append(data, p.ID...), a.cose(p.key)...)
	object := cbor(pairs{{"fmt", a.Format}, {"attStmt", pairs{}}, {"authData", data}})
	return p, a.encode(p, map[string]any{
		"clientDataJSON": encoded(a.client(o, "webauthn.create")), "attestationObject": encoded(object), "transports": []string{"internal", "hybrid"},
		"authenticatorData": encoded(data), "publicKeyAlgorithm": a.Algorithm,
	})
}

// Get is navigator.credentials.get with one passkey.
func (a *Authenticator) Get(text []byte, p *Passkey) []byte {
	a.Helper()
	var o options
	a.check(json.Unmarshal(text, &o))
	data, client := a.data(o.PublicKey.Host, a.Flags, p.Count), a.client(o, "webauthn.get")
	if p.Count > 0 {
		p.Count++
	}
	sum := sha256.Sum256(client)
	response := map[string]any{"clientDataJSON": encoded(client), "authenticatorData": encoded(data), "signature": encoded(a.sign(p.key, append(data, sum[:]...)))}
	if p.Handle != nil {
		response["userHandle"] = encoded(p.Handle)
	}
	return a.encode(p, response)
}

func (a *Authenticator) check(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *Authenticator) encode(p *Passkey, response map[string]any) []byte {
	a.Helper()
	text, err := json.Marshal(map[string]any{
		"id": encoded(p.ID), "rawId": encoded(p.ID), "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": struct{}{}, "response": response,
	})
	a.check(err)
	return text
}

// client is the client data.
func (a *Authenticator) client(o options, ceremony string) []byte {
	a.Helper()
	if a.Ceremony != "" {
		ceremony = a.Ceremony
	}
	challenge := o.PublicKey.Challenge
	if a.Challenge != "" {
		challenge = a.Challenge
	}
	text, err := json.Marshal(map[string]any{"type": ceremony, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	a.check(err)
	return text
}

// data is the authenticator data, without a credential.
func (a *Authenticator) data(host string, flags byte, count uint32) []byte {
	if a.Host != "" {
		host = a.Host
	}
	sum := sha256.Sum256([]byte(host))
	return binary.BigEndian.AppendUint32(append(sum[:], flags), count)
}

func (a *Authenticator) newKey() (key crypto.Signer) {
	a.Helper()
	var err error
	switch a.Algorithm {
	case EdDSA:
		_, key, err = ed25519.GenerateKey(nil)
	case RS256:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	a.check(err)
	return key
}

func (a *Authenticator) sign(key crypto.Signer, message []byte) []byte {
	a.Helper()
	hash := crypto.SHA256
	if _, whole := key.(ed25519.PrivateKey); whole {
		hash = 0
	} else {
		sum := sha256.Sum256(message)
		message = sum[:]
	}
	signature, err := key.Sign(rand.Reader, message, hash)
	a.check(err)
	return signature
}

// cose writes a public key (RFC 9053 §7, RFC 8230 §4), under the algorithm that the authenticator says.
func (a *Authenticator) cose(key crypto.Signer) []byte {
	a.Helper()
	switch public := key.Public().(type) {
	case ed25519.PublicKey:
		return cbor(pairs{{1, 1}, {3, a.Algorithm}, {-1, 6}, {-2, []byte(public)}})
	case *rsa.PublicKey:
		return cbor(pairs{{1, 3}, {3, a.Algorithm}, {-1, public.N.Bytes()}, {-2, big.NewInt(int64(public.E)).Bytes()}})
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		a.check(err)
		return cbor(pairs{{1, 2}, {3, a.Algorithm}, {-1, 1}, {-2, point[1:33]}, {-3, point[33:]}})
	}
	a.Fatal("a key of no kind")
	return nil
}

func encoded(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
