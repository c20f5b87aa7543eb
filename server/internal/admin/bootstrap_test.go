package admin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jot-auth/jot/server/internal/webtest"
	"github.com/jot-auth/jot/server/issuer"
)

func (f *fixture) invite() string {
	f.Helper()
	code, _, err := issuer.InviteAdmin(f.Context(), f.store)
	if err != nil {
		f.Fatal(err)
	}
	return code
}

// TestBootstrap: a code makes one administrator, and a newer one voids it. What goes wrong costs no code.
func TestBootstrap(t *testing.T) {
	f := newFixture(t)
	request := func(code, name, password string) string {
		return webtest.Object(t, map[string]any{"code": code, "username": name, "password": password})
	}
	old := f.invite()
	code := f.invite()
	for _, wrong := range []string{old, "", "jbt_", code + "x", strings.ToUpper(code)} {
		if got := f.call("POST", "/admin/v1/bootstrap", request(wrong, "eve", password)).want(t, 403)["type"]; got != "urn:jot:problem:bootstrap" {
			t.Errorf("type %v", got)
		}
	}
	f.call("POST", "/admin/v1/bootstrap", request(code, "ada", "short")).want(t, 400)
	f.call("POST", "/admin/v1/bootstrap", request(code, "root", password)).want(t, 409) // the name is taken
	ada := f.call("POST", "/admin/v1/bootstrap", request(code, "ada", password)).want(t, 201)["sub"].(string)
	f.call("POST", "/admin/v1/bootstrap", request(code, "eve", password)).want(t, 403)
	f.as(f.adminToken(ada), "GET", "/admin/v1/subjects", "").want(t, 200)
	f.wantEvents(ada, "subject.created", "account.created", "admin.bootstrapped")
	if text := f.do("GET", "/admin/v1/events", "").body; strings.Contains(text, code) || strings.Contains(text, password) {
		t.Error("the events hold a secret")
	}
}

// TestBootstrapRace: of many that use one code at once, one becomes an administrator.
func TestBootstrapRace(t *testing.T) {
	f := newFixture(t)
	code := f.invite()
	var made atomic.Int32
	var wait sync.WaitGroup
	for n := range 4 {
		wait.Go(func() {
			body := `{"code":"` + code + `","username":"admin-` + string(rune('a'+n)) + `","password":"` + password + `"}`
			if f.call("POST", "/admin/v1/bootstrap", body).status == 201 {
				made.Add(1)
			}
		})
	}
	wait.Wait()
	if made.Load() != 1 {
		t.Errorf("%d administrators", made.Load())
	}
}

// TestBootstrapPage: the page needs no script, trusts nobody else's, and shows a problem without the secrets.
func TestBootstrapPage(t *testing.T) {
	f := newFixture(t)
	page := f.call("GET", "/admin/bootstrap", "")
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page.body)
	if page.status != 200 || style == nil || strings.Contains(page.body, "<script") {
		t.Fatalf("%d %s", page.status, page.body)
	}
	sum := sha256.Sum256([]byte(style[1]))
	policy := page.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(policy, "default-src 'none'") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
	} {
		if got := page.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}

	code := f.invite()
	form := func(name, code, password string) string {
		return url.Values{"username": {name}, "code": {code}, "password": {password}}.Encode()
	}
	send := func(body string, headers ...string) answer {
		return f.call("POST", "/admin/bootstrap", body, append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
	}
	if got := send(form("ada", code, password), "Sec-Fetch-Site", "cross-site"); got.status != 403 {
		t.Errorf("from another site: %d", got.status)
	}
	refused := send(form(`"><script>`, code, password))
	if refused.status != 400 || strings.Contains(refused.body, "<script") || strings.Contains(refused.body, code) || strings.Contains(refused.body, password) {
		t.Errorf("%d %s", refused.status, refused.body)
	}
	if got := send(form("ada", code+"x", password)); got.status != 403 || !strings.Contains(got.body, "not valid") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := send(form("ada", code, password)+"&code=2", "Sec-Fetch-Site", "same-origin"); got.status != 400 {
		t.Errorf("a doubled parameter: %d", got.status)
	}
	if got := send(form("ada", code, password), "Origin", "null"); got.status != 403 {
		t.Errorf("from a sandboxed page: %d", got.status)
	}
	if got := send(form("ada", code, password), "Origin", f.server.URL); got.status != 201 || !strings.Contains(got.body, "Welcome, ada") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
