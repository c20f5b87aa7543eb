package revocation

import (
	"context"

	"github.com/jot-auth/jot"
)

// feedKeys refuses the statements of a feed key that a rule revokes, from the frame on that brings the rule: whoever
// stole the key gains nothing from a reader whose copy of the key set is older than that. Only the reader's goroutine
// asks it.
type feedKeys struct{ reader *Reader }

// CheckRevocation implements jot.RevocationChecker. No rule but those about keys is about a statement.
func (k feedKeys) CheckRevocation(_ context.Context, f *jot.RevocationFacts) (jot.Verdict, error) {
	for _, set := range k.reader.knownSets() {
		if set.few.Load().revokesKey(f) {
			return jot.Revoked, nil
		}
	}
	return jot.Current, nil
}

// knownSets are the rules of the stream and those that were proven fresh last, as far as there are any.
func (r *Reader) knownSets() (sets []*Set) {
	if r.cursor != nil {
		sets = append(sets, r.cursor.set)
	}
	if r.history.set != nil {
		sets = append(sets, r.history.set)
	}
	return sets
}
