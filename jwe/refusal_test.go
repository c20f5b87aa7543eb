package jwe_test

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

// forge makes a compact message under any header with a direct key: all that's wrong with it is the header.
func forge(t testing.TB, key *jwe.SecretKey, header, plaintext string) string {
	t.Helper()
	protected, iv, ciphertext, tag, err := jwe.ForgeForTest(key, header, plaintext, "")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{protected, "", iv, ciphertext, tag}, ".")
}

func TestProtectedHeader(t *testing.T) {
	key := directKey(t, jwe.A128GCM)
	d := newDecrypter(t, jwe.DecrypterOptions{}, key)
	for _, header := range []string{
		`{"alg":"dir","enc":"A128GCM"}`,
		` { "enc" : "A128GCM" , "alg" : "dir" } `,
		`{"\u0061lg":"dir","enc":"A128GCM"}`,
		`{"alg":"dir","enc":"A128GCM","kid":"` + key.KeyID() + `"}`,
		`{"alg":"dir","enc":"A128GCM","jwk":{"kty":"oct","k":"AAAA"},"x5c":[],"jku":1,"unknown":{"a":[null]}}`,
	} {
		if message, err := d.Decrypt(t.Context(), []byte(forge(t, key, header, "content"))); err != nil || string(message.Plaintext()) != "content" {
			t.Errorf("%s: %v, %v", header, message, err)
		}
	}
	for _, header := range []string{
		``, `{}`, `[]`, `null`, `"alg"`, `{"alg":"dir","enc":"A128GCM"`, `{"alg":"dir","enc":"A128GCM"} {}`, "\ufeff" + `{"alg":"dir","enc":"A128GCM"}`,
		`{"alg":"dir"}`, `{"enc":"A128GCM"}`, `{"Alg":"dir","enc":"A128GCM"}`,
		`{"alg":"dir","enc":"A128GCM","alg":"dir"}`, `{"alg":"dir","enc":"A128GCM","ALG":"A128KW"}`, `{"alg":"dir","enc":"A128GCM","x":{"a":1,"A":2}}`,
		`{"alg":"A128KW","enc":"A128GCM"}`, `{"alg":"none","enc":"A128GCM"}`, `{"alg":"DIR","enc":"A128GCM"}`, `{"alg":"","enc":"A128GCM"}`,
		`{"alg":null,"enc":"A128GCM"}`, `{"alg":["dir"],"enc":"A128GCM"}`, `{"alg":"dir","enc":1}`,
		`{"alg":"dir","enc":"A256GCM"}`, `{"alg":"dir","enc":"A128CBC-HS256"}`, `{"alg":"dir","enc":"a128gcm"}`, `{"alg":"dir","enc":"none"}`,
		`{"alg":"dir","enc":"A128GCM","kid":"another"}`, `{"alg":"dir","enc":"A128GCM","kid":7}`, `{"alg":"dir","enc":"A128GCM","kid":null}`,
		`{"alg":"dir","enc":"A128GCM","crit":["exp"],"exp":1}`, `{"alg":"dir","enc":"A128GCM","crit":[]}`, `{"alg":"dir","enc":"A128GCM","crit":null}`,
		`{"alg":"dir","enc":"A128GCM","typ":1}`, `{"alg":"dir","enc":"A128GCM","cty":{}}`,
		`{"alg":"dir","enc":"A128GCM","zip":"DEF"}`, `{"alg":"dir","enc":"A128GCM","zip":""}`, `{"alg":"dir","enc":"A128GCM","zip":null}`,
		`{"alg":"dir","enc":"A128GCM","iv":1}`, `{"alg":"dir","enc":"A128GCM","tag":"*"}`, `{"alg":"dir","enc":"A128GCM","apu":"AB"}`,
		`{"alg":"dir","enc":"A128GCM","epk":{}}`, `{"alg":"dir","enc":"A128GCM","epk":{` + bobJWK + `}}`, `{"alg":"dir","enc":"A128GCM","p2c":"1000"}`, `{"alg":"dir","enc":"A128GCM","p2c":1e3}`,
		`{"alg":"dir","enc":"A128GCM","p2c":0}`, `{"alg":"dir","enc":"A128GCM","p2c":-1}`, `{"alg":"dir","enc":"A128GCM","p2c":99999999999999999999}`,
		`{"alg":"dir","enc":"A128GCM","x":"` + "\xff" + `"}`, `{"alg":"dir","enc":"A128GCM","x":"\ud800"}`,
		`{"alg":"dir","enc":"A128GCM","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		`{"alg":"dir","enc":"A128GCM","x":"` + strings.Repeat("x", 9000) + `"}`,
		`{"alg":"dir","enc":"A128GCM","x":"` + strings.Repeat("x", 90000) + `"}`,
	} {
		refuses(t, d, header, forge(t, key, header, "content"))
	}
}

// The JSON forms, with a message whose every byte is authentic but for what the rules are about.
func TestJSONForms(t *testing.T) {
	key := directKey(t, jwe.A128GCM)
	d := newDecrypter(t, jwe.DecrypterOptions{}, key)
	fixed := newDecrypter(t, jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A128GCM}}, key)
	either := newDecrypter(t, jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A128GCM, jwe.A256GCM}}, key)
	for _, test := range []struct {
		name, protected, additional string
		rest                        string // of the message, with the forged parts filled in
		accepted                    bool
	}{
		{"flattened", `{"alg":"dir","enc":"A128GCM"}`, "", `%s`, true},
		{"flattened with additional data", `{"alg":"dir","enc":"A128GCM"}`, "aad", `%s,"aad":"YWFk"`, true},
		{"general", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"recipients":[{}]`, true},
		{"unknown members", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"x":[{"y":1}]`, true},
		{"alg for the recipient", `{"enc":"A128GCM"}`, "", `%s,"header":{"alg":"dir"}`, true},
		{"alg shared", `{"enc":"A128GCM"}`, "", `%s,"unprotected":{"alg":"dir"}`, true},
		{"three parts", `{"enc":"A128GCM"}`, "", `%s,"unprotected":{ },"recipients":[{"header":{"alg":"dir","kid":"` + key.KeyID() + `"}}]`, true},

		{"nothing after", `{"alg":"dir","enc":"A128GCM"}`, "", `%s}{`, false},
		{"additional data left out", `{"alg":"dir","enc":"A128GCM"}`, "aad", `%s`, false},
		{"additional data added", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"aad":"YWFk"`, false},
		{"additional data moved", `{"alg":"dir","enc":"A128GCM"}`, "aad", `%s,"unprotected":{"aad":"YWFk"}`, false},
		{"empty additional data", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"aad":""`, false},
		{"one name twice", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"unprotected":{"alg":"dir"}`, false},
		{"one name in two cases", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"header":{"ALG":"dir"}`, false},
		{"one name for shared and own", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"unprotected":{"x":1},"header":{"x":1}`, false},
		{"one name in the second recipient", `{"enc":"A128GCM"}`, "", `%s,"recipients":[{"header":{"alg":"A128KW"}},{"header":{"alg":"dir","enc":"A128GCM"}}]`, false},
		{"direct key for one of two", `{"enc":"A128GCM"}`, "", `%s,"recipients":[{"header":{"alg":"dir"}},{"header":{"alg":"A128KW"}}]`, false},
		{"crit shared", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"unprotected":{"crit":["x"],"x":1}`, false},
		{"crit for the recipient", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"header":{"crit":["x"],"x":1}`, false},
		{"zip unprotected", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"header":{"zip":"DEF"}`, false},
		{"no alg", `{"enc":"A128GCM"}`, "", `%s,"recipients":[{}]`, false},
		{"32 members", `{"alg":"dir","enc":"A128GCM"}`, "", `%s` + manyMembers(28), true},
		{"33 members", `{"alg":"dir","enc":"A128GCM"}`, "", `%s` + manyMembers(29), false},
		{"no alg for the second", `{"enc":"A128GCM"}`, "", `%s,"recipients":[{"header":{"alg":"A128KW"}},{}]`, false},
		{"no recipients", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"recipients":[]`, false},
		{"recipients and header", `{"enc":"A128GCM"}`, "", `%s,"recipients":[{"header":{"alg":"dir"}}],"header":{"x":1}`, false},
		{"recipients and encrypted key", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"recipients":[{}],"encrypted_key":"AAAA"`, false},
		{"surplus encrypted key", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"encrypted_key":"AAAA"`, false},
		{"empty encrypted key", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"encrypted_key":""`, false},
		{"recipient of a wrong type", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"recipients":[null]`, false},
		{"recipients of a wrong type", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"recipients":{}`, false},
		{"header of a wrong type", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"header":[]`, false},
		{"null header", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"unprotected":null`, false},
		{"large header", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"header":{"x":"` + strings.Repeat("x", 9000) + `"}`, false},
		{"members alike", `{"alg":"dir","enc":"A128GCM"}`, "", `%s,"Tag":"AAAA"`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			protected, iv, ciphertext, tag, err := jwe.ForgeForTest(key, test.protected, "content", test.additional)
			if err != nil {
				t.Fatal(err)
			}
			parts := fmt.Sprintf(`"protected":%q,"iv":%q,"ciphertext":%q,"tag":%q`, protected, iv, ciphertext, tag)
			text := "{" + fmt.Sprintf(test.rest, parts) + "}"
			if !test.accepted {
				refuses(t, d, text, text)
				refuses(t, d, "after a space", " "+text)
			} else if message, err := d.Decrypt(t.Context(), []byte(text)); err != nil || string(message.Plaintext()) != "content" {
				t.Errorf("%s: %v, %v", text, message, err)
			}
		})
	}
	t.Run("unprotected enc", func(t *testing.T) {
		protected, iv, ciphertext, tag, err := jwe.ForgeForTest(key, `{"alg":"dir"}`, "content", "")
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"protected":%q,"iv":%q,"ciphertext":%q,"tag":%q,"unprotected":{"enc":"A128GCM"}}`, protected, iv, ciphertext, tag)
		refuses(t, d, "with all to choose from", text)
		refuses(t, either, "with two to choose from", text)
		if message, err := fixed.Decrypt(t.Context(), []byte(text)); err != nil || message.Encryption() != jwe.A128GCM {
			t.Errorf("with one to choose from: %v, %v", message, err)
		}
	})
}

func manyMembers(count int) (text string) {
	for i := range count {
		text += fmt.Sprintf(`,"x%d":1`, i)
	}
	return text
}

// What another recipient's part says is read as far as it's this key's business: the content encryption, which all have
// to share, but not an ephemeral key.
func TestOtherRecipients(t *testing.T) {
	key, contentKey := secretKeyWith(t, "a"), directKey(t, jwe.A128GCM)
	o := jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A128GCM}}
	encryptedKey, err := jwe.WrapForTest(key, contentKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		protected, own, other string
		accepted              bool
	}{
		{`{"enc":"A128GCM"}`, `"alg":"A128KW"`, `"alg":"A256KW"`, true},
		{`{"enc":"A128GCM"}`, `"alg":"A128KW"`, `"alg":"A256KW"` + strings.Repeat(`}},{"header":{"alg":"A256KW"`, 14), true}, // 16 in all
		{`{"enc":"A128GCM"}`, `"alg":"A128KW"`, `"alg":"A256KW"` + strings.Repeat(`}},{"header":{"alg":"A256KW"`, 15), false},
		{`{"enc":"A128GCM"}`, `"alg":"A128KW"`, `"alg":"ECDH-1PU","epk":{"kty":"new"}`, true},
		{`{"enc":"A128GCM"}`, `"alg":"A128KW"`, `"alg":"ECDH-ES+A128KW","epk":{"kty":"EC","crv":"P-1"}`, true},
		{`{"enc":"A128GCM"}`, `"alg":"A128KW"`, `"alg":"A256KW","epk":{` + bobJWK + `}`, false},
		{`{"x":1}`, `"alg":"A128KW","enc":"A128GCM"`, `"alg":"A256KW","enc":"A128GCM"`, true},
		{`{"x":1}`, `"alg":"A128KW","enc":"A128GCM"`, `"alg":"A256KW","enc":"A256GCM"`, false},
		{`{"x":1}`, `"alg":"A128KW","enc":"A128GCM"`, `"alg":"A256KW"`, false},
	} {
		protected, iv, ciphertext, tag, err := jwe.ForgeForTest(contentKey, test.protected, "content", "")
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf(`{"protected":%q,"iv":%q,"ciphertext":%q,"tag":%q,"recipients":[{"header":{%s},"encrypted_key":%q},{"header":{%s},"encrypted_key":"AAAA"}]}`,
			protected, iv, ciphertext, tag, test.own, encryptedKey, test.other)
		if !test.accepted {
			refuses(t, newDecrypter(t, o, key), test.other, text)
		} else if _, err := newDecrypter(t, o, key).Decrypt(t.Context(), []byte(text)); err != nil {
			t.Errorf("%s: %v", test.other, err)
		}
	}
}

// Whatever is not protected could be anybody's: it isn't shown, and doesn't make content be inflated.
func TestUnprotectedMembers(t *testing.T) {
	key := directKey(t, jwe.A128GCM)
	for _, place := range []string{"header", "unprotected"} {
		forged := func(content, members string) string {
			protected, iv, ciphertext, tag, err := jwe.ForgeForTest(key, `{"alg":"dir","enc":"A128GCM"}`, content, "")
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf(`{"protected":%q,"iv":%q,"ciphertext":%q,"tag":%q,%q:{%s}}`, protected, iv, ciphertext, tag, place, members)
		}
		message := decrypt(t, jwe.DecrypterOptions{}, forged("content", `"typ":"a","cty":"b","apu":"QWxpY2U","apv":"Qm9i","x":1`), key)
		if message.PartyU() != nil || message.PartyV() != nil {
			t.Errorf("%s: a direct key has parties: %q, %q", place, message.PartyU(), message.PartyV())
		}
		if message.Type() != "" || message.ContentType() != "" || strings.Contains(string(message.Protected()), "x") {
			t.Errorf("%s: %q, %q, %s", place, message.Type(), message.ContentType(), message.Protected())
		}
		refuses(t, newDecrypter(t, jwe.DecrypterOptions{Decompress: true}, key), "zip in "+place, forged(deflate(t, []byte("content")), `"zip":"DEF"`))
	}
}

// A direct key is for one content encryption, though another's key has the same size.
func TestDirectKeyOfAnotherEncryption(t *testing.T) {
	secret := bytes.Repeat([]byte{1}, 32)
	mac, _ := jwe.NewDirectKey(jwe.A128CBC_HS256, secret, jwe.KeyOptions{})
	gcm, _ := jwe.NewDirectKey(jwe.A256GCM, secret, jwe.KeyOptions{})
	for enc, keys := range map[jwe.Encryption][2]*jwe.SecretKey{jwe.A128CBC_HS256: {mac, gcm}, jwe.A256GCM: {gcm, mac}} {
		message := forge(t, keys[0], `{"alg":"dir","enc":"`+string(enc)+`"}`, "content")
		decrypt(t, jwe.DecrypterOptions{}, message, keys[0])
		refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, keys[1]), string(enc), message)
	}
}

func TestCompactForm(t *testing.T) {
	key := directKey(t, jwe.A128GCM)
	d := newDecrypter(t, jwe.DecrypterOptions{}, key)
	message := forge(t, key, `{"alg":"dir","enc":"A128GCM"}`, "content")
	for _, text := range []string{
		"", ".", "....", ".....", "e30....", message + ".", "." + message, message + "\n", " " + message, "\ufeff" + message, message[:len(message)-1],
		strings.Replace(message, "..", ".", 1), strings.Replace(message, "..", ".AAAA.", 1), strings.ReplaceAll(message, ".", ". "),
		`"` + message + `"`, "[" + message + "]", "{", "{}", "null", strings.Repeat(".", 1<<20), strings.Repeat("{", 1<<20),
	} {
		refuses(t, d, fmt.Sprintf("%.100q", text), text)
	}
}

// White space around a JSON text is no part of it (RFC 8259 §2), as a file or a template has it.
func TestSpaceAroundJSON(t *testing.T) {
	key := secretKey(t, jwe.A256KW)
	flattened := encryptJSON(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key), "content", "")
	for _, text := range []string{flattened, general(t, flattened)} {
		if got := decrypt(t, jwe.DecrypterOptions{}, " \r\n\t"+text+"\n ", key).Plaintext(); string(got) != "content" {
			t.Errorf("%q", got)
		}
		refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, key), "other space", "\v"+text)
	}
}

func TestAcceptedEncryptions(t *testing.T) {
	key := secretKey(t, jwe.A256KW)
	message := encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key), "content")
	o := jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A128CBC_HS256}}
	refuses(t, newDecrypter(t, o, key), "another content encryption", message)
	o.Encryptions = append(o.Encryptions, jwe.A256GCM)
	decrypt(t, o, message, key)
}

// Keys are told apart by algorithm and key ID, and where these leave it open, the number of attempts is bounded.
func TestWhichKeyIsTried(t *testing.T) {
	named, unnamed := secretKeyWith(t, "a"), secretKeyWith(t, "")
	e := func(keys ...jwe.EncryptionKey) string {
		return encryptJSON(t, newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, keys...), "content", "")
	}
	others := make([]jwe.DecryptionKey, 7)
	for i := range others {
		others[i] = secretKeyWith(t, "")
	}
	if id := decrypt(t, jwe.DecrypterOptions{}, e(named), secretKeyWith(t, "b"), named).KeyID(); id != "a" {
		t.Errorf("decrypted by key %q", id)
	}
	decrypt(t, jwe.DecrypterOptions{}, e(unnamed), named, unnamed)
	decrypt(t, jwe.DecrypterOptions{}, e(named), append(others, named)...)
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, append(others, secretKeyWith(t, ""), named)...), "the ninth key", e(named))
	secret := bytes.Repeat([]byte{1}, 16)
	wrapper, _ := jwe.NewSecretKey(jwe.A128KW, secret, jwe.KeyOptions{})
	sealer, _ := jwe.NewSecretKey(jwe.A128GCMKW, secret, jwe.KeyOptions{})
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, wrapper), "one secret for two algorithms", e(sealer))
}

func secretKeyWith(t testing.TB, id string) *jwe.SecretKey {
	t.Helper()
	secret := make([]byte, 16)
	rand.Read(secret)
	key, err := jwe.NewSecretKey(jwe.A128KW, secret, jwe.KeyOptions{KeyID: id})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestMaxSize(t *testing.T) {
	key := secretKey(t, jwe.A256KW)
	message := encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key), strings.Repeat("x", 1000))
	decrypt(t, jwe.DecrypterOptions{MaxSize: len(message)}, message, key)
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{MaxSize: len(message) - 1}, key), "one byte too many", message)
	large := encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key), strings.Repeat("x", 1<<20))
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, key), "more than a megabyte", large)
}

func TestNewDecrypterRefuses(t *testing.T) {
	key := secretKey(t, jwe.A256KW)
	for name, test := range map[string]struct {
		o    jwe.DecrypterOptions
		keys []jwe.DecryptionKey
	}{
		"no key":                {},
		"nil key":               {keys: []jwe.DecryptionKey{nil}},
		"typed nil":             {keys: []jwe.DecryptionKey{(*jwe.PrivateKey)(nil)}},
		"zero private key":      {keys: []jwe.DecryptionKey{new(jwe.PrivateKey)}},
		"zero secret key":       {keys: []jwe.DecryptionKey{key, new(jwe.SecretKey)}},
		"zero password":         {keys: []jwe.DecryptionKey{new(jwe.Password)}},
		"33 keys":               {keys: named(t, 33)},
		"unknown encryption":    {o: jwe.DecrypterOptions{Encryptions: []jwe.Encryption{"A512GCM"}}, keys: []jwe.DecryptionKey{key}},
		"negative size":         {o: jwe.DecrypterOptions{MaxSize: -1}, keys: []jwe.DecryptionKey{key}},
		"more than 64 MiB":      {o: jwe.DecrypterOptions{MaxSize: 64<<20 + 1}, keys: []jwe.DecryptionKey{key}},
		"9 unnamed keys":        {keys: unnamed(t, 9)},
		"3 unnamed passwords":   {keys: []jwe.DecryptionKey{newPassword(t, jwe.PasswordOptions{}), newPassword(t, jwe.PasswordOptions{}), newPassword(t, jwe.PasswordOptions{})}},
		"embedded password":     {keys: []jwe.DecryptionKey{struct{ *jwe.Password }{newPassword(t, jwe.PasswordOptions{})}}},
		"embedded secret key":   {keys: []jwe.DecryptionKey{struct{ *jwe.SecretKey }{key}}},
		"one encryption's typo": {o: jwe.DecrypterOptions{Encryptions: []jwe.Encryption{jwe.A128GCM, ""}}, keys: []jwe.DecryptionKey{key}},
	} {
		if d, err := jwe.NewDecrypter(test.o, test.keys...); err == nil || d != nil || !strings.HasPrefix(err.Error(), "jwe: ") {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
}

func named(t testing.TB, count int) (keys []jwe.DecryptionKey) {
	t.Helper()
	for i := range count {
		keys = append(keys, secretKeyWith(t, fmt.Sprint(i)))
	}
	return keys
}

func unnamed(t testing.TB, count int) (keys []jwe.DecryptionKey) {
	t.Helper()
	for range count {
		keys = append(keys, secretKeyWith(t, ""))
	}
	return keys
}

// As many keys without an ID as can all be tried, and any number that have one.
func TestNewDecrypterAccepts(t *testing.T) {
	keys := append(unnamed(t, 8), newPassword(t, jwe.PasswordOptions{}), newPassword(t, jwe.PasswordOptions{}))
	for i := range 10 {
		keys = append(keys, secretKeyWith(t, fmt.Sprint(i)), newPassword(t, jwe.PasswordOptions{KeyID: fmt.Sprint(i)}))
	}
	for _, alg := range []jwe.Algorithm{jwe.PBES2_HS384_A192KW, jwe.PBES2_HS512_A256KW} {
		key, err := jwe.NewPassword(alg, []byte(password), jwe.PasswordOptions{})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	newDecrypter(t, jwe.DecrypterOptions{}, keys...)
}

func deflate(t testing.TB, content []byte) string {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCompression(t *testing.T) {
	key := directKey(t, jwe.A128GCM)
	const header = `{"alg":"dir","enc":"A128GCM","zip":"DEF"}`
	d := newDecrypter(t, jwe.DecrypterOptions{Decompress: true}, key)
	small, full := deflate(t, []byte("content")), deflate(t, make([]byte, 250<<10))
	if message, err := d.Decrypt(t.Context(), []byte(forge(t, key, header, small))); err != nil || string(message.Plaintext()) != "content" {
		t.Errorf("%v, %v", message, err)
	}
	if message, err := d.Decrypt(t.Context(), []byte(forge(t, key, header, full))); err != nil || len(message.Plaintext()) != 250<<10 {
		t.Errorf("%v, %v", message, err)
	}
	for name, content := range map[string]string{
		"a byte too many": deflate(t, make([]byte, 250<<10+1)), "a bomb": deflate(t, make([]byte, 8<<20)),
		"cut": small[:len(small)-1], "followed": small + "x", "empty": "", "not DEFLATE": "content", "zlib": "\x78\x9c" + small,
	} {
		refuses(t, d, name, forge(t, key, header, content))
	}
	stored := "\x00\x00\x00\xff\xff" // a block of nothing
	padded := func(size int) string { return strings.Repeat(stored, (size-len(small))/len(stored)) + small }
	if _, err := d.Decrypt(t.Context(), []byte(forge(t, key, header, padded(251<<10)))); err != nil {
		t.Errorf("as long as the content may be: %v", err)
	}
	refuses(t, d, "much that says little", forge(t, key, header, padded(251<<10+10)))
	refuses(t, newDecrypter(t, jwe.DecrypterOptions{}, key), "without asking for it", forge(t, key, header, small))
	compressing := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{Compress: true}, key)
	decrypted := decrypt(t, jwe.DecrypterOptions{Decompress: true}, encrypt(t, compressing, strings.Repeat("x", 1000)), key)
	if len(decrypted.Plaintext()) != 1000 {
		t.Errorf("%v", decrypted)
	}
}
