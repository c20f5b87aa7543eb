package issuer

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/jot-auth/jot"
)

// SubjectFilter says which subjects a list holds; the zero value is all.
type SubjectFilter struct {
	Disabled *bool // nil: both
}

// SessionFilter says which sessions a list holds; the zero value is all.
type SessionFilter struct {
	Subject  string // "": of every subject
	ClientID string // "": of every client
	Live     bool   // only those that can be refreshed
}

// EventFilter says which events a list holds; the zero value is all.
type EventFilter struct {
	Kind    EventKind // "": every kind
	Subject string    // whom it is about; "": whoever it is
	Since   time.Time // not before; zero: from the first
	Until   time.Time // before; zero: to the last
}

// KeyFilter says which keys a list holds; the zero value is all.
type KeyFilter struct {
	Purpose   Purpose       // "": every purpose
	State     KeyState      // "": every state
	Algorithm jot.Algorithm // "": every one, and root keys, which have none
}

// Subjects returns a page of subjects, newest first, and where the next page begins, "" after the last. It fails with
// an *InputError for a page that can't be.
func (i *Issuer) Subjects(ctx context.Context, f SubjectFilter, p Page) (subjects []Subject, next string, err error) {
	return listed(ctx, i, p, func(r Reader, after Position, limit int) ([]Subject, error) { return r.Subjects(f, after, limit) },
		func(s Subject) string { return Position{s.Created, s.ID}.String() })
}

// SubjectsByID returns the subjects of these IDs, without those that don't exist.
func (i *Issuer) SubjectsByID(ctx context.Context, ids []string) ([]Subject, error) {
	var found []Subject
	err := i.store.View(ctx, func(r Reader) error {
		found = nil
		for _, id := range ids {
			s, err := findSubject(r, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			found = append(found, s)
		}
		return nil
	})
	return found, err
}

// Sessions returns a page of sessions, newest first, and where the next page begins, "" after the last. It fails with
// an *InputError for a page that can't be.
func (i *Issuer) Sessions(ctx context.Context, f SessionFilter, p Page) (sessions []Session, next string, err error) {
	return listed(ctx, i, p, func(r Reader, after Position, limit int) ([]Session, error) {
		var live time.Time
		if f.Live {
			now, err := r.Now()
			if err != nil {
				return nil, err
			}
			live = now
		}
		found, err := r.Sessions(f, live, after, limit)
		if err != nil {
			return nil, err
		}
		return found, applyEndings(r, found)
	}, func(s Session) string { return Position{s.Created, s.ID}.String() })
}

// applyEndings lets sessions know of what their rows may not say yet.
func applyEndings(r SubjectReader, sessions []Session) error {
	endings := make(map[string]Ending)
	for n := range sessions {
		s := &sessions[n]
		if _, known := endings[s.Subject]; !known {
			subject, err := r.Subject(s.Subject)
			if err != nil {
				return err
			}
			endings[s.Subject] = subject.Ending
		}
		endings[s.Subject].applyTo(s)
	}
	return nil
}

// RecentEvents returns a page of events, newest first, and where the next page begins, "" after the last. It fails with
// an *InputError for a page that can't be.
func (i *Issuer) RecentEvents(ctx context.Context, f EventFilter, p Page) (events []Event, next string, err error) {
	return listed(ctx, i, p, func(r Reader, after Position, limit int) ([]Event, error) {
		before, err := eventID(after)
		if err != nil {
			return nil, err
		}
		return r.EventsBefore(f, before, limit)
	}, func(e Event) string { return Position{e.Time, strconv.FormatUint(e.ID, 10)}.String() })
}

// Events returns up to limit events with an ID above after, oldest first: the way to read all of them.
func (i *Issuer) Events(ctx context.Context, f EventFilter, after uint64, limit int) ([]Event, error) {
	var events []Event
	err := i.store.View(ctx, func(r Reader) (err error) {
		events, err = r.Events(f, after, limit)
		return err
	})
	return events, err
}

func eventID(p Position) (uint64, error) {
	if p.ID == "" {
		return 0, nil
	}
	id, err := strconv.ParseUint(p.ID, 10, 63)
	if err != nil || id == 0 {
		return 0, errPosition
	}
	return id, nil
}

// listed reads a page and one entry more, which tells that there is another page.
func listed[T any](ctx context.Context, i *Issuer, p Page, read func(Reader, Position, int) ([]T, error), at func(T) string) (page []T, next string, err error) {
	after, err := parsePosition(p.After)
	if err != nil {
		return nil, "", err
	}
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	err = i.store.View(ctx, func(r Reader) (err error) {
		page, err = read(r, after, size+1)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	page, next = turn(page, size, at)
	return page, next, nil
}

// ListKeys returns a page of the keys that there ever were, newest first, and where the next page begins, "" after the
// last. It fails with an *InputError for a page or a filter that can't be.
func (i *Issuer) ListKeys(ctx context.Context, f KeyFilter, p Page) (keys []Key, next string, err error) {
	if err := f.check(); err != nil {
		return nil, "", err
	}
	at := func(k Key) Position { return Position{k.Created, k.ID} }
	return listed(ctx, i, p, func(r Reader, after Position, limit int) ([]Key, error) {
		all, err := r.Keys() // they are few
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(k Key) bool { return !f.matches(k) || after != (Position{}) && at(k).compare(after) <= 0 })
		slices.SortFunc(all, func(a, b Key) int { return at(a).compare(at(b)) })
		return all[:min(limit, len(all))], nil
	}, func(k Key) string { return at(k).String() })
}

func (f KeyFilter) check() error {
	switch f.Purpose {
	case "", PurposeAccess, PurposeFeed, PurposeRefresh:
	default:
		return &InputError{"purpose", "must be access, feed or refresh"}
	}
	switch f.State {
	case "", KeyNext, KeyActive, KeyRetiring, KeyRetired, KeyRevoked:
	default:
		return &InputError{"state", "must be next, active, retiring, retired or revoked"}
	}
	if checkAlgorithm(f.Algorithm) != nil {
		return &InputError{"alg", "must be ES256, RS256 or EdDSA"}
	}
	return nil
}

func (f KeyFilter) matches(k Key) bool {
	return (f.Purpose == "" || f.Purpose == k.Purpose) && (f.State == "" || f.State == k.State) && (f.Algorithm == "" || f.Algorithm == k.Algorithm)
}

// Keys returns every key that there ever was, in the order of their making.
func (i *Issuer) Keys(ctx context.Context) ([]Key, error) {
	var keys []Key
	err := i.store.View(ctx, func(r Reader) (err error) {
		keys, err = r.Keys()
		return err
	})
	return keys, err
}
