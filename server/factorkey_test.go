package server_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/jot-auth/jot/server"
)

// totpCode is a code of an app that has a secret (RFC 6238), of so many steps from now on: the one of now, and the one
// after it.
func totpCode(t *testing.T, s *server.Server, secret string, ahead int64) string {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	now, err := s.Issuer().Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, raw)
	binary.Write(mac, binary.BigEndian, now.Unix()/30+ahead)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000)
}

// enrol gives an account one-time codes, of which it uses that of now, and answers their secret and a recovery code.
func (s *site) enrol(t *testing.T, access string) (secret, recovery string) {
	t.Helper()
	var made struct {
		Secret string
		Codes  []string `json:"recovery_codes"`
	}
	_, answer := s.post(t, "/v1/factors/totp", access, object{"password": password})
	if err := json.Unmarshal(answer, &made); err != nil {
		t.Fatal(err)
	}
	_, answer = s.post(t, "/v1/factors/totp/confirm", access, object{"code": totpCode(t, s.server, made.Secret, 0)})
	if err := json.Unmarshal(answer, &made); err != nil || len(made.Codes) == 0 {
		t.Fatalf("%s, %v", answer, err)
	}
	return made.Secret, made.Codes[0]
}

// logInTwice logs in with password and code.
func (s *site) logInTwice(t *testing.T, name, code string) (status int, answer []byte) {
	t.Helper()
	status, answer = s.post(t, "/v1/login", "", object{"username": name, "password": password})
	var half struct{ Challenge string }
	if err := json.Unmarshal(answer, &half); err != nil || status != http.StatusForbidden || half.Challenge == "" {
		t.Fatalf("the password alone: %d %s", status, answer)
	}
	return s.post(t, "/v1/login/factor", "", object{"challenge": half.Challenge, "code": code})
}

// TestFactorsAreSealedAnew: a start and a recovery under a new key-encryption key leave no secret of one-time codes
// that needs the old one.
func TestFactorsAreSealedAnew(t *testing.T) {
	p := newPlace(t)
	s := func() *site { return &site{url: p.url()} }
	ada := p.signUp("ada")
	secret, _ := (&site{url: p.url(), server: p.server}).enrol(t, ada.Access)
	opens := func(when string) {
		t.Helper()
		p.stop()
		config := server.ExportConfig{DataDir: p.dir, KeyEncryptionKey: p.kek}
		dir := filepath.Join(t.TempDir(), "out")
		if done, err := server.Export(t.Context(), config, dir); err != nil || done.Factors != 1 {
			t.Fatalf("%s: %+v, %v", when, done, err)
		}
		var record struct {
			Secret string `json:"totp_secret"`
		}
		p.do(json.Unmarshal([]byte(exported(t, dir, "factors.jsonl")), &record))
		if record.Secret != secret {
			t.Errorf("%s: another secret than was sealed", when)
		}
	}
	opens("at first")
	p.older, p.kek = [][]byte{p.kek}, server.NewSecret().Bytes()
	p.start()
	opens("after a start")
	p.older, p.kek = [][]byte{p.kek}, server.NewSecret().Bytes()
	if _, err := server.Recover(t.Context(), p.recovery()); err != nil {
		t.Fatal(err)
	}
	opens("after a recovery")
	p.older = nil
	p.start()
	if status, answer := s().logInTwice(t, "ada", totpCode(t, p.server, secret, 1)); status != http.StatusOK {
		t.Errorf("log in: %d %s", status, answer)
	}
}

// TestLostKeyEncryptionKey: without the key-encryption key accounts stay, and those with one-time codes still need a
// second factor.
func TestLostKeyEncryptionKey(t *testing.T) {
	p := newPlace(t)
	ada := p.signUp("ada")
	eve := p.signUp("eve")
	_, recovery := (&site{url: p.url(), server: p.server}).enrol(t, ada.Access)
	p.stop()
	p.kek = server.NewSecret().Bytes()
	lost := p.recovery()
	if _, err := server.Recover(t.Context(), lost); err == nil {
		t.Fatal("a wrong key-encryption key was taken without a word")
	}
	lost.KeyLost = true
	if _, err := server.Recover(t.Context(), lost); err != nil {
		t.Fatal(err)
	}
	p.start()
	s := &site{url: p.url()}
	if status, answer := s.logInTwice(t, "ada", "123456"); status != http.StatusForbidden {
		t.Errorf("a code of a secret that is lost: %d %s", status, answer)
	}
	if status, answer := s.logInTwice(t, "ada", recovery); status != http.StatusOK {
		t.Errorf("a recovery code: %d %s", status, answer)
	}
	if status, _ := p.refresh(eve.Refresh); status == http.StatusOK {
		t.Error("a session outlived the key-encryption key")
	}
	p.logIn("eve")
	p.older, p.kek = [][]byte{p.kek}, server.NewSecret().Bytes() // all is sealed under the new one
	p.stop()
	p.start()
}
