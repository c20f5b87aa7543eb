package running

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// Letters are the mail that a server has sent.
type Letters struct {
	mu   sync.Mutex
	text string
	came chan struct{}
}

// Write takes a letter as the server prints it.
func (l *Letters) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(text)
	select {
	case l.came <- struct{}{}:
	default:
	}
	return len(text), nil
}

// Code waits for a letter to an address that has a code with a prefix, such as jpt_, and returns the code, once.
func (l *Letters) Code(t *testing.T, to, prefix string) string {
	t.Helper()
	for {
		if code := l.find(to, prefix); code != "" {
			return code
		}
		select {
		case <-l.came:
		case <-time.After(time.Minute):
			t.Fatalf("no letter with a code %s… came to %s", prefix, to)
		}
	}
}

func (l *Letters) find(to, prefix string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	form := regexp.MustCompile(regexp.QuoteMeta(prefix) + `[A-Za-z0-9_-]{43}`)
	for letter := range strings.SplitSeq(l.text, "A letter to ") {
		if code := form.FindString(letter); code != "" && strings.HasPrefix(letter, to+":") {
			l.text = strings.Replace(l.text, code, "", 1)
			return code
		}
	}
	return ""
}
