package cli

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	browserTimeout  = 15 * time.Minute // to log in
	browserFarewell = 5 * time.Second  // to take the last page
)

// browserLogin is a login in a browser of this machine (RFC 8252): the code comes to a port on loopback, and is worth
// something here alone (RFC 7636). A device code would do without the port, and would let whoever gets an administrator
// to follow a link log in as that one from anywhere.
type browserLogin struct {
	redirect, state, verifier string
	answers                   chan url.Values
}

// browse logs somebody in by a browser at the address that it shows, and answers what the token endpoint does. The name
// that is hinted may be "".
func (s *adminServer) browse(ctx context.Context, hint string, show func(address string)) (answer json.RawMessage, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("there is no port to which the browser could come back: %w", err)
	}
	l := &browserLogin{
		redirect: "http://" + listener.Addr().String() + issuer.CommandRedirectPath, state: rand.Text(), verifier: rand.Text() + rand.Text(), answers: make(chan url.Values, 1),
	}
	server := &http.Server{Handler: l, ReadTimeout: browserFarewell, WriteTimeout: browserFarewell, MaxHeaderBytes: 16 << 10}
	go server.Serve(listener) // ends with the Shutdown, or at the latest with the Close after it
	defer func() {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), browserFarewell)
		defer cancel()
		if server.Shutdown(farewell) != nil {
			server.Close() // a connection hangs: nothing is lost with it
		}
	}()
	show(l.address(s.issuer, hint))
	waiting, cancel := context.WithTimeout(ctx, browserTimeout)
	defer cancel()
	select {
	case found := <-l.answers:
		code, err := codeOf(found, s.issuer)
		if err != nil {
			return nil, err
		}
		err = s.ask(ctx, http.MethodPost, "/oauth2/token", map[string]any{
			"grant_type": "authorization_code", "code": code, "redirect_uri": l.redirect, "code_verifier": l.verifier, "client_id": issuer.CommandClient,
		}, &answer)
		return answer, err
	case <-waiting.Done():
		if ctx.Err() != nil {
			return nil, errors.New("interrupted while waiting for the browser")
		}
		return nil, fmt.Errorf("nobody has logged in within %s", browserTimeout)
	}
}

// address is where the browser goes. Whoever is signed in there logs in anew: it's to be seen who will administer.
func (l *browserLogin) address(issuerURL, hint string) string {
	challenge := sha256.Sum256([]byte(l.verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {issuer.CommandClient}, "redirect_uri": {l.redirect}, "state": {l.state}, "prompt": {"login"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
		"resource": {issuerURL + "/admin"}, "scope": {issuer.ScopeAdmin},
	}
	if hint != "" {
		query.Set("login_hint", hint)
	}
	return issuerURL + "/oauth2/authorize?" + query.Encode()
}

// ServeHTTP takes the answer. Whatever else comes, from other programs or pages, changes nothing.
func (l *browserLogin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	ours := subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(l.state)) == 1
	if err != nil || r.Method != http.MethodGet || "http://"+r.Host+r.URL.Path != l.redirect || !ours {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	io.WriteString(w, "You may close this window: the command line goes on.\n")
	select {
	case l.answers <- query:
	default: // it has the first one
	}
}

// codeOf is the code in an answer of this very server (RFC 9207).
func codeOf(answer url.Values, issuerURL string) (string, error) {
	if !slices.Equal(answer["iss"], []string{issuerURL}) {
		return "", errors.New("the browser brings the answer of another server: name the issuer by its own URL")
	}
	if refused := answer.Get("error"); refused != "" {
		return "", &serverError{Code: refused, Description: answer.Get("error_description")}
	}
	if len(answer["code"]) != 1 || answer.Get("code") == "" {
		return "", errors.New("the browser brings no code")
	}
	return answer.Get("code"), nil
}
