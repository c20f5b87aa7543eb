package certificate

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// acmeTimeout bounds each request to the authority.
const acmeTimeout = 30 * time.Second

// ACME gets certificates from an authority, and renews them 30 days before they expire. Using it means to agree to the
// authority's terms of service.
type ACME struct {
	Domains   []string       // exactly these get a certificate
	Email     string         // where the authority writes to; may be ""
	Directory string         // URL of the authority; "" is Let's Encrypt
	CacheDir  string         // keeps keys and certificates; made with mode 0700
	Roots     *x509.CertPool // of the authority's own connection; nil: the system's
}

// Validate says what is wrong, before anything is made.
func (a ACME) Validate() error {
	var errs []error
	for _, domain := range a.Domains {
		if net.ParseIP(domain) != nil || !strings.Contains(domain, ".") || domain != strings.ToLower(domain) || strings.ContainsAny(domain, "*/: ") || strings.HasSuffix(domain, ".") {
			errs = append(errs, fmt.Errorf("ACME domain %.255q: write a whole name in lower case, as auth.example.com; no address and no pattern", domain))
		}
	}
	if a.CacheDir == "" {
		errs = append(errs, errors.New("ACME needs a directory for its keys and certificates: authorities limit how often one may ask for new ones"))
	}
	u, err := url.Parse(cmp.Or(a.Directory, autocert.DefaultACMEDirectory))
	if err != nil || u.Host == "" || u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("ACME directory %.255q: write an https URL", a.Directory))
	}
	return errors.Join(errs...)
}

// Open returns how to serve TLS, which answers the authority's TLS-ALPN-01 challenges (RFC 8737) on the same port, and
// what answers HTTP-01 challenges in front of a handler for plain HTTP.
func (a ACME) Open() (*tls.Config, func(http.Handler) http.Handler, error) {
	if err := a.Validate(); err != nil {
		return nil, nil, err
	}
	if err := secureCache(a.CacheDir); err != nil {
		return nil, nil, err
	}
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(a.CacheDir),
		HostPolicy: autocert.HostWhitelist(a.Domains...),
		Email:      a.Email,
		Client: &acme.Client{
			DirectoryURL: cmp.Or(a.Directory, autocert.DefaultACMEDirectory),
			UserAgent:    "jot",
			HTTPClient:   &http.Client{Timeout: acmeTimeout, Transport: a.transport()},
		},
	}
	config := manager.TLSConfig()
	config.MinVersion = tls.VersionTLS12
	return config, manager.HTTPHandler, nil
}

func (a ACME) transport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: a.Roots, MinVersion: tls.VersionTLS12}
	return transport
}

// secureCache makes the directory for private keys, or checks that it is for us alone.
func secureCache(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("ACME: %w", err)
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return fmt.Errorf("ACME: %w", err)
	case info.Mode()&fs.ModeSymlink != 0 || !info.IsDir():
		return fmt.Errorf("ACME: %s is not a directory: name the directory itself", dir)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("ACME: others can open %s (mode %04o), which holds private keys: run chmod 700 on it", dir, info.Mode().Perm())
	}
	return nil
}
