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
	policy    string // Content-Security-Policy without form-action and script-src
	script    []byte // of passkeys
	scriptURL string
}

// scripted is a view whose page may have the script.
type scripted interface{ scripted() bool }

// frame is what page.html is given, with a page's own view in it.
type frame struct {
	Style template.CSS
	View  any
}

// samples are views with which each page is tried before it's served, beside empty ones.
var samples = map[string]any{
	"login.html":    loginView{Client: "App", Request: "x", Username: "ada", Problem: "x", Forgotten: true, Passkey: "{}"},
	"factor.html":   factorView{Client: "App", Request: "x", Challenge: "x", Problem: "x", Codes: true, Passkey: "{}"},
	"consent.html":  consentView{Client: "App", Resource: "API", Request: "x", Login: "/login", Items: []scopeItem{{"openid", "know who you are"}, {"pets:read", ""}}},
	"logout.html":   logoutView{Client: "App", Request: "x"},
	"apps.html":     appsView{Request: "x", Apps: []appItem{{"client_app", "App", []appGrant{{"API", []scopeItem{{"openid", "know who you are"}, {"pets:read", ""}}}}}}},
	"done.html":     doneView{},
	"formpost.html": formPostView{Host: "app.example.com", Action: "https://app.example.com/callback", Fields: []field{{"code", "x"}}},

	"device.html":        deviceView{UserCode: "WDJB-MJHT", Problem: "x"},
	"deviceconsent.html": deviceConsentView{Client: "TV", Resource: "API", Request: "x", Login: "/login", UserCode: "WDJB-MJHT", Items: []scopeItem{{"pets:read", ""}}},
	"devicedone.html":    deviceDoneView{Allowed: true},

	"verify.html":     letterView{Code: "x", Problem: "x"},
	"reset.html":      letterView{Code: "x", Problem: "x"},
	"forgotten.html":  forgottenView{Problem: "x"},
	"letterdone.html": letterDoneView{Title: "x", Text: "x"},

	"passkeys.html":      passkeysView{Passkeys: []passkeyItem{{ID: "x", Name: "x", Added: "x", Used: "x", BackedUp: true}}, Factored: true, Problem: "x"},
	"newpasskey.html":    newPasskeyView{Options: "{}"},
	"recoverycodes.html": recoveryCodesView{Codes: []string{"x"}},

	"error.html": errorView{Problem: "x"},
}

// CheckTemplates says what is wrong with a folder of templates, as New would.
func CheckTemplates(folder string) error {
	_, err := loadPages(folder, "")
	return err
}

// loadPages reads the templates, those of a folder before the built-in ones.
func loadPages(folder, issuerURL string) (*pages, error) {
	if err := checkFolder(folder); err != nil {
		return nil, err
	}
	style, err1 := readPage(folder, "style.css")
	script, err2 := readPage(folder, scriptName)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	style = strings.ReplaceAll(style, "\r\n", "\n") // a browser hashes it so
	sum := sha256.Sum256([]byte(style))
	p := &pages{
		templates: make(map[string]*template.Template), style: template.CSS(style), script: []byte(script), scriptURL: issuerURL + "/" + scriptName,
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

// checkFolder refuses a folder that isn't there, from which the built-in pages would be taken without a word.
func checkFolder(folder string) error {
	if folder == "" {
		return nil
	}
	info, err := os.Stat(folder)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", folder)
	}
	if err != nil {
		return fmt.Errorf("console: the folder of templates: %w", err)
	}
	return nil
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
	policy := p.policy
	if s, ok := view.(scripted); ok && s.scripted() {
		policy += "; script-src " + p.scriptURL // that file, and nothing else of this origin
	}
	header.Set("Content-Security-Policy", policy+"; form-action "+formAction(next))
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

// formAction is where a form may lead. A browser holds every redirect that follows the form against it, and a client
// may send on to wherever it likes: so any address over TLS is good behind one over TLS, and the scheme of any other
// client's own.
func formAction(next string) string {
	u, err := url.Parse(next)
	switch {
	case next == "" || err != nil:
		return "'self'"
	case u.Scheme == "http" && strings.Contains(u.Host, "["):
		return "'self' https: http:" // no host of a policy is an IPv6 address (CSP Level 3 §2.3.1)
	case u.Scheme == "http":
		return "'self' https: http://" + u.Host
	}
	return "'self' https: " + u.Scheme + ":"
}

// scriptName is the one script, which only passkeys need.
const scriptName = "passkey.js"

// serveScript answers GET /passkey.js. It's small, and kept by no cache, so that it's always of the version of its
// page.
func (p *pages) serveScript(w http.ResponseWriter, _ *http.Request) {
	web.NoStore(w)
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(p.script)
}

// errorView is what the page shows that leads nowhere.
type errorView struct{ Problem string }

// refuse shows what went wrong.
func (p *pages) refuse(w http.ResponseWriter, r *http.Request, status int, problem string) {
	p.write(w, r, status, "error.html", "", errorView{problem})
}
