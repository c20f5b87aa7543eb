package console_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	formTarget = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	formField  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// posted reads the page that takes an answer to the client.
func (a answer) posted(t *testing.T) (target string, fields url.Values) {
	t.Helper()
	found := formTarget.FindStringSubmatch(a.body)
	if a.status != 200 || a.location != nil || found == nil {
		t.Fatalf("no form: %d %v %.600s", a.status, a.location, a.body)
	}
	fields = url.Values{}
	for _, field := range formField.FindAllStringSubmatch(a.body, -1) {
		fields.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return html.UnescapeString(found[1]), fields
}

// TestFormPost: with response_mode=form_post the answer is in a form that a person sends, and in no address; so are
// errors that the client is told.
func TestFormPost(t *testing.T) {
	f := serve(t)
	b := f.browser()
	const state = `"><script>alert(1)</script>&amp;`
	for _, step := range []func(...string) answer{func(changes ...string) answer { return b.logIn(b.authorize(changes...)) }, b.authorize} {
		a := step("response_mode", "form_post", "state", state)
		target, fields := a.posted(t)
		if target != callback || fields.Get("state") != state || fields.Get("iss") != issuerURL || len(fields) != 3 || strings.Contains(a.body, "<script") {
			t.Errorf("to %s: %v", target, fields)
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self' https: https:") || a.header.Get("Referrer-Policy") != "strict-origin" {
			t.Errorf("%v", a.header)
		}
		f.tokens(fields.Get("code"))
	}
	target, fields := b.authorize("response_mode", "form_post", "scope", "nobody:knows").posted(t)
	if target != callback || fields.Get("error") != "invalid_scope" || fields.Get("state") != "s t&ate" {
		t.Errorf("an error, to %s: %v", target, fields)
	}
	target, _ = b.authorize("response_mode", "form_post", "client_id", shop, "redirect_uri", "https://shop.example.com/cb?tenant=1", "scope", "nobody:knows").posted(t)
	if target != "https://shop.example.com/cb?tenant=1" {
		t.Errorf("to %s", target)
	}
	b.authorize("response_mode", "form_post", "prompt", "none").wantRefusal(t, "invalid_request") // which nobody could send
	b.authorize("response_mode", "form_post", "prompt", "none", "request_uri", "https://shop.example.com/x").wantRefusal(t, "request_uri_not_supported")
	b.authorize("response_mode", "form_post", "prompt", "none", "request", "x").wantRefusal(t, "request_not_supported")
	b.authorize("response_mode", "form_post", "prompt", "none", "scope", "a\x00b").wantRefusal(t, "invalid_request")
	b.authorize("response_mode", "form_post", "redirect_uri", "https://evil.example/").wantPage(t, 400, "isn’t its own")
}
