package admin

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

//go:embed bootstrap.html
var bootstrapHTML string

//go:embed bootstrap.css
var bootstrapCSS string

var bootstrapPage = template.Must(template.New("bootstrap").Parse(bootstrapHTML))

// pagePolicy lets the page have its own style and form, and nothing else: no script, no frame, nothing from elsewhere.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(bootstrapCSS))
	style := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	return "default-src 'none'; style-src " + style + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}()

// bootstrapView is what the page shows: a form, with what was wrong before, or that it's done.
type bootstrapView struct {
	Style             template.CSS
	Issuer            string
	Username, Problem string
	Done              bool
}

// bootstrapForm answers the page on which an administrator is made. The code is pasted into it: a link that held it
// would stand in the browser's history and in the log of every proxy.
func (a *API) bootstrapForm(w http.ResponseWriter, r *http.Request) {
	a.writePage(w, http.StatusOK, bootstrapView{})
}

// submitBootstrap makes the administrator, and answers the page again.
func (a *API) submitBootstrap(w http.ResponseWriter, r *http.Request) {
	form, err := web.DecodeForm(w, r)
	if err == nil {
		_, err = a.makeAdmin(w, r, bootstrapRequest{form.Get("code"), form.Get("username"), form.Get("password")})
	}
	view := bootstrapView{Username: form.Get("username"), Done: err == nil}
	if err == nil {
		a.writePage(w, http.StatusCreated, view)
		return
	}
	p := web.ProblemOf(err)
	web.LogFault(r, p.Status, err)
	view.Problem = p.Error()
	a.writePage(w, p.Status, view)
}

func (a *API) writePage(w http.ResponseWriter, status int, view bootstrapView) {
	view.Style, view.Issuer = template.CSS(bootstrapCSS), a.issuer.URL()
	var page bytes.Buffer
	if err := bootstrapPage.Execute(&page, view); err != nil {
		panic("admin: the page can't be written: " + err.Error())
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin") // with no-referrer a browser sends Origin: null, which sameOrigin takes for another site's
	web.NoStore(w)
	w.WriteHeader(status)
	w.Write(page.Bytes())
}

// sameOrigin refuses forms that another site sent.
func sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		web.WriteProblem(w, web.NewProblem(http.StatusForbidden, "cross-origin request"))
	}))
	return protection.Handler(next)
}
