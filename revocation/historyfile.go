package revocation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jot-auth/jot/internal/privatefile"
	"github.com/jot-auth/jot/strictjson"
)

const (
	maxHistoryFile = 1 << 20
	saveEvery      = time.Second // while the log grows
	saveIdle       = time.Minute // while it doesn't
)

// historyFile is where a reader's history outlives its process. The zero value is nowhere. Only the reader's goroutine
// writes it.
type historyFile struct {
	path, issuer string
	saved        Head
	asked        bool          // for the disk
	at           time.Duration // when last, on the monotonic clock
}

// historyRecord is the content of the file.
type historyRecord struct {
	Issuer   string   `json:"issuer"`
	LogID    string   `json:"log_id"`
	Sequence uint64   `json:"sequence"`
	Hash     []byte   `json:"hash"`
	Time     int64    `json:"time"`    // of the issuer when it was proven fresh last, Unix milliseconds
	MaxTTL   int64    `json:"max_ttl"` // of its tokens, milliseconds
	Retired  []string `json:"retired,omitempty"`
	Keys     []string `json:"keys,omitempty"` // that are revoked
}

// load returns what the file remembers; without a file, nothing.
func (f *historyFile) load() (history, error) {
	empty := history{retired: make(map[string]bool)}
	if f.path == "" {
		return empty, nil
	}
	text, err := privatefile.Read(f.path, maxHistoryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return history{}, fmt.Errorf("revocation: history: %w", err)
	}
	var r historyRecord
	if err := strictjson.Unmarshal(text, &r); err != nil || !r.sound() {
		return history{}, fmt.Errorf("revocation: the file %s holds no history: delete it if you trust the feed as it is now", f.path)
	}
	if r.Issuer != f.issuer {
		return history{}, fmt.Errorf("revocation: the file %s holds the history of another issuer's log: name another file", f.path)
	}
	h, err := r.history(empty)
	if err != nil {
		return history{}, fmt.Errorf("revocation: the file %s holds no history: %w", f.path, err)
	}
	return h, nil
}

// sound reports whether a statement may have said so. One without a time or a life of tokens would let any log take the
// place of this one.
func (r *historyRecord) sound() bool {
	return r.LogID != "" && len(r.LogID) <= maxLogID && len(r.Hash) == len(Head{}.Hash) &&
		r.Time > 0 && r.Time <= maxTime && r.MaxTTL > 0 && r.MaxTTL <= maxLife.Milliseconds()
}

func (r *historyRecord) history(h history) (history, error) {
	h.high = Head{LogID: r.LogID, Sequence: r.Sequence, Hash: [32]byte(r.Hash)}
	h.seen = Statement{Head: h.high, Time: time.UnixMilli(r.Time), MaxTTL: time.Duration(r.MaxTTL) * time.Millisecond}
	for _, id := range r.Retired {
		h.retired[id] = true
	}
	h.set = NewSet()
	for _, kid := range r.Keys {
		if err := h.set.Apply(Rule{Kind: Key, Issuer: r.Issuer, Value: kid}); err != nil {
			return history{}, err
		}
	}
	return h, nil
}

// due reports whether there is something to save that wasn't saved just now.
func (f *historyFile) due(h *history, now time.Duration, last bool) bool {
	wait := saveEvery
	switch {
	case f.path == "" || h.seen.LogID == "" || h.set == nil:
		return false
	case h.high == f.saved:
		wait = saveIdle
	}
	return last || !f.asked || now-f.at >= wait
}

// save writes the history if that's due.
func (f *historyFile) save(h *history, now time.Duration, last bool) error {
	if !f.due(h, now, last) {
		return nil
	}
	r := historyRecord{
		Issuer: f.issuer, LogID: h.high.LogID, Sequence: h.high.Sequence, Hash: h.high.Hash[:],
		Time: h.seen.Time.UnixMilli(), MaxTTL: h.seen.MaxTTL.Milliseconds(),
	}
	for id := range h.retired {
		r.Retired = append(r.Retired, id)
	}
	for _, rule := range h.set.revokedKeys() {
		if rule.Issuer == f.issuer {
			r.Keys = append(r.Keys, rule.Value)
		}
	}
	slices.Sort(r.Retired)
	slices.Sort(r.Keys)
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f.asked, f.at = true, now // also after a failure: the disk isn't asked for each frame
	if len(text) >= maxHistoryFile {
		return fmt.Errorf("revocation: the history needs more than %d bytes, since too many keys are revoked", maxHistoryFile)
	}
	if err := privatefile.Write(f.path, append(text, '\n')); err != nil {
		return fmt.Errorf("revocation: the history can't be written: %w", err)
	}
	f.saved = h.high
	return nil
}
