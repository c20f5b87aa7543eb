package issuer

import (
	"errors"
	"fmt"
	"log/slog"
)

// moved is the URL of before, where a server starts over a database that was served under another one; "": it's the
// same, or there was none.
type moved string

// noteURL remembers the URL in the database, and an event where it's another one.
func (i *Issuer) noteURL(tx Tx) (moved, error) {
	before, err := tx.URL()
	if err == nil && before == i.config.URL {
		return "", nil
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	if err := tx.PutURL(i.config.URL); err != nil || before == "" {
		return "", err
	}
	now, err := tx.Now()
	if err != nil {
		return "", err
	}
	return moved(before), tx.InsertEvent(Event{Time: now, Kind: EventIssuerMoved, Detail: fmt.Sprintf("from %s to %s", before, i.config.URL)})
}

// warn says what another URL means.
func (m moved) warn(logger *slog.Logger, now string) {
	if m == "" {
		return
	}
	logger.Warn("the issuer's URL isn't the one of before: tokens and sessions of before aren't good any more, so everybody has to log in again; verifiers and clients refuse the new tokens until they are told the new URL, "+
		"and passkeys open nothing under another host name. If this is a mistake, put the old URL back, and the sessions of before go on", slog.String("before", string(m)), slog.String("now", now))
}
