package binary

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	root "github.com/jot-auth/jot"
)

const (
	logouts          = 40
	killAfterLogouts = 15
)

// Promise 5: SIGKILL in the middle of logouts, when one verifier has half a frame. Each logout that was acknowledged is
// a refused session for good, and of no other one the server and its feed say different things: its commit is there
// whole, or not at all.
func TestAcknowledgedLogoutsAreDurable(t *testing.T) {
	site := newInstallation(t)
	server := site.start(t)
	lines := site.logInOften(t, logouts)
	cutter := newCutter(t, site.address, `data: {"kind"`)
	whole, half := site.follow(t), site.followBy(t, "http://"+cutter.address)
	cutter.armed.Store(true)

	var answers [logouts]int
	var next, acknowledged atomic.Int64
	var all sync.WaitGroup
	reached := make(chan struct{})
	for range 4 {
		all.Go(func() { // ends with the lines, or with the server
			for n := next.Add(1) - 1; n < logouts; n = next.Add(1) - 1 {
				answers[n], _ = post(site.url+"/v1/logout", lines[n].access, struct{}{})
				if answers[n] == 0 {
					return
				}
				if answers[n] == http.StatusNoContent && acknowledged.Add(1) == killAfterLogouts {
					close(reached)
				}
			}
		})
	}
	<-reached
	<-cutter.cut
	server.kill(t)
	all.Wait()

	site.start(t)
	late := site.follow(t) // knows the log from its snapshot
	ended := 0
	for n, l := range lines {
		refresh := site.refresh(l, l.latest())
		switch {
		case answers[n] == http.StatusNoContent && refresh != http.StatusUnauthorized:
			t.Errorf("logout %d was acknowledged, and the session goes on: %d", n, refresh)
		case refresh != http.StatusUnauthorized && refresh != http.StatusOK:
			t.Errorf("refresh after logout %d: %d", n, refresh)
		}
		for name, f := range map[string]*follower{"before": whole, "before, and got half a frame": half, "after": late} {
			f.waitForVerdict(t, name, l, refresh == http.StatusUnauthorized)
		}
		if refresh == http.StatusUnauthorized {
			ended++
		}
	}
	for _, f := range []*follower{whole, half, late} {
		f.waitForSequence(t, uint64(ended))
	}
}

// waitForVerdict waits until the reader has a lease and says whether the session of the line is revoked.
func (f *follower) waitForVerdict(t *testing.T, name string, l *line, revoked bool) {
	t.Helper()
	facts := l.facts(t)
	if eventually(func() bool {
		verdict, err := f.reader.CheckRevocation(t.Context(), facts)
		return err == nil && (verdict == root.Revoked) == revoked
	}) {
		return
	}
	t.Errorf("a reader of %s the kill doesn't say that the session is revoked: %v; it complained:\n%s", name, revoked, f.errors)
}

// waitForSequence checks the length of the log, and that it was taken for the one of before.
func (f *follower) waitForSequence(t *testing.T, want uint64) {
	t.Helper()
	if !eventually(func() bool { return f.reader.State().Sequence == want }) {
		t.Errorf("the reader is at %d, want %d", f.reader.State().Sequence, want)
	}
	for _, word := range []string{"fork", "missing", "not the ones", "rolled back", "another"} {
		if strings.Contains(f.errors.String(), word) {
			t.Errorf("the reader complained: %s", f.errors)
		}
	}
}

// facts are what a verifier finds in the line's access token.
func (l *line) facts(t *testing.T) *root.RevocationFacts {
	t.Helper()
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Session  string `json:"sid"`
		IssuedAt int64  `json:"iat"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(l.access, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil || claims.Session == "" {
		t.Fatal("no session in ", l.access)
	}
	return &root.RevocationFacts{
		Issuer: []byte(claims.Issuer), Subject: []byte(claims.Subject), SessionID: []byte(claims.Session),
		IssuedAt: claims.IssuedAt, HasIssuedAt: true, Generation: 1 << 40, // no other rule
	}
}

// cutter stands before a server, and lets half of the first data that holds a text through, once it's armed; what
// follows on that connection is lost.
type cutter struct {
	address string
	text    []byte
	armed   atomic.Bool
	cut     chan struct{} // has an element when that has happened
}

func newCutter(t *testing.T, target, text string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	c := &cutter{address: listener.Addr().String(), text: []byte(text), cut: make(chan struct{}, 1)}
	go func() { // ends with the listener
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.connect(client, target) // ends with either end
		}
	}()
	return c
}

func (c *cutter) connect(client net.Conn, target string) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", target, time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	go func() { // ends with the client's end
		defer server.Close()
		carry(client, func(data []byte) bool {
			_, err := server.Write(data)
			return err == nil
		})
	}()
	lost := false
	carry(server, func(data []byte) bool {
		if bytes.Contains(data, c.text) && c.armed.CompareAndSwap(true, false) {
			lost = true
			client.Write(data[:len(data)/2])
			c.cut <- struct{}{}
		}
		if lost {
			return true
		}
		_, err := client.Write(data)
		return err == nil
	})
}

func carry(from net.Conn, take func(data []byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !take(buffer[:n]) || err != nil {
			return
		}
	}
}
