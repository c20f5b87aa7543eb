package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/strictjson"
)

// refreshEarly is how long before its end an access token is renewed: one request must not outlive it.
const refreshEarly = time.Minute

var errNoLogin = errors.New("not logged in: run 'jot admin login --issuer URL'")

// adminTokens are the server's answer to a login or a refresh (RFC 6749 §5.1).
type adminTokens struct {
	Access    string `json:"access_token"`
	Refresh   string `json:"refresh_token"`
	ExpiresIn int64  `json:"expires_in"`
	Scope     string `json:"scope"`
}

// adminLogin is a login, as it is stored.
type adminLogin struct {
	Issuer   string    `json:"issuer"`
	Username string    `json:"username"`
	Access   string    `json:"access_token"`
	Refresh  string    `json:"refresh_token"`
	Expires  time.Time `json:"expires"` // of the access token, by this machine's clock
}

func (l *adminLogin) take(t adminTokens) {
	l.Access, l.Refresh, l.Expires = t.Access, t.Refresh, time.Now().Add(time.Duration(t.ExpiresIn)*time.Second)
}

// loginFile is where the login is.
type loginFile string

func adminLoginFile() (loginFile, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no place for a login: %w; use JOT_ADMIN_TOKEN", err)
	}
	return loginFile(filepath.Join(dir, "jot", "admin.json")), nil
}

// load reads the login, or fails with errNoLogin.
func (f loginFile) load() (adminLogin, error) {
	data, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return adminLogin{}, errNoLogin
	}
	if err != nil {
		return adminLogin{}, err
	}
	var login adminLogin
	if err := strictjson.Unmarshal(data, &login); err != nil {
		return adminLogin{}, fmt.Errorf("the login in %s is broken: run 'jot admin login --issuer URL' (%w)", f, err)
	}
	return login, nil
}

// save replaces the login as a whole: who reads meanwhile finds the old one or the new one.
func (f loginFile) save(login adminLogin) error {
	data, err := json.Marshal(login)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(string(f)), 0o700); err != nil {
		return err
	}
	return replaceKeyFile(string(f), append(data, '\n'), secretMode)
}

func (f loginFile) remove() error { return os.Remove(string(f)) }

// fresh returns the login with an access token that is good for a while, but for stale, one that the server has refused. Processes take turns with
// the refresh, and each looks first at what the one before it stored.
func (f loginFile) fresh(ctx context.Context, stale string) (adminLogin, error) {
	login, err := f.load()
	if err != nil || login.usable(stale) {
		return login, err
	}
	unlock, err := lockFile(ctx, string(f)+".lock")
	if err != nil {
		return adminLogin{}, fmt.Errorf("waiting for another jot that refreshes the login: %w", err)
	}
	defer unlock()
	if login, err = f.load(); err != nil || login.usable(stale) {
		return login, err
	}
	var tokens adminTokens
	err = callServer(ctx, login.Issuer, "", http.MethodPost, "/oauth2/token", map[string]any{
		"grant_type": "refresh_token", "refresh_token": login.Refresh, "client_id": issuer.CommandClient,
	}, &tokens)
	if refused, ok := errors.AsType[*serverError](err); ok && refused.Code == "invalid_grant" {
		return adminLogin{}, fmt.Errorf("the login at %s is over: run 'jot admin login --issuer %s'", login.Issuer, login.Issuer)
	}
	if err != nil {
		return adminLogin{}, err
	}
	login.take(tokens)
	return login, f.save(login)
}

func (l *adminLogin) usable(stale string) bool {
	return l.Access != stale && time.Now().Add(refreshEarly).Before(l.Expires)
}
