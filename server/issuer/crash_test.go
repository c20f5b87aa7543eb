package issuer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// crashVariable tells this test binary to be the server that gets killed; its value is the database's path.
const crashVariable = "JOT_TEST_CRASH"

const crashSessions = 8

func TestMain(m *testing.M) {
	if path := os.Getenv(crashVariable); path != "" {
		if err := refreshForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	m.Run()
}

// refreshForever refreshes several sessions and ends others, and prints a line for each answer that it got.
func refreshForever(path string) error {
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, path, sqlstore.Options{})
	if err != nil {
		return err
	}
	i, err := issuer.New(ctx, store, config())
	if err != nil {
		return err
	}
	failures := make(chan error)
	for range crashSessions {
		go func() { failures <- refreshOne(ctx, i) }()
	}
	return <-failures
}

func refreshOne(ctx context.Context, i *issuer.Issuer) error {
	tokens, err := i.Issue(ctx, issuer.Grant{Subject: "ann"})
	for round := 0; err == nil; round++ {
		fmt.Println("live", tokens.SessionID, tokens.Refresh, tokens.Access)
		if round%5 == 0 {
			ended, err1 := i.Issue(ctx, issuer.Grant{Subject: "ann"})
			if err := errors.Join(err1, i.EndSession(ctx, "ann", ended.SessionID)); err != nil {
				return err
			}
			fmt.Println("ended", ended.SessionID, ended.Refresh, ended.Access)
		}
		tokens, err = i.Refresh(ctx, issuer.RefreshRequest{Token: tokens.Refresh})
	}
	return err
}

// answer is one line of the server that was killed.
type answer struct{ kind, session, refresh, access string }

// crash runs a server on the database, kills it after so many answers, and returns them.
func (f *fixture) crash(answers int) []answer {
	f.Helper()
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), crashVariable+"="+f.path)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	f.do(err)
	f.do(server.Start())
	var got []answer
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what was cut off was never answered
		}
		words := strings.Fields(line)
		got = append(got, answer{words[0], words[1], words[2], words[3]})
		if len(got) == answers {
			f.do(server.Process.Kill())
		}
	}
	if err := server.Wait(); err == nil || len(got) < answers {
		f.Fatalf("the server ended by itself after %d answers: %v", len(got), err)
	}
	return got
}

// TestCrash kills a server in the middle of its work and starts another: every session that lived goes on in one line,
// every session that ended has ended, and the log has no gap.
func TestCrash(t *testing.T) {
	f := &fixture{T: t, config: config(), path: filepath.Join(t.TempDir(), "data", "jot.db")}
	f.start()
	f.createSubject("ann")
	f.do(f.Close())
	for range 3 {
		got := f.crash(200)
		f.start()
		f.checkAnswers(got)
		f.checkLog()
		f.do(f.Close())
	}
}

func (f *fixture) checkAnswers(answers []answer) {
	f.Helper()
	lines := make(map[string][]string)
	for _, a := range answers {
		if a.kind == "ended" {
			f.refuse(a.access, jot.ErrRevoked)
			f.refuseRefresh(a.refresh)
			continue
		}
		f.accept(a.access)
		lines[a.session] = append(lines[a.session], a.refresh)
	}
	if len(lines) != crashSessions {
		f.Errorf("%d sessions, want %d", len(lines), crashSessions)
	}
	for _, tokens := range lines {
		f.checkLine(tokens)
	}
}

// checkLine: the last token that the client saw is good and gives everybody the same successor; an older one ends the
// session.
func (f *fixture) checkLine(tokens []string) {
	f.Helper()
	last := tokens[len(tokens)-1]
	var successors sync.Map
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			next, err := f.tryRefresh(last)
			if err != nil {
				f.Error(err)
			}
			successors.Store(next.Refresh, true)
		})
	}
	wait.Wait()
	if found := keysOf(&successors); len(found) != 1 {
		f.Fatalf("after the crash a token has %d successors", len(found))
	}
	next := f.refresh(keysOf(&successors)[0])
	f.refuseRefresh(last)
	f.refuse(next.Access, jot.ErrRevoked)
	f.refuseRefresh(next.Refresh)
}

func (f *fixture) checkLog() {
	f.Helper()
	rules, head, err := f.LogEntries(f.Context(), 0, 100000)
	f.do(err)
	chain := revocation.NewLog(head.LogID)
	for _, r := range rules {
		chain = chain.Append(r)
	}
	if now, err := f.LogHead(f.Context()); err != nil || now != head || chain != head {
		f.Errorf("%d rules lead to %+v, and the head is %+v, %v", len(rules), chain, now, err)
	}
}
