//go:build unix

package binary

import (
	"net/http"
	"net/url"
	"os"
	"testing"
)

// Promise 5, to the letter: a server gets SIGKILL when the database has committed and it doesn't know so yet. What it
// was about to acknowledge holds at every server, and the client, who got no answer, asks another one and goes on.
func TestKilledBetweenCommitAndAnswer(t *testing.T) {
	f := newFleet(t)
	m := f.members()[0]
	address, err := url.Parse(os.Getenv("JOT_DATABASE"))
	if err != nil {
		t.Fatal(err)
	}
	c := newCutter(t, address.Host, "COMMIT\x00")
	address.Host = c.address
	t.Setenv("JOT_DATABASE", address.String()) // of servers that start from now on
	m.session = m.logIn()
	t.Run("logout", func(t *testing.T) { testLogoutWithoutAnswer(t, f, m, c) })
	t.Run("refresh", func(t *testing.T) { testRefreshWithoutAnswer(t, f, m, c) })
	f.restart(0)
	m.check()
}

func testLogoutWithoutAnswer(t *testing.T, f *fleet, m *member, c *cutter) {
	l := f.loseAnswer(t, m, c, func(l *line) int {
		status, _ := post(f.ships[0].url()+"/v1/logout", l.access, struct{}{})
		return status
	}, func(l *line) bool { return me(f.ships[1], l.access) == http.StatusUnauthorized })
	f.restart(0)
	m.ended = append(m.ended, l)
	for _, s := range f.ships {
		newFollower(t, s.url()+"/feed/jwks.json", f.readerOptions(s.url(), nil)).waitForVerdict(t, s.address, l, true)
	}
}

func testRefreshWithoutAnswer(t *testing.T, f *fleet, m *member, c *cutter) {
	l := f.loseAnswer(t, m, c, func(l *line) int { return (installation{url: f.ships[0].url()}).refresh(l, l.latest()) },
		func(*line) bool { return true }) // committed or not, the client goes on
	(installation{url: f.ships[1].url()}).checkLine(t, l)
}

// loseAnswer asks the first server for something about a session, and kills it when that is committed and a COMMIT's
// answer was on the way to it. That COMMIT may have been another one, and the client have its answer: then it tries
// again with another session. It returns that of which no answer came.
func (f *fleet) loseAnswer(t *testing.T, m *member, c *cutter, ask func(*line) int, committed func(*line) bool) *line {
	t.Helper()
	for range 10 {
		f.restart(0)
		l := m.logIn()
		answered := make(chan int, 1)
		c.armed.Store(true)
		go func() { answered <- ask(l) }() // ends with the answer, or with the server
		select {
		case <-c.cut:
		case status := <-answered:
			answered <- status
		}
		if !eventually(func() bool { return len(answered) > 0 || committed(l) }) {
			t.Fatal("neither an answer nor a commit")
		}
		f.kill(0)
		select { // where both came at once
		case <-c.cut:
		default:
		}
		switch status := <-answered; status {
		case 0:
			return l
		case http.StatusOK, http.StatusNoContent:
		default:
			t.Fatalf("answered with %d", status)
		}
	}
	t.Fatal("each time the COMMIT was another transaction's")
	return nil
}

// restart ends a server, if it runs, and starts it again.
func (f *fleet) restart(n int) {
	f.Helper()
	f.kill(n)
	f.launch(n)
}
