package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/certificate"
	"github.com/jot-auth/jot/server/internal/console"
)

// CheckFiles says what is wrong with the files and directories that the configuration names, and makes none of them.
// Secrets and directories that are made at the first start may be missing.
func (c *Config) CheckFiles() error {
	errs := []error{c.checkKeyNotLost(), checkDirectory("data", c.Data, 0o022)}
	for _, s := range []struct{ path, text, file string }{
		{"kek", c.KEK, c.KEKPath()},
		{"feed_credential", c.FeedCredential, c.FeedCredentialPath()},
	} {
		errs = append(errs, checkSecret(s.path, s.text, s.file))
	}
	_, err1 := oldSecret("kek_old_file", c.KEKOldFile)
	_, err2 := oldSecret("feed_credential_old_file", c.FeedCredentialOldFile)
	errs = append(errs, err1, err2)
	errs = append(errs, c.Mail.open(new(server.Mail)), c.checkTemplates())
	if c.TLS.Cert != "" && c.TLS.Key != "" {
		errs = append(errs, certificate.Check(c.TLS.Cert, c.TLS.Key, c.hostOfClients()))
	}
	if len(c.ACME.Domains) > 0 {
		_, err := certificates("acme.roots", c.ACME.Roots)
		errs = append(errs, err, checkDirectory("acme.cache", c.acmeCache(), 0o077))
	}
	return errors.Join(errs...)
}

// hostOfClients is whom clients take the server's certificate for; "" where proxies stand between, which may know it by
// another name.
func (c *Config) hostOfClients() string {
	u, err := url.Parse(c.Issuer)
	if err != nil || len(c.TrustedProxies) > 0 {
		return ""
	}
	return u.Hostname()
}

func (c *Config) checkTemplates() error {
	if err := console.CheckTemplates(c.LogIn.Templates); err != nil {
		return fmt.Errorf("log_in.templates: %w", err)
	}
	return nil
}

func checkSecret(path, text, file string) error {
	if text == "" && (file == "" || missing(file)) {
		return nil // it'll be made
	}
	if _, err := secret(text, path, file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// checkDirectory refuses one on which others have any of the permissions.
func checkDirectory(path, dir string, refused fs.FileMode) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // it'll be made
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case !info.IsDir():
		return fmt.Errorf("%s %s is not a directory", path, dir)
	case info.Mode().Perm()&refused != 0:
		return fmt.Errorf("%s: others may use the directory %s (mode %04o): run chmod 700 on it", path, dir, info.Mode().Perm())
	}
	return nil
}
