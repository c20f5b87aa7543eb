package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/loopback"
	"github.com/jot-auth/jot/server/issuer"
)

// refreshEarly is how long before its end an access token is renewed: one request must not outlive it.
const refreshEarly = time.Minute

var errNoLogin = errors.New("not logged in: run 'jot admin login --issuer URL'")

// adminServer is a server, and who asks: the bearer of a token, or whoever is logged in, or else nobody.
type adminServer struct {
	issuer string
	client *http.Client
	token  string
	login  *jothttp.Transport
}

// server finds out which server is meant and with which token: that of the environment, or of the login.
func (a *adminFlags) server() (*adminServer, error) {
	wanted := strings.TrimSuffix(a.issuer, "/")
	if token := os.Getenv("JOT_ADMIN_TOKEN"); token != "" {
		if wanted == "" {
			wanted = issuerOf(token)
		}
		if wanted == "" {
			return nil, errors.New("JOT_ADMIN_TOKEN is no access token that names its issuer: name the server with --issuer URL")
		}
		return &adminServer{issuer: wanted, client: newAdminClient(identified{}), token: token}, checkAdminURL(wanted)
	}
	tokens, err := adminTokens()
	if err != nil {
		return nil, err
	}
	pair, err := tokens.Load(context.Background())
	if err != nil {
		return nil, err
	}
	if pair.Access == "" {
		return nil, errNoLogin
	}
	loggedIn := issuerOf(pair.Access)
	if wanted != "" && wanted != loggedIn {
		return nil, fmt.Errorf("the login is at %s: run 'jot admin login --issuer %s'", loggedIn, wanted)
	}
	return newAdminLogin(loggedIn, tokens)
}

// adminTokens is where the tokens of the login are.
func adminTokens() (jothttp.FileStore, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for a login: %w; use JOT_ADMIN_TOKEN", err)
	}
	return jothttp.FileStore(filepath.Join(dir, "jot", "admin.json")), nil
}

// newAdminLogin is a server at which somebody is logged in.
func newAdminLogin(issuerURL string, tokens jothttp.TokenStore) (*adminServer, error) {
	if err := checkAdminURL(issuerURL); err != nil {
		return nil, err
	}
	u, err := url.Parse(issuerURL)
	if err != nil {
		return nil, err
	}
	login, err := jothttp.NewTransport(jothttp.TransportOptions{
		TokenURL: issuerURL + "/oauth2/token", ClientID: issuer.CommandClient, Origins: []string{u.Scheme + "://" + u.Host},
		Tokens: tokens, Base: identified{}, Early: refreshEarly,
	})
	if err != nil {
		return nil, err
	}
	return &adminServer{issuer: issuerURL, client: newAdminClient(login), login: login}, nil
}

// newAdminClient follows no redirect: a token is for the address that was named.
func newAdminClient(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// identified makes requests that say which program sends them.
type identified struct{}

func (identified) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "jot/"+readBuild().Version)
	return http.DefaultTransport.RoundTrip(r)
}

// issuerOf is what a token says of its issuer, to whom it's sent anyway; "" where it says nothing.
func issuerOf(token string) string {
	var claims struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(jot.Inspect(token).Payload.Decoded, &claims) != nil {
		return ""
	}
	return claims.Issuer
}

// checkAdminURL refuses an address to which a password or a token would travel unencrypted.
func checkAdminURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return usagef("--issuer %.80q is no address of a server: write it as https://auth.example.com", text)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback.Names(u.Hostname()) {
		return nil
	}
	return usagef("--issuer %.80q: the password and the tokens would travel unencrypted: use https", text)
}
