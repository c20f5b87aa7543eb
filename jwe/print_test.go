package jwe_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jwe"
)

const (
	hiddenSecret  = "SECRETSECRETSECRETSECRETSECRETSE"
	hiddenContent = "SECRET for your eyes"
)

// hidden are values that hold something to hide, and how each of them prints.
func hidden(t *testing.T) map[string]any {
	t.Helper()
	shared, err := jwe.NewSecretKey(jwe.A256KW, []byte(hiddenSecret), jwe.KeyOptions{KeyID: "s"})
	if err != nil {
		t.Fatal(err)
	}
	remembered, err := jwe.NewPassword(jwe.PBES2_HS256_A128KW, []byte(hiddenSecret), jwe.PasswordOptions{KeyID: "p", Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	agreeing, err := jwe.ParsePrivateKey([]byte(`{`+bobJWK+`,`+bobPrivate+`,"alg":"ECDH-ES","kid":"b"}`), jwe.ParseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	decrypting, err := jwe.NewPrivateKey(jwe.RSA_OAEP, privateRSA(), jwe.KeyOptions{KeyID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	e := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{Type: "SECRET"}, shared)
	message := decrypt(t, jwe.DecrypterOptions{}, encryptJSON(t, e, hiddenContent, hiddenContent), shared)
	return map[string]any{
		`A256KW secret key "s"`: shared, `PBES2-HS256+A128KW password key "p"`: remembered, `ECDH-ES private key "b"`: agreeing,
		`RSA-OAEP private key "r"`: decrypting, `message of 20 bytes for A256KW secret key "s", A128GCM`: message,
	}
}

// leaks are spellings of what is hidden, in any verb.
func leaks() (all []string) {
	private := privateRSA()
	bob := []byte{0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b}
	for _, secret := range [][]byte{[]byte("SECRET"), bob, private.D.Bytes()[:8], private.Primes[0].Bytes()[:8], private.Precomputed.Dp.Bytes()[:8]} {
		decimal, list := strings.Trim(fmt.Sprint(secret), "[]"), fmt.Sprintf("%#v", secret)
		all = append(all, string(secret), decimal, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), strings.Trim(list[len("[]byte{"):], "}"))
		for _, verb := range []string{"%o", "%b", "%U", "%c", "%q"} {
			all = append(all, strings.Trim(fmt.Sprintf(verb, secret), "[]"))
		}
	}
	return append(all, private.D.String(), private.Primes[0].String(), private.Primes[1].String())
}

// holders are what others keep values in: where fields aren't exported, nothing asks the values how they are to be
// printed.
func holders(v any) []any {
	value := reflect.ValueOf(v).Elem().Interface()
	type holder struct{ v any }
	typed := []any{
		holder{v}, &holder{v}, holder{value}, &holder{value}, []holder{{v}, {value}}, map[string]holder{"a": {v}, "b": {value}}, struct{ h *holder }{&holder{value}},
		struct{ h []any }{[]any{v, value}}, struct{ h map[string]any }{map[string]any{"a": v, "b": value}}, []any{v, value, &v}, &v,
	}
	switch k := v.(type) { // fields of the very type
	case *jwe.SecretKey:
		typed = append(typed, struct{ k jwe.SecretKey }{*k}, &struct{ k *jwe.SecretKey }{k}, struct{ k []jwe.SecretKey }{[]jwe.SecretKey{*k}}, struct{ k **jwe.SecretKey }{&k})
	case *jwe.Password:
		typed = append(typed, struct{ k jwe.Password }{*k}, &struct{ k *jwe.Password }{k}, struct{ k []jwe.Password }{[]jwe.Password{*k}}, struct{ k **jwe.Password }{&k})
	case *jwe.PrivateKey:
		typed = append(typed, struct{ k jwe.PrivateKey }{*k}, &struct{ k *jwe.PrivateKey }{k}, struct{ k []jwe.PrivateKey }{[]jwe.PrivateKey{*k}}, struct{ k **jwe.PrivateKey }{&k})
	case *jwe.Message:
		typed = append(typed, struct{ k jwe.Message }{*k}, &struct{ k *jwe.Message }{k}, struct{ k []jwe.Message }{[]jwe.Message{*k}}, struct{ k **jwe.Message }{&k})
	}
	return typed
}

// Whatever the verb, and wherever a key or a message is kept, what it hides isn't printed.
func TestNothingHiddenIsPrinted(t *testing.T) {
	found := leaks()
	for want, v := range hidden(t) {
		for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
			for _, flag := range []string{"", "+", "#"} {
				format := "%" + flag + string(verb)
				for _, holder := range append(holders(v), v, reflect.ValueOf(v).Elem().Interface()) {
					checkPrinted(t, fmt.Sprintf(format, holder), found, format, holder)
				}
				if printed := fmt.Sprintf(format, v); printed != want && !strings.ContainsRune("Tpw", verb) { // which ask for no method
					t.Errorf("%s prints %s, want %s", format, printed, want)
				}
			}
		}
		var log bytes.Buffer
		for _, logger := range []*slog.Logger{slog.New(slog.NewTextHandler(&log, nil)), slog.New(slog.NewJSONHandler(&log, nil))} {
			for _, holder := range append(holders(v), v) {
				logger.Info("this", "v", holder, slog.Group("g", "v", holder))
			}
		}
		checkPrinted(t, log.String(), found, "slog", v)
		for _, holder := range holders(v) {
			text, _ := json.Marshal(holder) // most of them say nothing, some are errors
			checkPrinted(t, string(text), found, "JSON", holder)
		}
	}
}

func checkPrinted(t *testing.T, printed string, leaks []string, format string, v any) {
	t.Helper()
	for _, leak := range leaks {
		if strings.Contains(printed, leak) {
			t.Errorf("%s of a %T prints %q: %.200s", format, v, leak, printed)
		}
	}
}

// Encrypters and decrypters have keys, and print none of them.
func TestKeysInUseAreNotPrinted(t *testing.T) {
	key, err := jwe.NewSecretKey(jwe.A256KW, []byte(hiddenSecret), jwe.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e, d := newEncrypter(t, jwe.A128GCM, jwe.EncrypterOptions{}, key), newDecrypter(t, jwe.DecrypterOptions{}, key)
	found := leaks()
	for _, verb := range "vTtbcdoOqxXUeEfFgGspw" {
		for _, v := range []any{e, *e, d, *d, struct{ e jwe.Encrypter }{*e}, struct{ d *jwe.Decrypter }{d}} {
			format := "%" + string(verb)
			checkPrinted(t, fmt.Sprintf(format, v), found, format, v)
			checkPrinted(t, fmt.Sprintf("%+"+string(verb), v), found, format, v)
		}
	}
}

// No key but a public one turns into JSON.
func TestKeysAreNotWritten(t *testing.T) {
	for name, v := range hidden(t) {
		if _, message := v.(*jwe.Message); message {
			continue
		}
		for _, key := range []any{v, reflect.ValueOf(v).Elem().Interface()} {
			if text, err := json.Marshal(key); err == nil {
				t.Errorf("%s is written as JSON: %s", name, text)
			}
		}
	}
}

// Zero values are of no use, and do no harm.
func TestZeroValues(t *testing.T) {
	var public jwe.PublicKey
	var private jwe.PrivateKey
	var secret jwe.SecretKey
	var remembered jwe.Password
	var message jwe.Message
	var e jwe.Encrypter
	var d jwe.Decrypter
	h := newHouse(t)
	for name, fails := range map[string]func() error{
		"PublicKey.MarshalJSON":       func() error { _, err := public.MarshalJSON(); return err },
		"PublicKey.ExportPEM":         func() error { _, err := public.ExportPEM(); return err },
		"PublicKey.Thumbprint":        func() error { _, err := public.Thumbprint(crypto.SHA256); return err },
		"PublicKey.UnmarshalJSON":     func() error { return public.UnmarshalJSON(nil) },
		"PrivateKey.Public.ExportPEM": func() error { _, err := private.Public().ExportPEM(); return err },
		"PrivateKey.MarshalJSON":      func() error { _, err := private.MarshalJSON(); return err },
		"PrivateKey.ExportJWK":        func() error { _, err := private.ExportJWK(); return err },
		"PrivateKey.ExportPEM":        func() error { _, err := private.ExportPEM(); return err },
		"SecretKey.MarshalJSON":       func() error { _, err := secret.MarshalJSON(); return err },
		"SecretKey.ExportJWK":         func() error { _, err := secret.ExportJWK(); return err },
		"Password.MarshalJSON":        func() error { _, err := remembered.MarshalJSON(); return err },
		"Encrypter.Encrypt":           func() error { _, err := e.Encrypt([]byte("content")); return err },
		"Encrypter.EncryptJSON":       func() error { _, err := e.EncryptJSON([]byte("content"), nil); return err },
		"Encrypter.SealToken":         func() error { _, err := e.SealToken(t.Context(), h.signer, claims()); return err },
		"Decrypter.Decrypt":           func() error { _, err := d.Decrypt(t.Context(), nil); return err },
		"Decrypter.OpenToken":         func() error { _, err := d.OpenToken(t.Context(), h.verifier, ""); return err },
	} {
		if err := fails(); err == nil || err == jwe.ErrDecryption || !strings.HasPrefix(err.Error(), "jwe: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	said := fmt.Sprint(
		public.KeyID(), public.Algorithm(), private.KeyID(), private.Algorithm(), secret.KeyID(), secret.Algorithm(), secret.Encryption(), remembered.KeyID(),
		remembered.Algorithm(), message.Type(), message.ContentType(), message.Encryption(), message.Algorithm(), message.KeyID(),
	)
	if strings.TrimSpace(said) != "" {
		t.Errorf("the zero values say %q", said)
	}
	for _, data := range [][]byte{message.Plaintext(), message.Additional(), message.Protected(), message.PartyU(), message.PartyV()} {
		if data != nil {
			t.Errorf("the zero Message has %q", data)
		}
	}
	for v, want := range map[any]string{&public: "no public key", &private: "no private key", &secret: "no secret key", &remembered: "no password key", &message: "no message"} {
		logged := v.(slog.LogValuer).LogValue().String()
		if printed := fmt.Sprint(v); printed != want || logged != want {
			t.Errorf("printed as %q, logged as %q, want %q", printed, logged, want)
		}
	}
}
