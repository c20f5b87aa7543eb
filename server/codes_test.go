package server_test

import (
	"net/http"
	"testing"

	"github.com/jot-auth/jot/server"
)

// TestCodesEndWithThePassword: who knew the old password and has asked for codes, at an address of their own, doesn't
// come back with them.
func TestCodesEndWithThePassword(t *testing.T) {
	const fresh = "seven quiet lanterns drift"
	changes := []struct {
		name   string
		change func(t *testing.T, s *town, email, access string)
	}{
		{"reset", func(t *testing.T, s *town, email, _ string) {
			s.want(t, http.StatusAccepted, "/v1/password/reset", "", object{"email": email})
			s.want(t, http.StatusNoContent, "/v1/password/reset/confirm", "", object{"code": s.mail.code(t, email), "new": fresh})
		}},
		{"change", func(t *testing.T, s *town, _, access string) {
			s.want(t, http.StatusOK, "/v1/password", access, object{"current": password, "new": fresh})
		}},
	}
	eachTown(t, func(t *testing.T, s *town) {
		for _, c := range changes {
			t.Run(c.name, func(t *testing.T) {
				email := s.settle(t, "ada."+c.name)
				me := s.logIn(t, "ada."+c.name, password)
				thief := c.name + "@thief.example"
				s.want(t, http.StatusAccepted, "/v1/password/reset", "", object{"email": email})
				reset := s.mail.code(t, email)
				s.want(t, http.StatusAccepted, "/v1/email", me.Access, object{"email": thief, "password": password})
				verify := s.mail.code(t, thief)
				c.change(t, s, email, me.Access)
				s.want(t, http.StatusForbidden, "/v1/email/confirm", "", object{"code": verify})
				s.want(t, http.StatusForbidden, "/v1/password/reset/confirm", "", object{"code": reset, "new": "another long enough one"})
				s.logIn(t, "ada."+c.name, fresh)
			})
		}
	})
}

// TestCodeOfAMistypedAddress: whoever got a code for an address that was replaced since doesn't get the account.
func TestCodeOfAMistypedAddress(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "ada", "password": password, "email": "adda@example.com"})
		stranger := s.mail.code(t, "adda@example.com")
		me := s.logIn(t, "ada", password)
		s.want(t, http.StatusAccepted, "/v1/email", me.Access, object{"email": "ada@example.com", "password": password})
		s.want(t, http.StatusForbidden, "/v1/email/confirm", "", object{"code": stranger})
		s.want(t, http.StatusNoContent, "/v1/email/confirm", "", object{"code": s.mail.code(t, "ada@example.com")})
	})
}

// TestLettersToOneAddress: somebody who is logged in can't fill another person's mailbox, nor can those who sign up.
func TestLettersToOneAddress(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		const victim = "victim@example.net"
		ada := s.signUpAndLogIn(t, "ada")
		for range 5 {
			s.want(t, http.StatusAccepted, "/v1/email", ada.Access, object{"email": victim, "password": password})
			s.mail.code(t, victim)
		}
		s.want(t, http.StatusTooManyRequests, "/v1/email", ada.Access, object{"email": victim, "password": password})
		s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "eve", "password": password, "email": victim})
		s.want(t, http.StatusAccepted, "/v1/email", s.logIn(t, "eve", password).Access, object{"email": "eve@example.net", "password": password})
		s.mail.take(t, "eve@example.net") // letters go one after the other
		if letter, found := s.mail.find(victim); found {
			t.Errorf("letter %s", letter)
		}
	}, func(c *server.Config) { c.NoThrottling = false })
}
