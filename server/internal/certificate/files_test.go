package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/logtest"
)

// pair is a certificate and its key, as PEM.
type pair struct{ cert, key []byte }

func newPair(t *testing.T, serial int64) pair {
	return newPairUntil(t, serial, time.Now().Add(time.Hour))
}

func newPairUntil(t *testing.T, serial int64, end time.Time) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"auth.example.com"}, NotAfter: end,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
	}
}

// put replaces the files as programs that renew certificates do.
func put(t *testing.T, dir string, p pair) (cert, key string) {
	t.Helper()
	for name, text := range map[string][]byte{"tls.crt": p.cert, "tls.key": p.key} {
		fresh := filepath.Join(dir, "."+name)
		if err := os.WriteFile(fresh, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(fresh, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
}

// open loads the files as FromFiles does, and lets a test look behind.
func open(t *testing.T, cert, key string, log *logtest.Buffer) *files {
	t.Helper()
	f := &files{cert: cert, key: key, logger: slog.New(slog.NewTextHandler(log, nil))}
	if f.reload(); f.current.Load() == nil {
		t.Fatal(log.String())
	}
	return f
}

// serial answers that of the certificate in use, after a look at the files.
func (f *files) serial(t *testing.T) int64 {
	t.Helper()
	f.checked = time.Time{}
	found, err := f.certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return found.Leaf.SerialNumber.Int64()
}

func TestCertificatesAreReloaded(t *testing.T) {
	dir, log := t.TempDir(), &logtest.Buffer{}
	first, second, third := newPair(t, 1), newPair(t, 2), newPair(t, 3)
	cert, key := put(t, dir, first)
	f := open(t, cert, key, log)
	if got := f.serial(t); got != 1 {
		t.Errorf("serial %d, want 1", got)
	}
	put(t, dir, second)
	if got := f.serial(t); got != 2 {
		t.Errorf("after a change: serial %d, want 2", got)
	}
	for name, broken := range map[string]pair{
		"halves of two pairs": {third.cert, second.key}, "not PEM": {[]byte("certificate"), third.key}, "empty": {nil, nil},
	} {
		log.Take()
		put(t, dir, broken)
		if got := f.serial(t); got != 2 {
			t.Errorf("%s: serial %d, want the old one", name, got)
		}
		f.serial(t)
		if told := strings.Count(log.String(), "the old one stays"); told != 1 {
			t.Errorf("%s: told %d times, want once", name, told)
		}
	}
	os.Remove(cert)
	if got := f.serial(t); got != 2 {
		t.Errorf("without a file: serial %d, want the old one", got)
	}
	put(t, dir, third)
	if got := f.serial(t); got != 3 {
		t.Errorf("after the repair: serial %d, want 3", got)
	}
	os.Chmod(key, 0o644)
	put(t, dir, pair{first.cert, first.key})
	os.Chmod(key, 0o644)
	if got := f.serial(t); got != 3 {
		t.Errorf("a key that all can read is used: serial %d", got)
	}
	os.Chmod(key, 0o600) // as the log says
	if got := f.serial(t); got != 1 {
		t.Errorf("after the mode was mended: serial %d, want 1", got)
	}
}

// A link that is turned, as Kubernetes and certbot do, is a change too.
func TestALinkThatIsTurned(t *testing.T) {
	dir := t.TempDir()
	for name, serial := range map[string]int64{"a": 1, "b": 2} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name), newPair(t, serial))
	}
	turn := func(to string) {
		next := filepath.Join(dir, "next")
		if err := os.Symlink(to, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "now")); err != nil {
			t.Fatal(err)
		}
	}
	turn("a")
	f := open(t, filepath.Join(dir, "now", "tls.crt"), filepath.Join(dir, "now", "tls.key"), &logtest.Buffer{})
	turn("b")
	if got := f.serial(t); got != 2 {
		t.Errorf("serial %d, want 2", got)
	}
}

// Many handshakes at once, while the files change: each gets a whole certificate.
func TestHandshakesDuringAChange(t *testing.T) {
	dir := t.TempDir()
	first, second := newPair(t, 1), newPair(t, 2)
	cert, key := put(t, dir, first)
	config, err := FromFiles(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if found, err := config.GetCertificate(&tls.ClientHelloInfo{}); err != nil || found.Leaf == nil {
					t.Error(found, err)
				}
			}
		})
	}
	put(t, dir, second)
	all.Wait()
}

// A certificate that is late serves nobody, but the server has to be there for the new one.
func TestAnExpiredCertificateIsToldOf(t *testing.T) {
	cert, key := put(t, t.TempDir(), newPairUntil(t, 1, time.Now().Add(-time.Minute)))
	var log logtest.Buffer
	if _, err := FromFiles(cert, key, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "the TLS certificate has expired") {
		t.Errorf("the log says %q", log.String())
	}
}

func TestFromFilesRefuses(t *testing.T) {
	dir := t.TempDir()
	first, second := newPair(t, 1), newPair(t, 2)
	cert, key := put(t, dir, pair{first.cert, second.key})
	if _, err := FromFiles(cert, key, slog.Default()); err == nil {
		t.Error("a key of another certificate is accepted")
	}
	put(t, dir, first)
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := FromFiles(cert, key, slog.Default()); err == nil || !strings.Contains(err.Error(), "can be read by others") {
		t.Errorf("a key that all can read: %v", err)
	}
	if _, err := FromFiles(filepath.Join(dir, "nothing"), key, slog.Default()); err == nil {
		t.Error("a missing certificate is accepted")
	}
}
