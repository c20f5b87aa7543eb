package feed

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	// snapshotTimeout bounds how long one snapshot is made.
	snapshotTimeout = time.Minute
	// snapshotInterval is how long a snapshot is good enough, while segments lead from it to the head.
	snapshotInterval = time.Minute
	// snapshotReach is how many rules may follow it for that: half as many as a reader takes in segments.
	snapshotReach = revocation.MaxSegments / 2 * revocation.SegmentRules

	maxKeyID = 128 // bytes
)

// snapshotName says which snapshot is meant. Everything that a snapshot depends on is in it, so that two replicas make
// equally good ones, and a cache may keep them for ever: the format, the log, how much of it, and the key that signs.
// Those that a clock which was ahead has made are the exception, of which caches have to be purged.
type snapshotName struct {
	format, log, key string
	sequence         uint64 // a multiple of revocation.SegmentRules
}

// location is where the snapshot is, for who asked for the newest one.
func (n snapshotName) location() string {
	return strconv.FormatUint(n.sequence, 10) + "?" + url.Values{"format": {n.format}, "log": {n.log}, "key": {n.key}}.Encode()
}

// snapshot is one that was made. It never changes.
type snapshot struct {
	snapshotName
	made time.Time // on this server's clock
	at   time.Time // on the issuer's: what had expired by then isn't in it
	body []byte
}

// snapshots makes each snapshot once, at most one at a time, and keeps two: the newest, and the one to which askers
// were sent just before. So they take twice the size of a snapshot, about 22 bytes a rule in force, and as much again
// twice over while one is made; and what was dropped while it's being sent stays until it is, a minute at most.
type snapshots struct {
	issuer Issuer
	making chan struct{} // holds an element while one is made

	mu   sync.Mutex
	kept []*snapshot // the newest last
}

func newSnapshots(i Issuer) *snapshots { return &snapshots{issuer: i, making: make(chan struct{}, 1)} }

// newest returns a snapshot from which segments lead to the head, made now if need be.
func (s *snapshots) newest(ctx context.Context) (*snapshot, error) {
	return s.make(ctx, func(head revocation.Head, last *snapshot) (snapshotName, bool) {
		name := s.name(head)
		name.sequence = head.Sequence / revocation.SegmentRules * revocation.SegmentRules
		fresh := last != nil && last.log == name.log && last.key == name.key && last.sequence <= head.Sequence &&
			(last.sequence == name.sequence || time.Since(last.made) < snapshotInterval && head.Sequence-last.sequence <= snapshotReach)
		return name, !fresh
	})
}

// named returns the snapshot of a name: one that is kept, or one that another replica has made and this one hasn't yet.
// Else it's nil.
func (s *snapshots) named(ctx context.Context, name snapshotName) (*snapshot, error) {
	if found := s.find(name); found != nil {
		return found, nil
	}
	_, err := s.make(ctx, func(head revocation.Head, last *snapshot) (snapshotName, bool) {
		current := s.name(head)
		good := name.format == current.format && name.log == current.log && name.key == current.key && name.sequence <= head.Sequence && name.sequence%revocation.SegmentRules == 0 &&
			head.Sequence-name.sequence <= 2*snapshotReach
		return name, good && (last == nil || last.log != name.log || last.key != name.key || last.sequence < name.sequence)
	})
	return s.find(name), err
}

func (s *snapshots) name(head revocation.Head) snapshotName {
	return snapshotName{format: revocation.SnapshotFormat, log: head.LogID, key: s.issuer.FeedSigner().KeyID()}
}

func (s *snapshots) find(name snapshotName) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kept := range s.kept {
		if kept.snapshotName == name {
			return kept
		}
	}
	return nil
}

// make waits until nobody else makes one, asks what is wanted now, makes that, and returns the newest one.
func (s *snapshots) make(ctx context.Context, wanted func(head revocation.Head, last *snapshot) (snapshotName, bool)) (*snapshot, error) {
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), snapshotTimeout) // others wait for it, too
	defer cancel()
	head, now, err := s.issuer.LogHeadNow(ctx)
	if err != nil {
		return nil, err
	}
	last := s.lastBefore(now)
	name, needed := wanted(head, last)
	if !needed {
		return last, nil
	}
	made, err := s.encode(ctx, name)
	if err != nil {
		return nil, err
	}
	s.keep(made)
	return made, nil
}

// lastBefore returns the newest one, and drops those that a clock which was ahead has made: readers take none that
// leaves out what hasn't expired yet.
func (s *snapshots) lastBefore(now time.Time) *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = slices.DeleteFunc(s.kept, func(kept *snapshot) bool { return kept.at.After(now) })
	if len(s.kept) == 0 {
		return nil
	}
	return s.kept[len(s.kept)-1]
}

func (s *snapshots) keep(made *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, made)
	if len(s.kept) > 2 {
		s.kept = []*snapshot{s.kept[1], s.kept[2]}
	}
}

// encode reads the rules one at a time, and keeps their encodings.
func (s *snapshots) encode(ctx context.Context, name snapshotName) (*snapshot, error) {
	var rules revocation.Snapshot
	head, now, err := s.issuer.ActiveRules(ctx, name.sequence, rules.Add)
	if err != nil {
		return nil, err
	}
	signer := s.issuer.FeedSigner()
	if head.LogID != name.log || signer.KeyID() != name.key {
		return nil, errRewound
	}
	body, err := rules.Encode(ctx, signer, s.issuer.URL(), revocation.Statement{Head: head, Time: now, MaxTTL: s.issuer.MaxTTL()})
	if err != nil {
		return nil, err
	}
	return &snapshot{name, time.Now(), now, body}, nil
}

// patient gives an asker time for the snapshot that is being made, and for the one that is made next.
func patient(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		web.GiveTime(w, 2*snapshotTimeout)
		next(w, r)
	}
}

// newestSnapshot sends the asker to the newest snapshot.
func (s *Server) newestSnapshot(w http.ResponseWriter, r *http.Request) {
	s.sendToNewest(w, r, "snapshot/")
}

func (s *Server) sendToNewest(w http.ResponseWriter, r *http.Request, folder string) {
	newest, err := s.snapshots.newest(r.Context())
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.NoStore(w)
	w.Header().Set("Location", folder+newest.location()) // relative, since the way here may have begun elsewhere
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// snapshot answers with the snapshot that is named, and sends who asks for one that isn't to be had to the newest one.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	name, err := parseSnapshotName(r)
	if err != nil {
		web.WriteProblem(w, web.NewProblem(http.StatusBadRequest, err.Error()))
		return
	}
	found, err := s.snapshots.named(r.Context(), name)
	switch {
	case err != nil && !errors.Is(err, issuer.ErrSwept):
		web.Fail(w, r, err)
	case found == nil:
		s.sendToNewest(w, r, "")
	default:
		s.download(w, r, revocation.SnapshotType, found.body)
	}
}

// parseSnapshotName reads the sequence from the path, and log and key from the query, with the format, which servers of
// format 1 didn't name.
func parseSnapshotName(r *http.Request) (snapshotName, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	formats := query["format"]
	if err != nil || len(query["log"]) != 1 || len(query["key"]) != 1 || len(formats) > 1 || len(query) != 2+len(formats) {
		return snapshotName{}, errors.New("log and key are needed, each once, with the format, and nothing else")
	}
	sequence, err := revocation.ParseSequence(r.PathValue("sequence"))
	name := snapshotName{query.Get("format"), query.Get("log"), query.Get("key"), sequence}
	if err != nil || name.log == "" || len(name.log) > maxLogID || name.key == "" || len(name.key) > maxKeyID {
		return snapshotName{}, errors.New("a snapshot is named by a sequence number, the log's ID and that of the feed's key")
	}
	return name, nil
}
