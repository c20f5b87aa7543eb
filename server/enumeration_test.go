package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server"
)

// sight is all that whoever asks learns of an answer, and what the answer cost.
type sight struct {
	answer string // status, header and body, without what is new in every answer
	hashes string // that the server has made for it
}

var (
	// isNew is what each answer has anew: its date and ID, the page's sealed request, and the length of that.
	isNew = regexp.MustCompile(`(?m)^(Date|Jot-Request-Id|Content-Length): .*\r\n|name="(?:request|challenge)" value="[^"]*"|challenge&#34;:&#34;[^&]*|"challenge":"[^"]*"`)
	// hashes is the metric.
	hashes = regexp.MustCompile(`(?m)^jot_password_hashes_total (\d+)$`)
	// pageRequest is a page's request.
	pageRequest = regexp.MustCompile(`name="request" value="([^"]*)"`)
)

// hashed is how many passwords the server has hashed.
func (s *town) hashed(t *testing.T) (count int) {
	t.Helper()
	found := hashes.FindStringSubmatch(scrape(t, s.server))
	if _, err := fmt.Sscan(found[1], &count); err != nil {
		t.Fatal(err)
	}
	return count
}

// look sends a form, or JSON where there is an object, and answers what there is to see.
func (s *town) look(t *testing.T, path, token string, body any, cookies ...*http.Cookie) sight {
	t.Helper()
	form, isForm := body.(url.Values)
	media, text := "application/x-www-form-urlencoded", form.Encode()
	if !isForm {
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		media, text = "application/json", string(encoded)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", media)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for _, cookie := range cookies {
		request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	before := s.hashed(t)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := httputil.DumpResponse(response, true)
	if err != nil {
		t.Fatal(err)
	}
	return sight{isNew.ReplaceAllString(string(answer), ""), fmt.Sprint(s.hashed(t) - before)}
}

// loginPage opens the page to log in on, and answers its request and its cookie.
func (s *town) loginPage(t *testing.T) (request string, cookie *http.Cookie) {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(mustGet(t, s.url+"/apps", nil))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	cookie = response.Cookies()[0]
	page, err := http.DefaultTransport.RoundTrip(mustGet(t, s.url+response.Header.Get("Location"), cookie))
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	return pageRequest.FindStringSubmatch(string(text))[1], cookie
}

func mustGet(t *testing.T, address string, cookie *http.Cookie) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cookie != nil {
		request.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return request
}

// disable disables whoever a sign-up has answered.
func (s *town) disable(t *testing.T, signUp []byte) {
	t.Helper()
	if err := s.server.Issuer().DisableSubject(t.Context(), subjectOf(t, signUp)); err != nil {
		t.Fatal(err)
	}
}

// wantAlike wants one sight of all attempts, which costs so many hashes.
func wantAlike(t *testing.T, hashes string, attempts map[string]func() sight) {
	t.Helper()
	var first sight
	for what, attempt := range attempts {
		got := attempt()
		if first.answer == "" {
			first = got
		}
		if got != first || got.hashes != hashes {
			t.Errorf("%s: %s hashes\n%s\nanother: %s hashes, want %s\n%s", what, got.hashes, got.answer, first.hashes, hashes, first.answer)
		}
	}
}

// TestNoDoorTellsWhoIsThere: wherever somebody can be named who may have an account, or a proof be tried, those who
// aren't let in get one answer, byte for byte, and it costs as many hashes. Each door has people with an account and
// without, with a wrong proof, and disabled with a wrong and a right one. Where what is told must differ, it's told
// after a right password alone, or by a sign-up: see docs/http-api.md.
func TestNoDoorTellsWhoIsThere(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		s.settle(t, "ada")
		s.disable(t, s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "eve", "password": password, "email": "eve@example.com"}))
		s.mail.code(t, "eve@example.com")
		ada := s.logIn(t, "ada", password).Access
		s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "two", "password": password})
		s.enrol(t, s.logIn(t, "two", password).Access)
		request, cookie := s.loginPage(t)

		who := map[string][2]string{
			"unknown": {"bob", password}, "wrong password": {"ada", "wrong " + password}, "disabled": {"eve", password},
			"disabled, wrong password": {"eve", "wrong " + password}, "two factors, wrong password": {"two", "wrong " + password},
		}
		each := func(send func(name, password string) sight) map[string]func() sight {
			attempts := map[string]func() sight{}
			for what, credentials := range who {
				attempts[what] = func() sight {
					got := send(credentials[0], credentials[1])
					got.answer = strings.ReplaceAll(got.answer, `value="`+credentials[0]+`"`, `value=""`) // the page repeats the name
					return got
				}
			}
			return attempts
		}
		wantAlike(t, "1", each(func(name, password string) sight {
			return s.look(t, "/v1/login", "", object{"username": name, "password": password})
		}))
		wantAlike(t, "1", each(func(name, password string) sight {
			return s.look(t, "/login", "", url.Values{"request": {request}, "username": {name}, "password": {password}}, cookie)
		}))
		wantAlike(t, "1", each(func(name, password string) sight {
			return s.look(t, "/oauth2/token", "", url.Values{"grant_type": {"password"}, "client_id": {"client_app"}, "username": {name}, "password": {password}})
		}))

		addresses := map[string]string{"verified": "ada@example.com", "disabled, not verified": "eve@example.com", "nobody's": "bob@example.com"}
		mailed := func(send func(address string) sight) map[string]func() sight {
			attempts := map[string]func() sight{}
			for what, address := range addresses {
				attempts[what] = func() sight { return send(address) }
			}
			return attempts
		}
		wantAlike(t, "0", mailed(func(address string) sight { return s.look(t, "/v1/password/reset", "", object{"email": address}) }))
		wantAlike(t, "0", mailed(func(address string) sight {
			return s.look(t, "/forgotten-password", "", url.Values{"email": {address}})
		}))
		wantAlike(t, "1", mailed(func(address string) sight {
			return s.look(t, "/v1/email", ada, object{"email": address, "password": password})
		}))
		wantAlike(t, "1", map[string]func() sight{ // an address that is somebody's is no reason to refuse a sign-up, and costs no more
			"free":    func() sight { return s.join(t, "fay", "fay@example.com") },
			"ada's":   func() sight { return s.join(t, "gus", "ada@example.com") },
			"without": func() sight { return s.join(t, "hal", "") },
		})
		wantAlike(t, "1", map[string]func() sight{ // that a name is taken can't be hidden, of whom it is can be
			"ada's": func() sight { return s.join(t, "ada", "") }, "a disabled one's": func() sight { return s.join(t, "eve", "") }, "two's": func() sight { return s.join(t, "two", "") },
		})
		none := "jpt_" + strings.Repeat("A", 43)
		wantAlike(t, "0", map[string]func() sight{ // what no letter has said
			"malformed": func() sight {
				return s.look(t, "/v1/password/reset/confirm", "", object{"code": "x", "new": "seven quiet lanterns drift"})
			},
			"unknown": func() sight {
				return s.look(t, "/v1/password/reset/confirm", "", object{"code": none, "new": "seven quiet lanterns drift"})
			},
		})
	}, func(c *server.Config) { c.NoThrottling = true })
}

// TestNoFactorTellsWhoIsThere: a second factor of somebody disabled is refused alike, whether or not it's right.
func TestNoFactorTellsWhoIsThere(t *testing.T) {
	eachTown(t, func(t *testing.T, s *town) {
		two := s.want(t, http.StatusCreated, "/v1/signup", "", object{"username": "two", "password": password})
		secret, recovery := s.enrol(t, s.logIn(t, "two", password).Access)
		ready := totpCode(t, s.server, secret, 1)
		request, cookie := s.loginPage(t)
		challenges := make([]string, 5) // for each attempt one of its own
		for n := range challenges {
			var half struct{ Challenge string }
			if err := json.Unmarshal(s.want(t, http.StatusForbidden, "/v1/login", "", object{"username": "two", "password": password}), &half); err != nil {
				t.Fatal(err)
			}
			challenges[n] = half.Challenge
		}
		s.disable(t, two)
		factor := func(n int, code string) func() sight {
			return func() sight {
				return s.look(t, "/v1/login/factor", "", object{"challenge": challenges[n], "code": code})
			}
		}
		page := func(n int, code string) func() sight {
			return func() sight {
				return s.look(t, "/factor", "", url.Values{"request": {request}, "challenge": {challenges[n]}, "code": {code}}, cookie)
			}
		}
		const unlikely = "aaaaa-aaaaa-aaaaa-aaaaa"
		wantAlike(t, "0", map[string]func() sight{
			"disabled, wrong code": factor(0, "x"), "disabled, right code": factor(1, ready),
			"disabled, wrong recovery code": factor(2, unlikely), "disabled, right recovery code": factor(3, recovery),
		})
		wantAlike(t, "0", map[string]func() sight{
			"disabled, wrong code": page(4, "x"), "disabled, right code": page(4, ready), "disabled, wrong recovery code": page(4, unlikely), "disabled, right recovery code": page(4, recovery),
		})
	}, func(c *server.Config) { c.NoThrottling = true })
}

// join signs somebody up, whose subject is left out of what is seen.
func (s *town) join(t *testing.T, name, address string) sight {
	t.Helper()
	got := s.look(t, "/v1/signup", "", object{"username": name, "password": password, "email": address})
	got.answer = regexp.MustCompile(`"sub":"[^"]*"`).ReplaceAllString(got.answer, "")
	return got
}
