package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/jot-auth/jot/server/internal/loopback"
	"github.com/jot-auth/jot/server/issuer"
)

const maxDrain = time.Minute

// Validate says all that is wrong with a configuration, without looking at a file.
func (c *Config) Validate() error {
	config, err := c.withoutSecrets()
	config.DataDir = cmp.Or(config.DataDir, ".") // checkData speaks of it
	return errors.Join(err, Named(config.Validate()), c.checkData(), c.CheckListen(), c.checkTLS(), c.checkOthers())
}

// Doubts says what may be a mistake, which only the database could tell.
func (c *Config) Doubts() (doubts []error) {
	config, err := c.withoutSecrets()
	if err != nil {
		return nil // Validate says so
	}
	for _, u := range config.Issuer.UnknownScopes() {
		doubts = append(doubts, fmt.Errorf("clients: none of the resources here that %.64q may ask for has the scope %.64q%s", u.ClientID, u.Scope, didYouMean(u.Scope, c.scopes())))
	}
	return doubts
}

func (c *Config) checkData() error {
	if c.Data == "" {
		return errors.New("data is empty: name the directory for the database")
	}
	data, err1 := filepath.Abs(c.Data)
	file, err2 := filepath.Abs(c.KEKPath())
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if inside, err := filepath.Rel(data, file); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("kek_file %s is inside the data directory, whose backups it must not be in: name a file outside of %s", c.KEKFile, data)
	}
	return nil
}

// encrypted reports whether the server itself speaks TLS.
func (c *Config) encrypted() bool { return c.TLS.Cert != "" || len(c.ACME.Domains) > 0 }

// CheckListen says which address isn't one, is another's too, or would take passwords unencrypted.
func (c *Config) CheckListen() error {
	var errs []error
	taken := make(map[string]string) // by which setting
	for _, address := range []struct{ path, text string }{{"listen", c.Listen}, {"admin_listen", c.AdminListen}, {"tls.redirect", c.TLS.Redirect}} {
		_, port, err := net.SplitHostPort(address.text)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil && (address.text != "" || address.path == "listen") {
			errs = append(errs, fmt.Errorf("%s %.64q: write it as 127.0.0.1:8420", address.path, address.text))
		}
		if other := taken[address.text]; err == nil && port != "0" && other != "" {
			errs = append(errs, fmt.Errorf("%s and %s are both %s: give each a port of its own", other, address.path, address.text))
		}
		taken[address.text] = address.path
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err == nil && !c.encrypted() && len(c.TrustedProxies) == 0 && !loopback.Names(host) {
		errs = append(errs, fmt.Errorf("listen %s: passwords and tokens would travel unencrypted; listen on 127.0.0.1, or give tls.cert and tls.key, or acme.domains, or name the proxies that speak TLS in trusted_proxies", c.Listen))
	}
	return errors.Join(errs...)
}

func (c *Config) checkTLS() error {
	var errs []error
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		errs = append(errs, errors.New("tls.cert and tls.key belong together: give both"))
	}
	if c.TLS.Cert != "" && len(c.ACME.Domains) > 0 {
		errs = append(errs, errors.New("tls.cert and acme.domains exclude each other: leave one out"))
	}
	if c.TLS.Redirect != "" && !c.encrypted() {
		errs = append(errs, errors.New("tls.redirect leads to nothing encrypted: give tls.cert and tls.key, or acme.domains, or leave it out"))
	}
	if len(c.ACME.Domains) > 0 {
		errs = append(errs, c.acme().Validate())
	} else if c.ACME.Email+c.ACME.Directory+c.ACME.Cache+c.ACME.Roots != "" {
		errs = append(errs, errors.New("acme.domains is empty: name what to get certificates for, or leave out [acme]"))
	}
	return errors.Join(errs...)
}

func (c *Config) checkOthers() error {
	var errs []error
	if _, err := c.logLevel(); err != nil {
		errs = append(errs, err)
	}
	if !slices.Contains([]string{"auto", "json", "text"}, c.Log.Format) {
		errs = append(errs, fmt.Errorf("log.format %.20q isn't known: use json, text or auto", c.Log.Format))
	}
	if c.Drain < 0 || c.Drain > maxDrain {
		errs = append(errs, fmt.Errorf("drain is %v, want at most %v", c.Drain, maxDrain))
	}
	if _, err := issuer.NewSubject(json.RawMessage(c.SignUp.Claims), c.SignUp.Scope); c.SignUp.Claims != "" && err != nil {
		errs = append(errs, fmt.Errorf("sign_up.claims: %w", err))
	}
	return errors.Join(errs...)
}
