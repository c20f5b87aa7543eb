package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
)

//go:embed pages
var builtin embed.FS

// pages are the templates, each with the frame that is common to all, and their style.
type pages struct {
	templates map[string]*template.Template
	style     template.CSS
	policy    string // Content-Security-Policy without form-action
}

// frame is what page.html is given, with a page's own view in it.
type frame struct {
	Style template.CSS
	View  any
}

// samples are views with which each page is tried before it's served, beside empty ones.
var samples = map[string]any{
	"login.html":    loginView{Client: "App", Request: "x", Username: "ada", Problem: "x"},
	"factor.html":   factorView{Client: "App", Request: "x", Challenge: "x", Problem: "x"},
	"consent.html":  consentView{Client: "App", Resource: "API", Request: "x", Login: "/login", Items: []scopeItem{{"openid", "know who you are"}, {"pets:read", ""}}},
	"formpost.html": formPostView{Host: "app.example.com", Action: "https://app.example.com/callback", Fields: []field{{"code", "x"}}},
	"logout.html":   logoutView{Client: "App", Request: "x"},
	"apps.html":     appsView{Request: "x", Apps: []appItem{{"client_app", "App", []appGrant{{"API", []scopeItem{{"openid", "know who you are"}, {"pets:read", ""}}}}}}},
	"done.html":     doneView{},

	"device.html":        deviceView{UserCode: "WDJB-MJHT", Problem: "x"},
	"deviceconsent.html": deviceConsentView{Client: "TV", Resource: "API", Request: "x", Login: "/login", UserCode: "WDJB-MJHT", Items: []scopeItem{{"pets:read", ""}}},
	"devicedone.html":    deviceDoneView{Allowed: true},

	"verify.html":     letterView{Code: "x", Problem: "x"},
	"reset.html":      letterView{Code: "x", Problem: "x"},
	"forgotten.html":  forgottenView{Problem: "x"},
	"letterdone.html": letterDoneView{Title: "x", Text: "x"},

	"error.html": errorView{Problem: "x"},
}

// loadPages reads the templates, those of a folder before the built-in ones.
func loadPages(folder string) (*pages, error) {
	style, err := readPage(folder, "style.css")
	if err != nil {
		return nil, err
	}
	style = strings.ReplaceAll(style, "\r\n", "\n") // a browser hashes it so
	sum := sha256.Sum256([]byte(style))
	p := &pages{
		templates: make(map[string]*template.Template), style: template.CSS(style),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
	}
	outer, err := readPage(folder, "page.html")
	if err != nil {
		return nil, err
	}
	for name, sample := range samples {
		inner, err := readPage(folder, name)
		if err != nil {
			return nil, err
		}
		t, err := template.New("page.html").Parse(outer)
		if err == nil {
			_, err = t.New(name).Parse(inner)
		}
		for _, view := range []any{sample, reflect.Zero(reflect.TypeOf(sample)).Interface()} { // both ways of every condition
			if err == nil {
				err = t.Execute(new(bytes.Buffer), frame{p.style, view})
			}
		}
		if err != nil {
			return nil, fmt.Errorf("console: the page %s: %w", name, err)
		}
		p.templates[name] = t
	}
	return p, nil
}

// readPage reads a file of the folder, or else the built-in one.
func readPage(folder, name string) (string, error) {
	if folder != "" {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return string(text), err
		}
	}
	text, err := builtin.ReadFile("pages/" + name)
	return string(text), err
}

// write answers with a page. next is where its form may lead in the end, "" nowhere but here.
func (p *pages) write(w http.ResponseWriter, r *http.Request, status int, name, next string, view any) {
	var page bytes.Buffer
	if err := p.templates[name].Execute(&page, frame{p.style, view}); err != nil {
		web.LogFault(r, http.StatusInternalServerError, err)
		status = http.StatusInternalServerError
		page.Reset() // half a page may have half a form
		page.WriteString("Something went wrong here. Try again later.\n")
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", p.policy+"; form-action "+formAction(next))
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	if header.Get("Referrer-Policy") == "" {
		header.Set("Referrer-Policy", "same-origin") // with no-referrer a browser sends Origin: null with a form, which passes for another site's
	}
	web.NoStore(w)
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

// formAction is where a form may lead. A browser holds every redirect that follows the form against it, and a client may send on to wherever it
// likes: so any address over TLS is good behind one over TLS, and the scheme of any other client's own.
func formAction(next string) string {
	u, err := url.Parse(next)
	switch {
	case next == "" || err != nil:
		return "'self'"
	case u.Scheme == "http":
		return "'self' https: http://" + u.Host
	}
	return "'self' https: " + u.Scheme + ":"
}

// errorView is what the page shows that leads nowhere.
type errorView struct{ Problem string }

// refuse shows what went wrong.
func (p *pages) refuse(w http.ResponseWriter, r *http.Request, status int, problem string) {
	p.write(w, r, status, "error.html", "", errorView{problem})
}
