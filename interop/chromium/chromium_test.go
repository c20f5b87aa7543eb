// Package chromium drives the ES module of package browser in a real browser, against a whole server and a protected
// API.
package chromium

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/browser"
	"github.com/jot-auth/jot/interop/machine"
	"github.com/jot-auth/jot/interop/running"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	password = "correct horse battery staple"
	logIn    = `session.logIn("ada", "` + password + `")`
	pets     = `session.fetch("/pets").then(async (r) => r.status + " " + await r.text())`
)

// world is a browser, and a server whose origin also has a page and an API.
type world struct {
	running.Server
	t         *testing.T
	browser   context.Context // of the first tab
	subject   string
	refreshes atomic.Int64
	losses    atomic.Int64 // how many answers to refreshes are still to be lost
	gate      atomic.Pointer[gate]
	held      atomic.Pointer[held]
}

func start(t *testing.T) *world {
	t.Helper()
	return startOver(t, running.Start)
}

func startOver(t *testing.T, serve func(*testing.T, ...func(*http.ServeMux, running.Server)) running.Server) *world {
	t.Helper()
	w := &world{t: t}
	w.Server = serve(t, w.register)
	var err error
	w.subject, err = w.SignUp(t.Context(), "ada", password)
	must(t, err)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(machine.Need(t, "install the package chromium", "chromium", "chromium-browser", "google-chrome")), chromedp.NoSandbox)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	w.browser, cancel = chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	must(t, chromedp.Do(w.browser, chromedp.Navigate("about:blank")))
	return w
}

func (w *world) register(mux *http.ServeMux, s running.Server) {
	verifier, err := jot.NewVerifier(s.Issuer(), jot.VerifierOptions{Issuer: s.URL, Audience: running.Audience, Type: "at+jwt", Revocation: s.Issuer()})
	must(w.t, err)
	protect := jothttp.Options{Verifier: verifier, Cookie: jothttp.CookieName}.Protect()
	mux.Handle("/pets", protect(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var claims struct {
			Role string `json:"role"`
		}
		if err := jothttp.From(r.Context()).Decode(&claims); err != nil {
			w.t.Error(err)
		}
		io.WriteString(rw, claims.Role+string(body))
	})))
	mux.HandleFunc("POST /held", func(rw http.ResponseWriter, r *http.Request) {
		w.held.Load().before(protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))).ServeHTTP(rw, r)
	})
	mux.HandleFunc("POST /v1/refresh", func(rw http.ResponseWriter, r *http.Request) {
		w.refreshes.Add(1)
		w.gate.Load().pass()
		w.lose(rw, r)
	})
	mux.Handle("GET /jot.js", browser.Handler())
	mux.HandleFunc("GET /page", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		io.WriteString(rw, `<!doctype html><script type="module">
			import { Session } from "/jot.js";
			const query = new URLSearchParams(location.search);
			window.session = new Session({ cookies: query.has("cookies"), client: query.get("client") ?? undefined });
		</script>`)
	})
}

// tab opens the page.
func (w *world) tab(query string) context.Context {
	w.t.Helper()
	tab, cancel := chromedp.NewContext(w.browser)
	w.t.Cleanup(cancel)
	must(w.t, chromedp.Do(tab, chromedp.Navigate(w.URL+"/page"+query)))
	w.eval(tab, `new Promise((go) => { const look = () => window.session ? go() : setTimeout(look, 5); look(); })`)
	return tab
}

// eval runs a script in a tab and returns what it comes to, as text.
func (w *world) eval(tab context.Context, script string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	wrapped := `Promise.resolve(` + script + `).then((v) => String(v), (e) => "failed: " + e.message + " " + e.status)`
	result, err := chromedp.Run(ctx, chromedp.Evaluate[string](wrapped, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%s: %v", script, err)
	}
	return result
}

// evalBeside is eval while something else goes on. A script that fails closes the channel.
func (w *world) evalBeside(tab context.Context, script string) <-chan string {
	result := make(chan string, 1)
	go func() {
		defer close(result)
		result <- w.eval(tab, script)
	}()
	return result
}

func (w *world) want(tab context.Context, script, want string) {
	w.t.Helper()
	if got := w.eval(tab, script); got != want {
		w.t.Errorf("%s: %q, want %q", script, got, want)
	}
}

func (w *world) promote(role string, soft bool) {
	w.t.Helper()
	must(w.t, w.Issuer().ChangeSubject(w.t.Context(), w.subject, issuer.Change{Claims: json.RawMessage(`{"role":"` + role + `"}`), Soft: soft}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Both modes keep the same promises: one login for all tabs, one refresh for all tabs when the claims are stale, and
// one logout for all.
func TestTabs(t *testing.T) {
	w := start(t)
	for name, query := range map[string]string{"memory": "", "cookies": "?cookies"} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.promote("keeper", false)
			first := w.tab(query)
			w.want(first, `session.claims()`, "null")
			w.want(first, pets+`.then((s) => s.slice(0, 3))`, "401")
			w.want(first, `session.logIn("ada", "a wrong password")`, "failed: "+w.URL+"/v1/login: 401 401")
			w.want(first, logIn, "undefined")
			second := w.tab(query)
			for _, tab := range []context.Context{first, second} {
				w.want(tab, pets, "200 keeper")
				w.want(tab, `session.claims().then((c) => c.role + " " + c.sub)`, "keeper "+w.subject)
			}

			w.promote("guest", false)
			before := w.refreshes.Load()
			many := `Promise.all(Array.from({ length: 10 }, () => session.fetch("/pets", { method: "POST", body: "!" })
				.then(async (r) => r.status + " " + await r.text()))).then((all) => [...new Set(all)].join())`
			both := w.evalBeside(second, many)
			w.want(first, many, "200 guest!")
			if got := <-both; got != "200 guest!" {
				t.Errorf("the second tab: %s", got)
			}
			if count := w.refreshes.Load() - before; count < 1 || count > 2 { // the second tab may not have heard of the first one's, and gets the same answer
				t.Errorf("%d refreshes", count)
			}

			w.want(second, `session.logOut()`, "undefined")
			w.want(first, pets+`.then((s) => s.slice(0, 3))`, "401")
			w.want(first, `session.claims()`, "null")
		})
	}
}

// Advice to refresh is followed later, and what was accepted stays accepted.
func TestAdvice(t *testing.T) {
	w := start(t)
	tab := w.tab("")
	w.eval(tab, `void (Math.random = () => 0.0001)`)
	w.want(tab, logIn, "undefined")
	w.promote("keeper", true)
	w.want(tab, `new Promise((done) => session.addEventListener("change", () => done(session.claims().then((c) => c.role)), { once: true }, session.fetch("/pets")))`, "keeper")
	if count := w.refreshes.Load(); count != 1 {
		t.Errorf("%d refreshes", count)
	}
}

// No script reads the cookies, and no other origin gets the token.
func TestTokensStayHome(t *testing.T) {
	w := start(t)
	seen := make(chan http.Header, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Access-Control-Allow-Origin", "*")
		seen <- r.Header
	}))
	t.Cleanup(elsewhere.Close)
	for _, query := range []string{"", "?cookies"} {
		tab := w.tab(query)
		w.want(tab, logIn, "undefined")
		w.want(tab, `document.cookie`, "")
		w.want(tab, `session.fetch("`+elsewhere.URL+`").then((r) => r.status)`, "200")
		if header := <-seen; header.Get("Authorization") != "" || header.Get("Cookie") != "" {
			t.Errorf("another origin got %v", header)
		}
	}
}
