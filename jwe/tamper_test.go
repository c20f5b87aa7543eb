package jwe_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

// No bit of any part can be flipped. Where a try is expensive, one bit in 13 or 67 stands for all.
func TestFlippedBits(t *testing.T) {
	for _, enc := range []jwe.Encryption{jwe.A128GCM, jwe.A128CBC_HS256} {
		for _, pair := range pairsFor(enc) {
			if pair.slow() {
				continue
			}
			step := 1
			if strings.HasPrefix(pair.name, "RSA") {
				step = 67
			} else if strings.HasPrefix(pair.name, "PBES2") || strings.HasPrefix(pair.name, "ECDH") {
				step = 13
			}
			t.Run(pair.name+" "+string(enc), func(t *testing.T) {
				t.Parallel()
				d := newDecrypter(t, jwe.DecrypterOptions{}, pair.decrypt)
				message := encrypt(t, newEncrypter(t, enc, jwe.EncrypterOptions{}, pair.encrypt), "attack at dawn")
				parts := strings.Split(message, ".")
				for i, part := range parts {
					data, err := base64.RawURLEncoding.DecodeString(part)
					if err != nil {
						t.Fatal(err)
					}
					for bit := 0; bit < 8*len(data); bit += step {
						data[bit/8] ^= 1 << (bit % 8)
						parts[i] = base64.RawURLEncoding.EncodeToString(data)
						refuses(t, d, "a flipped bit", strings.Join(parts, "."))
						data[bit/8] ^= 1 << (bit % 8)
					}
					parts[i] = part
				}
				if _, err := d.Decrypt(t.Context(), []byte(strings.Join(parts, "."))); err != nil {
					t.Errorf("the message itself: %v", err)
				}
			})
		}
	}
}

// Any part that is cut, lengthened, emptied, or taken from another message of the same key, is refused.
func TestForeignParts(t *testing.T) {
	for _, enc := range []jwe.Encryption{jwe.A256GCM, jwe.A256CBC_HS512} {
		for _, pair := range pairsFor(enc) {
			if pair.slow() {
				continue
			}
			d := newDecrypter(t, jwe.DecrypterOptions{}, pair.decrypt)
			e := newEncrypter(t, enc, jwe.EncrypterOptions{}, pair.encrypt)
			parts, other := strings.Split(encrypt(t, e, "pay 100 to Ann"), "."), strings.Split(encrypt(t, e, "pay 100 to Bob"), ".")
			for i, part := range parts {
				replacements := []string{other[i], "", "AAAA", part + "AAAA", part + part, part + "=", part + "\n", part + ".", "." + part}
				if len(part) > 4 {
					replacements = append(replacements, part[4:], part[:len(part)-4], part[:len(part)-1])
				}
				for _, replacement := range replacements {
					if replacement == part {
						continue // no encrypted key, or the same header
					}
					parts[i] = replacement
					refuses(t, d, pair.name+": a foreign part", strings.Join(parts, "."))
				}
				parts[i] = part
			}
		}
	}
}

// In JSON the additional data, and the presence of each member, count too.
func TestAlteredJSON(t *testing.T) {
	one, two := secretKey(t, jwe.A256KW), secretKey(t, jwe.A128GCMKW)
	d := newDecrypter(t, jwe.DecrypterOptions{}, one)
	e := newEncrypter(t, jwe.A128CBC_HS256, jwe.EncrypterOptions{}, one)
	text := encryptJSON(t, e, "content", "additional")
	otherText := encryptJSON(t, newEncrypter(t, jwe.A128CBC_HS256, jwe.EncrypterOptions{}, one, two), "content", "")
	for _, text := range []string{text, otherText} {
		var members map[string]any
		if err := json.Unmarshal([]byte(text), &members); err != nil {
			t.Fatal(err)
		}
		for name, value := range members {
			for _, replacement := range []any{nil, 1, "", "AAAA", []any{}, []any{1}, []any{map[string]any{}}, map[string]any{}} {
				members[name] = replacement
				refuses(t, d, name+" replaced", marshal(t, members))
			}
			delete(members, name)
			refuses(t, d, name+" missing", marshal(t, members))
			members[name] = value
		}
		if _, err := d.Decrypt(t.Context(), []byte(marshal(t, members))); err != nil {
			t.Errorf("the message itself: %v", err)
		}
	}
	refuses(t, d, "additional data added", strings.Replace(otherText, `"ciphertext"`, `"aad":"AAAA","ciphertext"`, 1))
}
