package together_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jot-auth/jot/server/internal/together"
)

var errSpoilt = errors.New("spoilt on purpose")

// behind lets callers wait in a line, in their order, while somebody else has the turn, and returns what each gets, and
// what was done in each turn that followed.
func behind(t *testing.T, l *together.Line[string], callers ...string) (outcomes []error, turns [][]string) {
	t.Helper()
	run := l.Run
	l.Run = func(work []string, outcomes []error) error {
		turns = append(turns, slices.Clone(work))
		return run(work, outcomes)
	}
	l.Turn = make(chan struct{}, 1)
	l.Turn <- struct{}{}
	outcomes = make([]error, len(callers))
	for n, work := range callers {
		go func() {
			leave, err := l.Join(t.Context(), work)
			leave()
			outcomes[n] = err
		}()
		synctest.Wait()
	}
	<-l.Turn
	synctest.Wait()
	return outcomes, turns
}

func TestEachHasItsOwnOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(work []string, outcomes []error) error
		want []error
	}{
		"done":           {func([]string, []error) error { return nil }, []error{nil, nil}},
		"one is spoilt":  {func(_ []string, outcomes []error) error { outcomes[1] = errSpoilt; return nil }, []error{nil, errSpoilt}},
		"all are spoilt": {func([]string, []error) error { return errSpoilt }, []error{errSpoilt, errSpoilt}},
		"a panic":        {func([]string, []error) error { panic("on purpose") }, []error{together.ErrApart, together.ErrApart}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcomes, turns := behind(t, &together.Line[string]{Run: test.run}, "first", "second")
				if !slices.Equal(outcomes, test.want) || len(turns) != 1 {
					t.Errorf("outcomes %v in %d turns, want %v in one", outcomes, len(turns), test.want)
				}
			})
		})
	}
}

// A turn has room for 32, and for one of each key; the others have the next ones, and nobody is overtaken by who has
// the same key.
func TestWhoSharesATurn(t *testing.T) {
	done := func([]string, []error) error { return nil }
	synctest.Test(t, func(t *testing.T) {
		callers := strings.Split(strings.Repeat("a", 33), "")
		if outcomes, turns := behind(t, &together.Line[string]{Run: done}, callers...); len(turns) != 2 || len(turns[0]) != 32 || errors.Join(outcomes...) != nil {
			t.Errorf("%d callers: outcomes %v in the turns %v", len(callers), outcomes, turns)
		}
		key := func(work string) string { return strings.TrimSuffix(strings.TrimSuffix(work, "1"), "2") }
		_, turns := behind(t, &together.Line[string]{Run: done, Key: key}, "a1", "b1", "a2", "1", "2")
		want := [][]string{{"a1", "b1", "1", "2"}, {"a2"}}
		if !slices.EqualFunc(turns, want, slices.Equal) {
			t.Errorf("turns %v, want %v", turns, want)
		}
	})
}

// TestTheLineIsBounded: who finds it full is told so, and who leaves makes room and has nothing done.
func TestTheLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &together.Line[string]{Turn: make(chan struct{}, 1), Room: 1, Run: func(work []string, _ []error) error {
			if !slices.Equal(work, []string{"second"}) {
				t.Errorf("%v is done", work)
			}
			return nil
		}}
		join := func(ctx context.Context, work string) <-chan error {
			joined := make(chan error, 1)
			go func() {
				leave, err := l.Join(ctx, work)
				leave()
				joined <- err
			}()
			synctest.Wait()
			return joined
		}
		l.Turn <- struct{}{}
		ctx, cancel := context.WithCancel(t.Context())
		first := join(ctx, "first")
		if err := <-join(t.Context(), "one too many"); err != together.ErrFull {
			t.Errorf("a full line: %v, want ErrFull", err)
		}
		cancel()
		if err := <-first; !errors.Is(err, context.Canceled) || l.Waiting() != 0 {
			t.Errorf("who left: %v, and %d wait", err, l.Waiting())
		}
		second := join(t.Context(), "second")
		<-l.Turn
		if err := <-second; err != nil {
			t.Error(err)
		}
	})
}
