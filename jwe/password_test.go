package jwe_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

const password = "correct horse"

// byPassword is one recipient whose key is wrapped under whatever salt and count, correctly.
func byPassword(t testing.TB, contentKey *jwe.SecretKey, salt string, count int) (header map[string]any, encryptedKey string) {
	t.Helper()
	derived, err := pbkdf2.Key(sha256.New, password, []byte("PBES2-HS256+A128KW\x00"+salt), count, 16)
	if err != nil {
		t.Fatal(err)
	}
	wrapping, err := jwe.NewSecretKey(jwe.A128KW, derived, jwe.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if encryptedKey, err = jwe.WrapForTest(wrapping, contentKey); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"alg": "PBES2-HS256+A128KW", "p2s": encode(salt), "p2c": count}, encryptedKey
}

func flattened(t testing.TB, contentKey *jwe.SecretKey, header map[string]any, encryptedKey string) string {
	t.Helper()
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	protected, iv, ciphertext, tag, err := jwe.ForgeForTest(contentKey, `{"enc":"A128GCM"}`, "content", "")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"protected":%q,"iv":%q,"ciphertext":%q,"tag":%q,"header":%s,"encrypted_key":%q}`, protected, iv, ciphertext, tag, text, encryptedKey)
}

func newPassword(t testing.TB, o jwe.PasswordOptions) *jwe.Password {
	t.Helper()
	key, err := jwe.NewPassword(jwe.PBES2_HS256_A128KW, []byte(password), o)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Salt and iterations have bounds, though the key would be found.
func TestPasswordParameters(t *testing.T) {
	d := newDecrypter(t, jwe.DecrypterOptions{}, newPassword(t, jwe.PasswordOptions{}))
	contentKey := directKey(t, jwe.A128GCM)
	for _, test := range []struct {
		salt     string
		count    int
		accepted bool
	}{
		{"12345678", 1000, true}, {strings.Repeat("s", 64), 1001, true},
		{"1234567", 1000, false}, {"", 1000, false}, {"12345678", 999, false}, {"12345678", 1, false},
	} {
		header, encryptedKey := byPassword(t, contentKey, test.salt, test.count)
		message := flattened(t, contentKey, header, encryptedKey)
		if !test.accepted {
			refuses(t, d, fmt.Sprintf("salt %q, %d iterations", test.salt, test.count), message)
		} else if _, err := d.Decrypt(t.Context(), []byte(message)); err != nil {
			t.Errorf("salt %q, %d iterations: %v", test.salt, test.count, err)
		}
	}
	header, encryptedKey := byPassword(t, contentKey, "12345678", 1000)
	for _, name := range []string{"p2s", "p2c"} {
		value := header[name]
		delete(header, name)
		refuses(t, d, "no "+name, flattened(t, contentKey, header, encryptedKey))
		header[name] = value
	}
	for _, count := range []int64{1_200_001, 2_000_000_000, 1<<32 + 1000, 1 << 40} {
		header["p2c"] = count
		refuses(t, d, "a bomb", flattened(t, contentKey, header, encryptedKey))
	}
}

// All recipients together cost no more than the one that may cost the most.
func TestPasswordBudget(t *testing.T) {
	key := newPassword(t, jwe.PasswordOptions{Iterations: 1000, KeyID: "vault"})
	d := newDecrypter(t, jwe.DecrypterOptions{}, newPassword(t, jwe.PasswordOptions{}))
	e := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, secretKey(t, jwe.A128KW), key)
	var message struct {
		Recipients []map[string]any `json:"recipients"`
	}
	text := encryptJSON(t, e, "content", "")
	var members map[string]any
	for _, into := range []any{&message, &members} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	costly := func(count int) map[string]any {
		return map[string]any{"header": map[string]any{"alg": "PBES2-HS256+A128KW", "p2s": encode("12345678"), "p2c": count}, "encrypted_key": encode(strings.Repeat("x", 24))}
	}
	good := message.Recipients[1]
	members["recipients"] = []any{costly(2000), costly(1_200_000), good}
	if _, err := d.Decrypt(t.Context(), []byte(marshal(t, members))); err != nil {
		t.Errorf("within the budget: %v", err)
	}
	members["recipients"] = []any{costly(1_199_001), good}
	refuses(t, d, "over the budget", marshal(t, members))
}

func TestNewPasswordRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		alg      jwe.Algorithm
		password string
		o        jwe.PasswordOptions
	}{
		"seven bytes":     {jwe.PBES2_HS256_A128KW, "1234567", jwe.PasswordOptions{}},
		"129 bytes":       {jwe.PBES2_HS256_A128KW, strings.Repeat("x", 129), jwe.PasswordOptions{}},
		"few iterations":  {jwe.PBES2_HS256_A128KW, password, jwe.PasswordOptions{Iterations: 999}},
		"many iterations": {jwe.PBES2_HS256_A128KW, password, jwe.PasswordOptions{Iterations: 1_200_001}},
		"many, SHA-512":   {jwe.PBES2_HS512_A256KW, password, jwe.PasswordOptions{Iterations: 1_200_001}},
		"negative":        {jwe.PBES2_HS256_A128KW, password, jwe.PasswordOptions{Iterations: -1}},
		"other algorithm": {jwe.A128KW, password, jwe.PasswordOptions{}},
		"no algorithm":    {"", password, jwe.PasswordOptions{}},
		"long key ID":     {jwe.PBES2_HS256_A128KW, password, jwe.PasswordOptions{KeyID: strings.Repeat("x", 257)}},
	} {
		if key, err := jwe.NewPassword(test.alg, []byte(test.password), test.o); err == nil || key != nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v, %v", name, key, err)
		}
	}
}

// What's written says how expensive a guess is.
func TestPasswordDefaults(t *testing.T) {
	for alg, count := range map[jwe.Algorithm]string{
		jwe.PBES2_HS256_A128KW: `"p2c":600000`, jwe.PBES2_HS384_A192KW: `"p2c":210000`, jwe.PBES2_HS512_A256KW: `"p2c":210000`,
	} {
		key, err := jwe.NewPassword(alg, []byte(password), jwe.PasswordOptions{KeyID: "vault"})
		if err != nil {
			t.Fatal(err)
		}
		encoded, _, _ := strings.Cut(encrypt(t, newEncrypter(t, jwe.A256GCM, jwe.EncrypterOptions{}, key), "content"), ".")
		header, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if header := string(header); !strings.Contains(header, count) || !strings.Contains(header, `"kid":"vault"`) {
			t.Errorf("%s: header %s", alg, header)
		}
	}
}
