package revocation

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

// A reader that starts anew goes on from where the one before was: a log that went back meanwhile is refused, and a key
// that was revoked stays so.
func TestHistoryOutlivesTheProcess(t *testing.T) {
	for name, rewind := range map[string]struct {
		log  string
		told string
	}{"the same log, shorter": {"log-1", "rolled back"}, "another log": {"log-2", "run 'jot recover'"}} {
		bubble(t, func(t *testing.T, f *fakeFeed) {
			o := f.options()
			o.HistoryFile = filepath.Join(t.TempDir(), "history.json")
			f.revoke(sessionRule("a"), Rule{Kind: Key, Issuer: testIssuer, Value: "stolen"})
			first := watch(t, o)
			time.Sleep(3 * time.Second)
			f.revoke(sessionRule("b"))
			time.Sleep(100 * time.Millisecond) // too soon to be saved but by Close
			first.says("b", jot.Revoked)
			first.Close()

			f.restore(rewind.log, sessionRule("a"))
			second := watch(t, o)
			time.Sleep(15 * time.Second)
			second.saysNothing()
			if told := second.told(); !strings.Contains(told, rewind.told) {
				t.Errorf("%s: %s", name, told)
			}
			second.Close()

			f.restore("log-3", refuseBefore(time.Now().Add(2*time.Second)))
			third := watch(t, o)
			defer third.Close()
			time.Sleep(5 * time.Second)
			facts := sessionFacts("any")
			third.says("any", jot.Current)
			facts.KeyID = "stolen"
			if got, err := third.CheckRevocation(t.Context(), facts); err != nil || got != jot.Revoked {
				t.Errorf("%s: a token of the stolen key: %v, %v", name, got, err)
			}
		})
	}
}

// A crash, after which nothing was saved but what had been, forgets a second at most.
func TestHistoryIsSavedOnTheWay(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		o := f.options()
		o.HistoryFile = filepath.Join(t.TempDir(), "history.json")
		r := watch(t, o)
		defer r.Close()
		f.revoke(sessionRule("a"))
		time.Sleep(2500 * time.Millisecond)
		f.revoke(sessionRule("b"))
		time.Sleep(2500 * time.Millisecond)
		saved, err := (&historyFile{path: o.HistoryFile, issuer: testIssuer}).load()
		if err != nil || saved.high.Sequence != 2 || saved.seen.MaxTTL != time.Hour {
			t.Errorf("%+v, %v", saved, err)
		}
		before := saved.seen.Time
		time.Sleep(62 * time.Second)
		if saved, err = (&historyFile{path: o.HistoryFile, issuer: testIssuer}).load(); err != nil || !saved.seen.Time.After(before.Add(50*time.Second)) {
			t.Errorf("a minute later: %v, %v", saved.seen.Time, err)
		}
	})
}

func TestHistoryFileRefuses(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		good := `{"issuer":"` + testIssuer + `","log_id":"log","sequence":1,"hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","time":1,"max_ttl":1}`
		for name, text := range map[string]string{
			"torn": good[:40], "doubled": strings.Replace(good, `{`, `{"sequence":2,`, 1), "another issuer": strings.Replace(good, testIssuer, otherIssuer, 1),
			"short hash": strings.Replace(good, "AAAA", "", 1), "no log": strings.Replace(good, `"log"`, `""`, 1),
			"a log of too long a name": strings.Replace(good, `"log"`, `"`+strings.Repeat("l", maxLogID+1)+`"`, 1), "no time": strings.Replace(good, `"time":1,`, ``, 1), "no life": strings.Replace(good, `,"max_ttl":1`, ``, 1),
			"the end of times": strings.Replace(good, `"time":1`, `"time":253402300800001`, 1), "a life of ages": strings.Replace(good, `"max_ttl":1`, `"max_ttl":9223372036854775807`, 1),
			"a key without a name": strings.Replace(good, `{`, `{"keys":[""],`, 1), "large": good + strings.Repeat(" ", maxHistoryFile),
		} {
			o := f.options()
			o.HistoryFile = filepath.Join(t.TempDir(), "history.json")
			if err := os.WriteFile(o.HistoryFile, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if r, err := NewReader(o); err == nil || r != nil || !strings.Contains(err.Error(), o.HistoryFile) {
				t.Errorf("%s: %v", name, err)
			}
		}
		o := f.options()
		o.HistoryFile = filepath.Join(t.TempDir(), "history.json")
		if err := os.WriteFile(o.HistoryFile, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(o)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	})
}

// The disk is asked at the first frame, then each second while the log grows and each minute while it doesn't, and at
// the end; whether it could or not.
func TestHistoryFileAsksTheDisk(t *testing.T) {
	at := func(sequence uint64) *history {
		head := Head{LogID: "log", Sequence: sequence}
		return &history{high: head, seen: Statement{Head: head, Time: time.Unix(1, 0), MaxTTL: time.Hour}, set: NewSet()}
	}
	dir := t.TempDir()
	good, bad := &historyFile{path: filepath.Join(dir, "history"), issuer: testIssuer}, &historyFile{path: filepath.Join(dir, "missing", "history"), issuer: testIssuer}
	for n, step := range []struct {
		sequence  uint64
		now       time.Duration
		last      bool
		good, bad bool // is it asked?
	}{
		{1, 0, false, true, true}, {1, time.Millisecond, false, false, false}, {2, 999 * time.Millisecond, false, false, false}, {2, time.Second, false, true, true},
		{2, 2 * time.Second, false, false, true}, {2, 60 * time.Second, false, false, true}, {2, 61 * time.Second, false, true, true}, {2, 61 * time.Second, true, true, true},
	} {
		h := at(step.sequence)
		if got := good.due(h, step.now, step.last); got != step.good {
			t.Errorf("step %d: the file is due: %v", n, got)
		}
		if err := good.save(h, step.now, step.last); err != nil {
			t.Error(err)
		}
		if err := bad.save(h, step.now, step.last); step.bad != (err != nil) {
			t.Errorf("step %d: where nothing can be written: %v", n, err)
		}
	}
}

// The keys in the file are this issuer's: of another one's, of the same name, nothing follows.
func TestHistoryFileKeepsItsIssuersKeys(t *testing.T) {
	f := &historyFile{path: filepath.Join(t.TempDir(), "history"), issuer: testIssuer}
	head := Head{LogID: "log", Sequence: 2}
	set := newSet(t, Rule{Kind: Key, Issuer: testIssuer, Value: "stolen"}, Rule{Kind: Key, Issuer: otherIssuer, Value: "1"})
	if err := f.save(&history{high: head, seen: Statement{Head: head, Time: time.Unix(1, 0), MaxTTL: time.Hour}, set: set}, 0, true); err != nil {
		t.Fatal(err)
	}
	h, err := f.load()
	if keys := sortedKeys(h); err != nil || len(keys) != 1 || keys[0] != "stolen" {
		t.Errorf("%v, %v", keys, err)
	}
}

// A log that was replaced stays replaced for whoever starts anew.
func TestHistoryFileKeepsReplacedLogs(t *testing.T) {
	f := &historyFile{path: filepath.Join(t.TempDir(), "history"), issuer: testIssuer}
	head := Head{LogID: "log-2", Sequence: 2}
	h := &history{high: head, seen: Statement{Head: head, Time: time.Unix(1, 0), MaxTTL: time.Hour}, set: NewSet(), retired: map[string]bool{"log-1": true}}
	if err := f.save(h, 0, true); err != nil {
		t.Fatal(err)
	}
	again, err := f.load()
	if err != nil || again.high != head {
		t.Fatalf("%+v, %v", again, err)
	}
	if err := again.check(Head{LogID: "log-1", Sequence: 9}); err == nil || !strings.Contains(err.Error(), "came back") {
		t.Error(err)
	}
}

// A fork below where the log had come is seen on the way there, from a snapshot that is older.
func TestForkAfterAnOlderSnapshot(t *testing.T) {
	bubble(t, func(t *testing.T, f *fakeFeed) {
		o := f.options()
		o.HistoryFile = filepath.Join(t.TempDir(), "history.json")
		a, b, c, d := sessionRule("a"), sessionRule("b"), sessionRule("c"), sessionRule("d")
		f.revoke(a, b, c)
		first := watch(t, o)
		time.Sleep(1500 * time.Millisecond)
		first.says("c", jot.Revoked)
		first.Close()
		f.restore("log-1", a, sessionRule("another"), c, d)
		f.do(func() {
			f.spoilSnapshot = func(s *Statement, _ []Rule) []Rule {
				s.Head = NewLog("log-1")
				return nil
			}
		})
		second := watch(t, o)
		defer second.Close()
		time.Sleep(15 * time.Second)
		second.saysNothing()
		if told := second.told(); !strings.Contains(told, "forked at or before 3") {
			t.Error(told)
		}
		f.restore("log-1", a, b, c, d)
		time.Sleep(15 * time.Second)
		second.says("d", jot.Revoked)
	})
}
