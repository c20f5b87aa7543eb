package jothttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// CursorHeader is on the answer of a jot server to a change that refuses tokens: the place of its revocation log,
	// "log_id:sequence", up to which a verifier has to know the rules.
	CursorHeader = "Jot-Cursor"

	// MinCursorHeader demands, with the value of a [CursorHeader], that the request is judged by rules at least that
	// new.
	MinCursorHeader = "Jot-Min-Cursor"
)

const (
	cursorWait = time.Second // for rules that are on their way
	maxLogID   = 128         // bytes
)

// Follower knows up to where revocation rules are in force: a *revocation.Reader.
type Follower interface {
	// AwaitSequence waits until the rules of a log, up to a sequence number, are in force. It fails with an error that
	// wraps jot.ErrUnavailable when the context ends first, as it does for another log than the one that is followed.
	AwaitSequence(ctx context.Context, logID string, sequence uint64) error
}

var (
	errBadCursor  = errors.New("jothttp: malformed " + MinCursorHeader)
	errNoFollower = errors.New("jothttp: " + MinCursorHeader + " without Options.Follower")
)

// minCursor is what a request demands.
type minCursor struct {
	logID    string
	sequence uint64
}

// readMinCursor reads the header; nil is a request without it.
func readMinCursor(h http.Header) (*minCursor, error) {
	fields := h.Values(MinCursorHeader)
	if len(fields) == 0 {
		return nil, nil
	}
	if len(fields) > 1 {
		return nil, fmt.Errorf("%w: %d of them: send one", errBadCursor, len(fields))
	}
	logID, digits, found := strings.Cut(fields[0], ":")
	sequence, err := strconv.ParseUint(digits, 10, 64)
	if !found || err != nil || strconv.FormatUint(sequence, 10) != digits || len(logID) > maxLogID || !isHTTPToken(logID) {
		return nil, fmt.Errorf("%w: it is a log's ID, a colon and a number", errBadCursor)
	}
	return &minCursor{logID, sequence}, nil
}

// await waits, for a second at most, until the rules that a request demands are in force.
func (g *guard) await(ctx context.Context, c *minCursor) error {
	if g.Follower == nil {
		return errNoFollower
	}
	ctx, cancel := context.WithTimeout(ctx, cursorWait)
	defer cancel()
	return g.Follower.AwaitSequence(ctx, c.logID, c.sequence)
}
