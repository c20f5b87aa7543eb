package recipe

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/interop/running"
)

// Name and password of the person who logs in.
const (
	Username = "ada"
	Password = "correct horse battery"
)

// LogIn sends a person's browser through the server's pages, and answers where it's sent from there.
func LogIn(t *testing.T, browser *running.Browser, authorize string) *url.URL {
	t.Helper()
	page := browser.Get(authorize)
	if page.Next == nil {
		page = browser.Submit(page, "username", Username, "password", Password)
	}
	if page.Next == nil {
		page = browser.Submit(page, "decision", "allow")
	}
	if page.Next == nil {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	return page.Next
}

// CheckWebApp logs a person in at an app that greets who is logged in, and has the pages /login, /callback and /logout.
func CheckWebApp(t *testing.T, s running.Server, app string) {
	t.Helper()
	if _, err := s.SignUp(t.Context(), Username, Password); err != nil {
		t.Fatal(err)
	}
	browser := running.NewBrowser(t, s.Client.Transport)
	expect := func(page running.Page, status int, text string) {
		t.Helper()
		if page.Status != status || !strings.Contains(page.Body, text) {
			t.Fatalf("%d %v %s, want %d %s", page.Status, page.Next, page.Body, status, text)
		}
	}
	expect(browser.Get(app+"/"), http.StatusOK, "Nobody is logged in.")
	away := browser.Get(app + "/login")
	if away.Next == nil {
		t.Fatalf("%d %s", away.Status, away.Body)
	}
	answer := LogIn(t, browser, away.Next.String())
	if !strings.HasPrefix(answer.String(), app+"/callback?") {
		t.Fatal("sent to ", answer)
	}

	// Whoever is sent here with somebody else's answer stays out (RFC 9700 §4.7).
	stranger := running.NewBrowser(t, s.Client.Transport)
	stranger.Get(app + "/login")
	expect(stranger.Get(answer.String()), http.StatusUnauthorized, "Log in again.")

	expect(browser.Get(answer.String()), http.StatusOK, "Hello, "+Username+".")
	expect(browser.Get(app+"/"), http.StatusOK, "Hello, "+Username+".")
	away = browser.Get(app + "/logout")
	if away.Next == nil {
		t.Fatalf("%d %s", away.Status, away.Body)
	}
	back := browser.Get(away.Next.String())
	if back.Next == nil || back.Next.String() != app+"/" {
		t.Fatalf("%d %v %s", back.Status, back.Next, back.Body)
	}
	expect(browser.Get(back.Next.String()), http.StatusOK, "Nobody is logged in.")
	if page := browser.Get(browser.Get(app + "/login").Next.String()); page.Next != nil {
		t.Errorf("still signed in at the server: sent to %v", page.Next)
	}
}
