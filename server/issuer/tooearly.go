package issuer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jot-auth/jot"
)

// maxEarly bounds how long issuing waits for the time of a rule to pass.
const maxEarly = 3 * time.Second

// errTooEarly is a token that would be refused from its first moment, because a rule about older tokens counts whole
// seconds and a little more.
var errTooEarly = errors.New("issuer: a rule refuses tokens of this moment")

// checkEarly fails with errTooEarly when the rules about the time of issue (min_iat) refuse what is issued now. They
// are those that this server knows: one that doesn't know of a rule yet issues what is refused, which is safe.
func (m moment) checkEarly(subject, client string, issued time.Time) error {
	verdict := m.issuer.rules.Verdict(&jot.RevocationFacts{
		Issuer: []byte(m.issuer.config.URL), Subject: []byte(subject), ClientID: []byte(client),
		IssuedAt: issued.Unix(), HasIssuedAt: true, Generation: math.MaxUint64,
	})
	if verdict == jot.Revoked {
		return errTooEarly
	}
	return nil
}

// errOvertaken is a subject that somebody else has made since the transaction looked for it: the next one finds it.
var errOvertaken = errors.New("issuer: the subject was made meanwhile")

// inTime runs a transaction, again when it was overtaken, and when it was too early, after the next second has begun.
// Who waits holds no transaction.
func inTime(ctx context.Context, transact func() (now time.Time, err error)) error {
	began := time.Now()
	for {
		now, err := transact()
		overtaken := errors.Is(err, errOvertaken)
		if !overtaken && !errors.Is(err, errTooEarly) {
			return err
		}
		if time.Since(began) > maxEarly {
			return fmt.Errorf("%w: %w: was the clock set back?", ErrBusy, err)
		}
		if overtaken {
			continue
		}
		if err := pause(ctx, now.Truncate(time.Second).Add(time.Second).Sub(now)); err != nil {
			return err
		}
	}
}
