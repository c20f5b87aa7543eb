package jwe_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

// Every algorithm with every content encryption, in all forms.
func TestRoundTrips(t *testing.T) {
	stranger := secretKey(t, jwe.A256KW)
	for _, enc := range everyEncryption {
		for _, pair := range pairsFor(enc) {
			if pair.slow() && enc != jwe.A256CBC_HS512 {
				continue
			}
			t.Run(pair.name+" "+string(enc), func(t *testing.T) {
				e := newEncrypter(t, enc, jwe.EncrypterOptions{}, pair.encrypt)
				d := newDecrypter(t, jwe.DecrypterOptions{}, pair.decrypt)
				plaintexts := []string{"for your eyes only"}
				if pair.encrypt.Algorithm() == jwe.Dir { // the sizes matter to the content encryption only
					plaintexts = append(plaintexts, "", "a", "sixteen bytes ok", strings.Repeat("secret", 1000))
				}
				for _, plaintext := range plaintexts {
					compact := encrypt(t, e, plaintext)
					flattened := encryptJSON(t, e, plaintext, "additional")
					forms := map[string]string{"compact": compact, "flattened": flattened, "general of one": general(t, flattened)}
					if algorithm := pair.encrypt.Algorithm(); algorithm != jwe.ECDH_ES && algorithm != jwe.Dir {
						forms["general"] = encryptJSON(t, newEncrypter(t, enc, jwe.EncrypterOptions{}, stranger, pair.encrypt), plaintext, "")
					}
					for form, message := range forms {
						decrypted, err := d.Decrypt(t.Context(), []byte(message))
						if err != nil {
							t.Fatalf("%s of %d bytes: %v", form, len(plaintext), err)
						}
						if string(decrypted.Plaintext()) != plaintext || decrypted.Algorithm() != pair.encrypt.Algorithm() || decrypted.Encryption() != enc {
							t.Errorf("%s: %v: %q", form, decrypted, decrypted.Plaintext())
						}
						if strings.Contains(message, plaintext) && len(plaintext) > 1 {
							t.Errorf("%s: the message shows its content", form)
						}
					}
				}
			})
		}
	}
}

// general rewrites a flattened message in the general form.
func general(t *testing.T, flattened string) string {
	t.Helper()
	var message map[string]any
	if err := json.Unmarshal([]byte(flattened), &message); err != nil {
		t.Fatal(err)
	}
	recipient := map[string]any{}
	if key, ok := message["encrypted_key"]; ok {
		recipient["encrypted_key"] = key
	}
	delete(message, "encrypted_key")
	message["recipients"] = []any{recipient}
	return marshal(t, message)
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// All recipients of a message can read it, each with its own key only.
func TestSeveralRecipients(t *testing.T) {
	pairs := wrappingPairs()
	pairs = pairs[:min(len(pairs), 16)]
	var keys []jwe.EncryptionKey
	for _, pair := range pairs {
		keys = append(keys, pair.encrypt)
	}
	message := encryptJSON(t, newEncrypter(t, jwe.A256CBC_HS512, jwe.EncrypterOptions{ContentType: "text/plain"}, keys...), "for all", "aad")
	for _, pair := range pairs {
		decrypted := decrypt(t, jwe.DecrypterOptions{}, message, pair.decrypt)
		if string(decrypted.Plaintext()) != "for all" || string(decrypted.Additional()) != "aad" || decrypted.KeyID() != pair.decrypt.KeyID() {
			t.Errorf("%s: %v", pair.name, decrypted)
		}
	}
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, secretKey(t, jwe.A256KW)), "a stranger", message)
	if _, err := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, keys...).Encrypt(nil); err == nil {
		t.Error("a compact message for several recipients")
	}
}

func TestHeader(t *testing.T) {
	key := privateKey(t, jwe.ECDH_ES)
	e := newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{
		Type: "x+jwe", ContentType: "text/plain", PartyU: []byte("Alice"), PartyV: []byte("Bob"), Compress: true,
		Header: map[string]any{"iss": "https://a.example", "https://b.example/x": []int{1, 2}},
	}, key.Public())
	for form, message := range map[string]string{"compact": encrypt(t, e, "content"), "flattened": encryptJSON(t, e, "content", "")} {
		decrypted := decrypt(t, jwe.DecrypterOptions{Decompress: true}, message, key)
		if string(decrypted.PartyU()) != "Alice" || string(decrypted.PartyV()) != "Bob" {
			t.Errorf("%s: from %q to %q", form, decrypted.PartyU(), decrypted.PartyV())
		}
		if decrypted.Type() != "x+jwe" || decrypted.ContentType() != "text/plain" || decrypted.Additional() != nil {
			t.Errorf("%s: %q, %q", form, decrypted.Type(), decrypted.ContentType())
		}
		var header map[string]any
		if err := json.Unmarshal(decrypted.Protected(), &header); err != nil {
			t.Fatal(err)
		}
		delete(header, "epk")
		want := map[string]any{
			"alg": "ECDH-ES", "enc": "A256GCM", "kid": key.KeyID(), "typ": "x+jwe", "cty": "text/plain", "zip": "DEF", "apu": "QWxpY2U", "apv": "Qm9i",
			"iss": "https://a.example", "https://b.example/x": []any{1., 2.},
		}
		if fmt.Sprint(header) != fmt.Sprint(want) {
			t.Errorf("%s: header %v, want %v", form, header, want)
		}
	}
}

// What a message's accessors return isn't the message's own memory, and an encrypter doesn't hold on to its options'
// memory.
func TestNothingIsShared(t *testing.T) {
	key := secretKey(t, jwe.A128KW)
	party, members := []byte("Alice"), map[string]any{"list": []string{"a"}}
	agreeing := privateKey(t, jwe.ECDH_ES)
	e := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{PartyU: party, PartyV: []byte("Bob"), Header: members}, agreeing.Public())
	party[0], members["list"].([]string)[0], members["other"] = 'x', "x", 1
	agreed := decrypt(t, jwe.DecrypterOptions{}, encrypt(t, e, ""), agreeing)
	header := string(agreed.Protected())
	if !strings.Contains(header, `"apu":"QWxpY2U"`) || !strings.Contains(header, `"list":["a"]`) || strings.Contains(header, "other") {
		t.Errorf("header %s", header)
	}
	sent, received, accepted := []jwe.EncryptionKey{key}, []jwe.DecryptionKey{key}, []jwe.Encryption{jwe.A128GCM}
	e, d := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, sent...), newDecrypter(t, jwe.DecrypterOptions{Encryptions: accepted}, received...)
	stranger := secretKey(t, jwe.A128KW)
	sent[0], received[0], accepted[0] = stranger, stranger, jwe.A256GCM
	message, err := d.Decrypt(t.Context(), []byte(encryptJSON(t, e, "content", "additional")))
	if err != nil {
		t.Fatal(err)
	}
	for _, accessor := range []func() []byte{message.Plaintext, message.Additional, message.Protected, agreed.PartyU, agreed.PartyV} {
		before := string(accessor())
		clear(accessor())
		if string(accessor()) != before {
			t.Errorf("%q was altered through its accessor", before)
		}
	}
}

func TestNewEncrypterRefuses(t *testing.T) {
	wrapping, direct := secretKey(t, jwe.A256KW), directKey(t, jwe.A256GCM)
	agreeing := privateKey(t, jwe.ECDH_ES).Public()
	for name, made := range map[string]func() (*jwe.Encrypter, error){
		"no key":             func() (*jwe.Encrypter, error) { return jwe.NewEncrypter(jwe.A128GCM, jwe.EncrypterOptions{}) },
		"nil key":            func() (*jwe.Encrypter, error) { return jwe.NewEncrypter(jwe.A128GCM, jwe.EncrypterOptions{}, nil) },
		"typed nil":          func() (*jwe.Encrypter, error) { return encrypterFor((*jwe.PublicKey)(nil)) },
		"zero public key":    func() (*jwe.Encrypter, error) { return encrypterFor(new(jwe.PublicKey)) },
		"zero secret key":    func() (*jwe.Encrypter, error) { return encrypterFor(new(jwe.SecretKey)) },
		"zero password":      func() (*jwe.Encrypter, error) { return encrypterFor(new(jwe.Password)) },
		"no encryption":      func() (*jwe.Encrypter, error) { return jwe.NewEncrypter("", jwe.EncrypterOptions{}, wrapping) },
		"unknown encryption": func() (*jwe.Encrypter, error) { return jwe.NewEncrypter("A512GCM", jwe.EncrypterOptions{}, wrapping) },
		"other encryption": func() (*jwe.Encrypter, error) {
			return jwe.NewEncrypter(jwe.A128CBC_HS256, jwe.EncrypterOptions{}, direct)
		},
		"dir for two":     func() (*jwe.Encrypter, error) { return encrypterFor(wrapping, direct) },
		"ECDH-ES for two": func() (*jwe.Encrypter, error) { return encrypterFor(agreeing, wrapping) },
		"17 keys": func() (*jwe.Encrypter, error) {
			var keys []jwe.EncryptionKey
			for range 17 {
				keys = append(keys, privateKey(t, jwe.ECDH_ES_A128KW).Public())
			}
			return encrypterFor(keys...)
		},
		"one key ID for two": func() (*jwe.Encrypter, error) { return encrypterFor(secretKeyWith(t, "a"), secretKeyWith(t, "a")) },
		"no key ID for one":  func() (*jwe.Encrypter, error) { return encrypterFor(secretKeyWith(t, "a"), secretKeyWith(t, "")) },
		"9 secret keys": func() (*jwe.Encrypter, error) {
			var keys []jwe.EncryptionKey
			for i := range 9 {
				keys = append(keys, secretKeyWith(t, fmt.Sprint(i)))
			}
			return encrypterFor(keys...)
		},
		"3 passwords": func() (*jwe.Encrypter, error) {
			var keys []jwe.EncryptionKey
			for i := range 3 {
				keys = append(keys, newPassword(t, jwe.PasswordOptions{KeyID: fmt.Sprint(i)}))
			}
			return encrypterFor(keys...)
		},
		"an embedded direct key": func() (*jwe.Encrypter, error) {
			return jwe.NewEncrypter(jwe.A128CBC_HS256, jwe.EncrypterOptions{}, struct{ *jwe.SecretKey }{direct})
		},
		"an embedded public key": func() (*jwe.Encrypter, error) { return encrypterFor(struct{ *jwe.PublicKey }{agreeing}) },
		"spaces in the type":     func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, jwe.EncrypterOptions{Type: "a b"}) },
		"umlaut in the type": func() (*jwe.Encrypter, error) {
			return encrypterWith(wrapping, jwe.EncrypterOptions{ContentType: "ä"})
		},
		"own alg":                func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, member("alg", "dir")) },
		"own crit":               func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, member("crit", []string{"x"})) },
		"own kid in capitals":    func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, member("KID", "x")) },
		"member of invalid text": func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, member("x", "\xff")) },
		"member that JSON lacks": func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, member("x", func() {})) },
		"members alike": func() (*jwe.Encrypter, error) {
			return encrypterWith(wrapping, jwe.EncrypterOptions{Header: map[string]any{"role": 1, "Role": 2}})
		},
		"large member": func() (*jwe.Encrypter, error) { return encrypterWith(wrapping, member("x", strings.Repeat("x", 5000))) },
		"large sender": func() (*jwe.Encrypter, error) {
			return encrypterWith(agreeing, jwe.EncrypterOptions{PartyU: make([]byte, 513)})
		},
		"large recipient": func() (*jwe.Encrypter, error) {
			return encrypterWith(agreeing, jwe.EncrypterOptions{PartyV: make([]byte, 513)})
		},
	} {
		if e, err := made(); err == nil || e != nil || !strings.HasPrefix(err.Error(), "jwe: ") {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
	tooLong := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{Compress: true}, wrapping)
	if _, err := tooLong.Encrypt(make([]byte, 250<<10+1)); err == nil {
		t.Error("compressed more than a decrypter inflates")
	}
}

func encrypterFor(keys ...jwe.EncryptionKey) (*jwe.Encrypter, error) {
	return jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, keys...)
}

func encrypterWith(key jwe.EncryptionKey, o jwe.EncrypterOptions) (*jwe.Encrypter, error) {
	return jwe.NewEncrypter(jwe.A256GCM, o, key)
}

func member(name string, value any) jwe.EncrypterOptions {
	return jwe.EncrypterOptions{Header: map[string]any{name: value}}
}

func directKey(t testing.TB, enc jwe.Encryption) *jwe.SecretKey {
	t.Helper()
	key, err := jwe.GenerateDirectKey(enc)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
