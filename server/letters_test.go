package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/passkeytest"
)

// TestLettersOfChanges: whoever has verified an address learns there that the password changed or what is demanded
// beside it, and nobody else does.
func TestLettersOfChanges(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		const fresh = "seven quiet lanterns drift"
		email := s.settle(t, "ada")
		told := func(what string) {
			t.Helper()
			if letter := s.mail.take(t, email); !strings.Contains(letter, what) || codeForm.MatchString(letter) {
				t.Errorf("letter %s", letter)
			}
		}
		me := s.logIn(t, "ada", password)
		s.want(t, http.StatusForbidden, "/v1/password", me.Access, object{"current": "wrong " + password, "new": fresh})
		me = read(t, s.want(t, http.StatusOK, "/v1/password", me.Access, object{"current": password, "new": fresh}))
		told("password of your account")
		me = read(t, s.want(t, http.StatusOK, "/v1/password", me.Access, object{"current": fresh, "new": password}))
		told("password of your account")
		secret, _ := s.enrol(t, me.Access)
		told("demands a second factor")
		status, answer := s.logInTwice(t, "ada", totpCode(t, s.server, secret, 1))
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		s.want(t, http.StatusOK, "/v1/factors/recovery-codes", read(t, answer).Access, object{"password": password})
		told("new recovery codes")
		if status, answer := s.send(t, http.MethodDelete, "/v1/factors/totp", read(t, answer).Access); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, answer)
		}
		told("was removed")

		s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "eve", "password": password, "email": "eve@example.com"})
		s.mail.code(t, "eve@example.com")
		s.enrol(t, s.logIn(t, "eve", password).Access)
		s.settle(t, "fay")
		s.mail.mu.Lock()
		if strings.Contains(s.mail.text, "A letter to eve@example.com") {
			t.Error("an address that isn't verified is told")
		}
		s.mail.mu.Unlock()
		// Of the letters that were taken up to fay's, at least, all are counted.
		const want = `jot_letters_total{outcome="sent"} 8`
		for begun := time.Now(); !strings.Contains(scrape(t, s.server), want+"\n"); time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > patience {
				t.Fatalf("%s is missing: %s", want, scrape(t, s.server))
			}
		}
	}, func(c *server.Config) { c.NoThrottling = true })
}

// TestLettersOfPasskeys: so it is with them.
func TestLettersOfPasskeys(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		email := s.settle(t, "ada")
		told := func(what string) {
			t.Helper()
			if letter := s.mail.take(t, email); !strings.Contains(letter, what) || codeForm.MatchString(letter) {
				t.Errorf("letter %s", letter)
			}
		}
		me := s.logIn(t, "ada", password)
		device := passkeytest.New(t, s.server.Issuer().URL())
		phone, credential := device.Create(s.want(t, http.StatusOK, "/v1/factors/passkeys", me.Access, object{"password": password}))
		made := s.want(t, http.StatusOK, "/v1/factors/passkeys/confirm", me.Access, object{"name": "Phone", "credential": json.RawMessage(credential)})
		told("has a new passkey")
		in := s.want(t, http.StatusOK, "/v1/login/passkey/confirm", "", object{"credential": json.RawMessage(device.Get(s.want(t, http.StatusOK, "/v1/login/passkey", "", object{}), phone))})
		var added struct{ ID string }
		if err := json.Unmarshal(made, &added); err != nil {
			t.Fatal(err)
		}
		if status, answer := s.send(t, http.MethodDelete, "/v1/factors/passkeys/"+added.ID, read(t, in).Access); status != http.StatusNoContent {
			t.Fatalf("%d %s", status, answer)
		}
		told("was removed")
	}, func(c *server.Config) { c.Issuer.URL = strings.Replace(c.Issuer.URL, "127.0.0.1", "localhost", 1) }) // by address there are no passkeys
}
