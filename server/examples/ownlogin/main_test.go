package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server"
)

// TestOwnLogin: log in at the API, call it, refresh at the token server, change the role, and be refused with the old
// token.
func TestOwnLogin(t *testing.T) {
	site := httptest.NewUnstartedServer(nil)
	a, err := newApp(t.Context(), "http://"+site.Listener.Addr().String()+"/auth", t.TempDir(), server.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	site.Config.Handler = a.handler()
	site.Start()
	t.Cleanup(func() {
		site.Close()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := a.addUser("ada", "correct horse battery staple", "keeper"); err != nil {
		t.Fatal(err)
	}
	logIn := func(password string) (int, map[string]string) {
		return read(t, do(t, "POST", site.URL+"/login", "", "application/x-www-form-urlencoded", url.Values{"name": {"ada"}, "password": {password}}.Encode()))
	}
	call := func(token string) int { return do(t, "GET", site.URL+"/pets", token, "", "").StatusCode }

	if status, _ := logIn("wrong"); status != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", status)
	}
	status, tokens := logIn("correct horse battery staple")
	if status != http.StatusOK || call(tokens["access_token"]) != http.StatusOK || call("") != http.StatusUnauthorized {
		t.Fatalf("status %d, %v", status, tokens)
	}
	refresh := `{"refresh_token":"` + tokens["refresh_token"] + `"}`
	status, next := read(t, do(t, "POST", site.URL+"/auth/v1/refresh", "", "application/json", refresh))
	if status != http.StatusOK || call(next["access_token"]) != http.StatusOK {
		t.Fatalf("refresh: %d %v", status, next)
	}
	if _, err := a.users.Exec(`UPDATE users SET role = 'visitor'`); err != nil {
		t.Fatal(err)
	}
	if status, _ := logIn("correct horse battery staple"); status != http.StatusOK {
		t.Errorf("login as a visitor: %d", status)
	}
	if status := call(next["access_token"]); status != http.StatusUnauthorized {
		t.Errorf("the token of before the change: %d", status)
	}
	if _, err := a.users.Exec(`DROP TABLE users`); err != nil {
		t.Fatal(err)
	}
	if status, _ := logIn("correct horse battery staple"); status != http.StatusServiceUnavailable {
		t.Errorf("without a database: %d", status)
	}
}

func do(t *testing.T, method, address, token, media, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if media != "" {
		request.Header.Set("Content-Type", media)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// read reads what is text in a JSON answer.
func read(t *testing.T, response *http.Response) (int, map[string]string) {
	t.Helper()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	texts := map[string]string{}
	if json.Unmarshal(data, &members) == nil {
		for name, value := range members {
			texts[name], _ = value.(string)
		}
	}
	return response.StatusCode, texts
}
