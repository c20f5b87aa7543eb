// Package certificate is the server's TLS certificate: from files, which may change while it runs, or from an ACME
// authority (RFC 8555). It starts no goroutine of its own.
package certificate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jot-auth/jot/server/internal/privatefile"
)

// checkInterval is how often the files are looked at, at most.
const checkInterval = 2 * time.Second

// maxKey bounds a key's file, in bytes.
const maxKey = 1 << 20

// files are a certificate and its key, loaded again when they have changed.
type files struct {
	cert, key string
	logger    *slog.Logger
	current   atomic.Pointer[tls.Certificate]

	mu      sync.Mutex
	checked time.Time
	seen    [2]stamp
	fault   string // of the new pair; "": there is none
}

// stamp tells two states of a file apart.
type stamp struct {
	modified time.Time
	size     int64
	info     os.FileInfo
}

func (s stamp) same(other stamp) bool {
	return s.modified.Equal(other.modified) && s.size == other.size && s.info != nil && other.info != nil && os.SameFile(s.info, other.info)
}

// FromFiles serves TLS 1.2 and 1.3 with the certificates in a PEM file, the server's own first, and its private key in
// another that only we may read. When the files change, the next connection gets the new certificate; while the new
// pair can't be read, or its halves don't fit, the old one stays and the fault is logged.
func FromFiles(cert, key string, logger *slog.Logger) (*tls.Config, error) {
	f := &files{cert: cert, key: key, logger: logger}
	seen, err := f.stamps() // before the files are read, so that a change in between is seen
	if err != nil {
		return nil, fmt.Errorf("the TLS certificate and its key: %w", err)
	}
	pair, err := load(cert, key)
	if err != nil {
		return nil, err
	}
	if time.Now().After(pair.Leaf.NotAfter) { // a server whose certificate is late is better than none: it takes the new one when it comes
		logger.Error("the TLS certificate has expired: clients refuse it", slog.Time("expired", pair.Leaf.NotAfter))
	}
	f.seen, f.checked = seen, time.Now()
	f.current.Store(pair)
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: f.certificate}, nil
}

// certificate is asked at each handshake. One of those that come at once looks at the files.
func (f *files) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if f.mu.TryLock() {
		if time.Since(f.checked) >= checkInterval {
			f.reload()
			f.checked = time.Now()
		}
		f.mu.Unlock()
	}
	return f.current.Load(), nil
}

// reload takes the new pair, if there is one that is good. The same bad one is told of once, and tried again: a mode or
// an owner that is mended changes nothing in a stamp.
func (f *files) reload() {
	seen, err := f.stamps()
	same := seen == f.seen || seen[0].same(f.seen[0]) && seen[1].same(f.seen[1])
	if same && f.fault == "" {
		return
	}
	var pair *tls.Certificate
	if err == nil {
		pair, err = load(f.cert, f.key)
	}
	before := f.fault
	f.seen, f.fault = seen, ""
	if err != nil {
		if f.fault = err.Error(); !same || f.fault != before {
			f.logger.Error("the new TLS certificate can't be used; the old one stays", slog.Any("error", err))
		}
		return
	}
	f.current.Store(pair)
	f.logger.Info("TLS certificate loaded", slog.Time("expires", pair.Leaf.NotAfter))
}

func (f *files) stamps() (seen [2]stamp, err error) {
	for n, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return [2]stamp{}, err
		}
		seen[n] = stamp{info.ModTime(), info.Size(), info}
	}
	return seen, nil
}

// Check says what is wrong with a certificate and its key, and whether it's for a host; "" is any.
func Check(cert, key, host string) error {
	pair, err := load(cert, key)
	if err != nil {
		return err
	}
	now, leaf := time.Now(), pair.Leaf
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("%s expired at %s: renew it", cert, leaf.NotAfter.Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("%s is good from %s on: wait, or set this machine's clock", cert, leaf.NotBefore.Format(time.RFC3339))
	case host != "" && leaf.VerifyHostname(host) != nil:
		return fmt.Errorf("%s isn't for %s, the issuer's host, so clients will refuse it: get one with that name in it", cert, host)
	}
	return nil
}

// load follows links, as programs that renew certificates make them. The key is read from the file that was checked.
func load(cert, key string) (*tls.Certificate, error) {
	certificates, err1 := os.ReadFile(cert)
	if err1 != nil {
		err1 = fmt.Errorf("the TLS certificate: %w", err1)
	}
	private, err2 := readKey(key)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificates, private)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", cert, key, err)
	}
	return &pair, nil
}

func readKey(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the TLS key: %w", err)
	}
	defer file.Close()
	if err := privatefile.Check(file); err != nil {
		return nil, fmt.Errorf("the TLS key %w", err)
	}
	return io.ReadAll(io.LimitReader(file, maxKey))
}
