package cli

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stuck is an output that takes nothing until it's let go.
type stuck struct {
	free chan struct{}
	text bytes.Buffer
}

func (s *stuck) Write(data []byte) (int, error) {
	<-s.free
	return s.text.Write(data)
}

// TestLogWriter: what an output takes late comes whole and in order, what was too much is counted, and nobody waits.
func TestLogWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{free: make(chan struct{})}
		var log *logWriter
		var told []int
		log = startLogWriter(out, func(lost int) {
			told = append(told, lost)
			fmt.Fprintln(log, "lost")
		})
		line := func(n int) string { return fmt.Sprintf("%s%d\n", strings.Repeat("x", 1<<10), n) }
		io.WriteString(log, "first\n")
		synctest.Wait() // it's being written
		var want strings.Builder
		want.WriteString("first\n")
		fitting := 0
		for ; want.Len()-len("first\n")+len(line(fitting)) <= maxUnwritten; fitting++ {
			want.WriteString(line(fitting))
			io.WriteString(log, line(fitting))
		}
		for n := range 7 {
			io.WriteString(log, line(fitting+n))
		}
		close(out.free)
		synctest.Wait()
		io.WriteString(log, "last\n")
		log.close()
		want.WriteString("lost\nlast\n")
		if len(told) != 1 || told[0] != 7 {
			t.Errorf("told of %v lost lines, want 7", told)
		}
		if out.text.String() != want.String() {
			t.Errorf("%d bytes were written, want %d", out.text.Len(), want.Len())
		}
	})
}

// TestLogWriterEnds: an output that takes nothing delays the end no longer than said.
func TestLogWriterEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{free: make(chan struct{})}
		log := startLogWriter(out, func(int) {})
		io.WriteString(log, "line\n")
		began := time.Now()
		log.close()
		if took := time.Since(began); took != lastWords {
			t.Errorf("the end took %v, want %v", took, lastWords)
		}
		close(out.free) // the bubble ends with its goroutines
	})
}

// TestServeWhenNobodyReadsItsLog: whoever has stopped to read standard error holds neither requests nor the end.
func TestServeWhenNobodyReadsItsLog(t *testing.T) {
	unread, stderr := io.Pipe()
	defer unread.Close()
	talk, stdout := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	code := make(chan int, 1)
	go func() { // ends with ctx
		code <- Run(ctx, []string{"serve", "--issuer", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--admin-listen", "",
			"--data", filepath.Join(t.TempDir(), "data"), "--resource", "petstore=pets:read"}, nil, stdout, stderr)
		stdout.Close()
	}()
	address := ""
	for lines := bufio.NewScanner(talk); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "jot serves http://127.0.0.1:1 on ")
	}
	if address == "" {
		t.Fatal("it ended before it served")
	}
	client := &http.Client{Timeout: time.Minute}
	for range 3 {
		answer, err := client.Get(address + "/v1/me")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("GET /v1/me: %s", answer.Status)
		}
	}
	cancel()
	select {
	case got := <-code:
		if got != exitOK {
			t.Errorf("exit code %d", got)
		}
	case <-time.After(time.Minute):
		t.Error("it doesn't end")
	}
}
