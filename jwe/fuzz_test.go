package jwe_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
)

// fixedKeys are those of the examples, one for each algorithm, but for the passwords: a fuzzer would mostly wait for
// them.
func fixedKeys(t testing.TB) (keys []jwe.DecryptionKey) {
	t.Helper()
	for _, alg := range []jwe.Algorithm{jwe.ECDH_ES, jwe.ECDH_ES_A128KW} {
		key, err := jwe.ParsePrivateKey([]byte(`{`+bobJWK+`,`+bobPrivate+`}`), jwe.ParseOptions{Algorithm: alg})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	for _, alg := range []jwe.Algorithm{jwe.A128KW, jwe.A128GCMKW} {
		key, err := jwe.NewSecretKey(alg, []byte("sixteen bytes ok"), jwe.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	direct, err := jwe.NewDirectKey(jwe.A128CBC_HS256, []byte("sixteen bytes oksixteen bytes ok"), jwe.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := jwe.NewPrivateKey(jwe.RSA_OAEP_256, privateRSA(), jwe.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return append(keys, direct, rsaKey)
}

// No bytes make a decrypter panic, or answer anything but the one error, or accept what the sender didn't write.
func FuzzDecrypt(f *testing.F) {
	keys := fixedKeys(f)
	d := newDecrypter(f, jwe.DecrypterOptions{Decompress: true, MaxSize: 64 << 10}, keys...)
	for _, key := range keys {
		var encryptionKey jwe.EncryptionKey
		switch key := key.(type) {
		case *jwe.PrivateKey:
			encryptionKey = key.Public()
		case *jwe.SecretKey:
			encryptionKey = key
		}
		e := newEncrypter(f, jwe.A128CBC_HS256, jwe.EncrypterOptions{Compress: true}, encryptionKey)
		f.Add([]byte(encrypt(f, e, "content")))
		f.Add([]byte(encryptJSON(f, e, "content", "additional")))
	}
	for _, example := range examples {
		f.Add([]byte(example.message))
	}
	f.Add([]byte("...."))
	f.Add([]byte(`{"ciphertext":"","recipients":[{},{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		message, err := d.Decrypt(t.Context(), data)
		switch {
		case err != nil && (message != nil || err != jwe.ErrDecryption || !errors.Is(err, jot.ErrInvalidToken)):
			t.Errorf("%q: %v, %v", data, message, err)
		case err == nil && string(message.Plaintext()) != "content":
			t.Errorf("%q says %q", data, message.Plaintext())
		}
	})
}

// A header that is accepted is what encoding/json reads, and names what the decrypter acted on.
func FuzzHeader(f *testing.F) {
	key, err := jwe.NewDirectKey(jwe.A128GCM, []byte("sixteen bytes ok"), jwe.KeyOptions{})
	if err != nil {
		f.Fatal(err)
	}
	d := newDecrypter(f, jwe.DecrypterOptions{}, key)
	f.Add(`{"alg":"dir","enc":"A128GCM"}`)
	f.Add(`{"alg":"dir","enc":"A128GCM","typ":"a","cty":"b","kid":"","p2c":1,"iv":"AAAA","epk":{` + bobJWK + `}}`)
	f.Add(`{"alg":"dir","enc":"A128GCM","crit":[],"zip":"DEF"}`)
	f.Fuzz(func(t *testing.T, header string) {
		raw := forge(t, key, header, "content")
		message, err := d.Decrypt(t.Context(), []byte(raw))
		if err != nil {
			return
		}
		var read map[string]any
		if err := json.Unmarshal([]byte(header), &read); err != nil {
			t.Fatalf("%q: %v", header, err)
		}
		text := func(name string) string { s, _ := read[name].(string); return s }
		if text("alg") != "dir" || text("enc") != "A128GCM" || text("typ") != message.Type() || text("cty") != message.ContentType() {
			t.Errorf("%q: %v", header, message)
		}
		for _, name := range []string{"crit", "zip"} {
			if _, found := read[name]; found {
				t.Errorf("%q was accepted", header)
			}
		}
	})
}

// What is read as a key can be written, and reads as the same key.
func FuzzParseKey(f *testing.F) {
	f.Add([]byte(`{` + bobJWK + `,"alg":"ECDH-ES"}`))
	f.Add([]byte(`{` + bobJWK + `,` + bobPrivate + `,"alg":"ECDH-ES+A128KW","kid":"b","use":"enc","key_ops":["deriveKey"]}`))
	f.Add([]byte(`{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg","alg":"A128GCM"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if key, err := jwe.ParsePrivateKey(data, jwe.ParseOptions{}); err == nil {
			written, err := key.ExportJWK()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := jwe.ParsePrivateKey(written, jwe.ParseOptions{}); err != nil || again.KeyID() != key.KeyID() {
				t.Errorf("%q reads as %v, %v", data, again, err)
			}
		}
		if key, err := jwe.ParseSecretKey(data, jwe.ParseOptions{}); err == nil {
			written, err := key.ExportJWK()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := jwe.ParseSecretKey(written, jwe.ParseOptions{}); err != nil || again.KeyID() != key.KeyID() || again.Encryption() != key.Encryption() {
				t.Errorf("%q reads as %v, %v", data, again, err)
			}
		}
		key, err := jwe.ParsePublicKey(data, jwe.ParseOptions{})
		if err != nil {
			return
		}
		written, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := jwe.ParsePublicKey(written, jwe.ParseOptions{}); err != nil || again.KeyID() != key.KeyID() {
			t.Errorf("%q reads as %v, %v", data, again, err)
		}
	})
}
