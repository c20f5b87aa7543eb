package sqlstore

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// The advice is about permissions alone. This needs no file that is refused: root, whom no mode stops, runs it too.
func TestAdviceAboutOwners(t *testing.T) {
	refused := &fs.PathError{Op: "open", Path: "/srv/jot/jot.db-wal", Err: fs.ErrPermission}
	err := notOurs("/srv/jot/jot.db", refused)
	for _, want := range []string{refused.Error(), "uid", "write into /srv/jot:", "run chown", " /srv/jot/jot.db*,"} {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v doesn't say %q", err, want)
		}
	}
	if other := errors.New("is a directory"); notOurs("/srv/jot/jot.db", other) != other {
		t.Error("what is no matter of permissions gets their advice")
	}
}
