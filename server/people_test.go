package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/pgtest"
)

// mailbox takes the letters that a server prints.
type mailbox struct {
	mu   sync.Mutex
	text string
	came chan struct{}
}

func newMailbox() *mailbox { return &mailbox{came: make(chan struct{}, 1)} }

func (m *mailbox) Write(text []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.text += string(text)
	select {
	case m.came <- struct{}{}:
	default:
	}
	return len(text), nil
}

// take removes the first letter to an address and answers it, when it has come.
func (m *mailbox) take(t *testing.T, to string) string {
	t.Helper()
	for {
		if letter, found := m.find(to); found {
			return letter
		}
		select {
		case <-m.came:
		case <-time.After(time.Minute):
			t.Fatalf("no letter came to %s", to)
		}
	}
}

func (m *mailbox) find(to string) (letter string, found bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const begins = "A letter to "
	from := strings.Index(m.text, begins+to+":")
	if from < 0 {
		return "", false
	}
	length := len(m.text) - from
	if next := strings.Index(m.text[from+1:], begins); next >= 0 {
		length = next + 1
	}
	letter = m.text[from : from+length]
	m.text = m.text[:from] + m.text[from+length:]
	return letter, true
}

var codeForm = regexp.MustCompile(`j[vp]t_[A-Za-z0-9_-]{43}`)

// code is the code in the next letter to an address.
func (m *mailbox) code(t *testing.T, to string) string {
	t.Helper()
	code := codeForm.FindString(m.take(t, to))
	if code == "" {
		t.Fatalf("a letter to %s has no code", to)
	}
	return code
}

// town is a site whose letters are read.
type town struct {
	*site
	mail *mailbox
}

// eachTown runs a test over either database.
func eachTown(t *testing.T, test func(t *testing.T, s *town), changes ...func(*server.Config)) {
	for _, c := range []struct {
		name     string
		database func(testing.TB) string
	}{{"SQLite", func(testing.TB) string { return "" }}, {"PostgreSQL", func(t testing.TB) string { return pgtest.Database(t.(*testing.T)) }}} {
		t.Run(c.name, func(t *testing.T) {
			mail := newMailbox()
			all := append([]func(*server.Config){func(c *server.Config) { c.Mail.Print = mail }}, changes...)
			test(t, &town{newSiteOver(t, c.database(t), all...), mail})
		})
	}
}

// want posts, and fails the test unless the answer has the status.
func (s *town) want(t *testing.T, status int, path, token string, body any) []byte {
	t.Helper()
	got, answer := s.post(t, path, token, body)
	if got != status {
		t.Fatalf("%s: %d %s, want %d", path, got, answer, status)
	}
	return answer
}

type object = map[string]any

// send makes a request without a body.
func (s *town) send(t *testing.T, method, path, token string) (status int, answer []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (s *town) get(t *testing.T, path, token string) []byte {
	t.Helper()
	status, answer := s.send(t, http.MethodGet, path, token)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, answer)
	}
	return answer
}

// settle makes an account that has verified an address.
func (s *town) settle(t *testing.T, name string) (email string) {
	t.Helper()
	email = name + "@example.com"
	s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": name, "password": password, "email": email})
	s.want(t, http.StatusNoContent, "/v1/email/confirm", "", object{"code": s.mail.code(t, email)})
	return email
}

func (s *town) logIn(t *testing.T, name, password string) tokens {
	t.Helper()
	return read(t, s.want(t, http.StatusOK, "/v1/login", "", object{"username": name, "password": password}))
}

// TestReset: a code from a letter sets a new password, once, ends all sessions and voids the other codes.
func TestReset(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		const fresh = "seven quiet lanterns drift"
		email := s.settle(t, "ada")
		before := s.logIn(t, "ada", password)
		for _, asked := range []string{email, strings.ToUpper(email), "nobody@example.com"} {
			s.want(t, http.StatusAccepted, "/v1/password/reset", "", object{"email": asked})
		}
		codes := []string{s.mail.code(t, email), s.mail.code(t, email)}
		for _, wrong := range []string{"", "jpt_x", codes[0] + "x", strings.ToUpper(codes[0]), "jvt_" + codes[0][4:]} {
			s.want(t, http.StatusForbidden, "/v1/password/reset/confirm", "", object{"code": wrong, "new": fresh})
		}
		for _, bad := range []string{"short", "passwordpassword", "ada@example.com!"} {
			s.want(t, http.StatusBadRequest, "/v1/password/reset/confirm", "", object{"code": codes[0], "new": bad})
		}
		done := s.look(t, "/v1/password/reset/confirm?wait=enforced", "", object{"code": codes[0], "new": fresh})
		if !strings.Contains(done.answer, " 204 ") || !strings.Contains(done.answer, "Jot-Cursor: ") {
			t.Fatalf("what refuses all tokens of before doesn't say since when: %s", done.answer)
		}
		for _, used := range codes {
			s.want(t, http.StatusForbidden, "/v1/password/reset/confirm", "", object{"code": used, "new": "another long enough one"})
		}
		s.want(t, http.StatusUnauthorized, "/v1/refresh", "", object{"refresh_token": before.Refresh})
		s.want(t, http.StatusUnauthorized, "/v1/logout", before.Access, object{})
		s.want(t, http.StatusUnauthorized, "/v1/login", "", object{"username": "ada", "password": password})
		s.logIn(t, "ada", fresh)
		if letter := s.mail.take(t, email); !strings.Contains(letter, "was changed") || codeForm.MatchString(letter) {
			t.Errorf("letter %s", letter)
		}
		if letter, found := s.mail.find("nobody@example.com"); found {
			t.Errorf("letter %s", letter)
		}
		if text := s.log.String(); strings.Contains(text, codes[0]) || strings.Contains(text, email) || strings.Contains(text, fresh) {
			t.Error("the log has a code, an address or a password")
		}
	})
}

// TestResetRace: of many that use one code at once, and another code of the same account beside it, one sets its
// password.
func TestResetRace(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		email := s.settle(t, "ada")
		var codes []string
		for range 2 {
			s.want(t, http.StatusAccepted, "/v1/password/reset", "", object{"email": email})
			codes = append(codes, s.mail.code(t, email))
		}
		var won atomic.Int32
		var passed sync.Map
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				fresh := fmt.Sprintf("seven quiet lanterns drift %d", n)
				switch status, body := s.post(t, "/v1/password/reset/confirm", "", object{"code": codes[n%2], "new": fresh}); status {
				case http.StatusNoContent:
					won.Add(1)
					passed.Store(fresh, true)
				case http.StatusForbidden, http.StatusServiceUnavailable: // the second: as many wait for the processor already as may for one account
				default:
					t.Errorf("%d %s", status, body)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d used a code", won.Load())
		}
		passed.Range(func(fresh, _ any) bool {
			s.logIn(t, "ada", fresh.(string))
			return true
		})
	})
}

// TestEmail: a verified address stays until another one is, which is told at the old one; what was sent there opens
// nothing any more; and no two accounts have the same.
func TestEmail(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		email := s.settle(t, "ada")
		s.settle(t, "bob")
		me := s.logIn(t, "ada", password)
		whoAmI := func() (answer struct {
			Username, Email string
			Verified        bool `json:"email_verified"`
		}) {
			body := s.get(t, "/v1/me", me.Access)
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatal(err)
			}
			return answer
		}
		if got := whoAmI(); got.Username != "ada" || got.Email != email || !got.Verified {
			t.Errorf("me %+v", got)
		}
		s.want(t, http.StatusAccepted, "/v1/password/reset", "", object{"email": email})
		reset := s.mail.code(t, email)
		s.want(t, http.StatusForbidden, "/v1/email", me.Access, object{"email": "ada@example.net", "password": "wrong " + password})
		s.want(t, http.StatusUnauthorized, "/v1/email", "", object{"email": "ada@example.net", "password": password})
		for _, bad := range []string{"", "ada", "ada@example.net\r\nBcc: eve@example.com", "a b@example.com", `"a"@example.com`, "ada@-example.com", "Ada <ada@example.net>", "ada..b@example.com", ".ada@example.com", "ada.@example.com"} {
			s.want(t, http.StatusBadRequest, "/v1/email", me.Access, object{"email": bad, "password": password})
		}
		s.want(t, http.StatusAccepted, "/v1/email", me.Access, object{"email": "Ada@example.net", "password": password})
		code := s.mail.code(t, "Ada@example.net")
		if got := whoAmI(); got.Email != email || !got.Verified {
			t.Errorf("before it's verified: %+v", got)
		}
		s.want(t, http.StatusNoContent, "/v1/email/confirm", "", object{"code": code})
		s.want(t, http.StatusForbidden, "/v1/email/confirm", "", object{"code": code})
		s.want(t, http.StatusForbidden, "/v1/password/reset/confirm", "", object{"code": reset, "new": "seven quiet lanterns drift"})
		if got := whoAmI(); got.Email != "Ada@example.net" || !got.Verified {
			t.Errorf("after it's verified: %+v", got)
		}
		if letter := s.mail.take(t, email); !strings.Contains(letter, "another e-mail address") || strings.Contains(letter, "example.net") {
			t.Errorf("letter %s", letter)
		}
		s.want(t, http.StatusAccepted, "/v1/email", me.Access, object{"email": "bob@example.com", "password": password})
		s.want(t, http.StatusConflict, "/v1/email/confirm", "", object{"code": s.mail.code(t, "bob@example.com")})
	})
}

// TestInvitations: where only the invited sign up, an invitation makes one account, however many use it at once.
func TestInvitations(t *testing.T) {
	invited := func(c *server.Config) { c.OpenSignUp, c.InviteSignUp = false, true }
	eachTown(t, func(t *testing.T, s *town) {
		admin := s.administrator(t)
		var made struct {
			ID   string `json:"invitation_id"`
			Code string `json:"code"`
		}
		invite := func(body object) {
			if err := json.Unmarshal(s.want(t, http.StatusCreated, "/admin/v1/invitations", admin, body), &made); err != nil || !strings.HasPrefix(made.Code, "jit_") {
				t.Fatal(made, err)
			}
		}
		invite(object{"note": "for Ada", "expires_in": 3600})
		s.want(t, http.StatusForbidden, "/v1/signup", "", object{"username": "eve", "password": password})
		s.want(t, http.StatusForbidden, "/v1/signup", "", object{"username": "eve", "password": password, "invitation": made.Code + "x"})
		s.want(t, http.StatusForbidden, "/v1/signup", "", object{"username": "eve", "password": password, "invitation": "jit_" + made.ID})
		s.want(t, http.StatusBadRequest, "/v1/signup", "", object{"username": "eve", "password": "short", "invitation": made.Code})
		var won atomic.Int32
		var all sync.WaitGroup
		for n := range 6 {
			all.Go(func() {
				switch status, body := s.post(t, "/v1/signup", "", object{"username": fmt.Sprint("user", n), "password": password, "invitation": made.Code}); status {
				case http.StatusCreated:
					won.Add(1)
				case http.StatusForbidden:
				default:
					t.Errorf("%d %s", status, body)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d signed up with one invitation", won.Load())
		}
		invite(object{})
		if list := string(s.get(t, "/admin/v1/invitations", admin)); !strings.Contains(list, made.ID) || strings.Contains(list, made.Code) {
			t.Errorf("list %s", list)
		}
		for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
			if status, body := s.send(t, http.MethodDelete, "/admin/v1/invitations/"+made.ID, admin); status != want {
				t.Errorf("%d %s, want %d", status, body, want)
			}
		}
		s.want(t, http.StatusForbidden, "/v1/signup", "", object{"username": "eve", "password": password, "invitation": made.Code})
		s.want(t, http.StatusBadRequest, "/admin/v1/invitations", admin, object{"expires_in": 0})
	}, invited)
}

// TestNoMail: a server that sends none says so, and signs people up all the same.
func TestNoMail(t *testing.T) {
	s := &town{newSite(t), nil}
	s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "ada", "password": password, "email": "ada@example.com"})
	me := s.logIn(t, "ada", password)
	s.want(t, http.StatusForbidden, "/v1/password/reset", "", object{"email": "ada@example.com"})
	s.want(t, http.StatusForbidden, "/v1/email", me.Access, object{"email": "ada@example.com", "password": password})
}

// subjectOf is the subject that an answer names.
func subjectOf(t *testing.T, body []byte) string {
	t.Helper()
	var answer struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Subject == "" {
		t.Fatalf("no subject in %s", body)
	}
	return answer.Subject
}

// TestExportOfAPerson has all of one's own and nothing of others, no secret, and wants a recent login.
func TestExportOfAPerson(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		email := s.settle(t, "ada")
		s.settle(t, "bob")
		s.logIn(t, "bob", password)
		me := s.logIn(t, "ada", password)
		s.want(t, http.StatusAccepted, "/v1/password/reset", "", object{"email": email})
		code := s.mail.code(t, email)
		text := s.get(t, "/v1/me/export", me.Access)
		var got struct {
			Subject struct{ Sub string }
			Account struct {
				Username, Canonical, Email string
				PasswordHash               string `json:"password_hash"`
				Codes                      []struct{ Purpose string }
			}
			Sessions []struct{ Sub string }
			Events   []struct{ Sub, Kind string }
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if got.Account.Username != "ada" || got.Account.Email != email || got.Account.PasswordHash != "argon2id" || len(got.Account.Codes) != 1 || len(got.Sessions) != 1 || len(got.Events) < 3 {
			t.Errorf("export %s", text)
		}
		for _, session := range got.Sessions {
			if session.Sub != got.Subject.Sub {
				t.Errorf("a session of another: %+v", session)
			}
		}
		for _, e := range got.Events {
			if e.Sub != got.Subject.Sub {
				t.Errorf("an event of another: %+v", e)
			}
		}
		for _, secret := range []string{code, me.Refresh, "$argon2id$", "bob"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("the export holds %q", secret)
			}
		}
	})
}

// TestExportHasNothingOfOthers: whoever is given the ID of somebody who was deleted learns nothing of them, nor from
// where an administrator gave it.
func TestExportHasNothingOfOthers(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		admin := s.administrator(t)
		settle := func(name string) []byte {
			s.want(t, http.StatusCreated, "/admin/v1/subjects", admin, object{"sub": "desk-42", "username": name, "password": password})
			return s.get(t, "/v1/me/export", s.logIn(t, name, password).Access)
		}
		before := settle("ada")
		if err := s.server.Issuer().DeleteSubject(t.Context(), "desk-42"); err != nil {
			t.Fatal(err)
		}
		var theirs, own struct {
			Sessions []struct{ Sid string }
			Events   []struct{ Actor, Address string }
		}
		text := settle("bob")
		if err := errors.Join(json.Unmarshal(before, &theirs), json.Unmarshal(text, &own)); err != nil {
			t.Fatal(err)
		}
		if len(own.Sessions) != len(theirs.Sessions) || len(own.Events) != len(theirs.Events) || len(own.Events) == 0 {
			t.Errorf("bob's export is %s; ada's was %s", text, before)
		}
		for _, e := range own.Events {
			if e.Actor != "" && e.Address != "" {
				t.Errorf("an administrator's address: %+v", e)
			}
		}
	})
}
