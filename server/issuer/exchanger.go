package issuer

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// settingExchanger is until when tokens may be good that a client got in exchange, in milliseconds: for ever while it
// may exchange.
func settingExchanger(client string) string { return "exchanger:" + client }

// noteExchanger remembers that a client may exchange tokens, and for how long it matters after that was taken from it.
func noteExchanger(tx Tx, c *Client) error {
	until, err := exchangesUntil(tx, c.ID)
	if err != nil {
		return err
	}
	may := len(c.ExchangeFrom) > 0
	if may == (until == math.MaxInt64) {
		return nil
	}
	if may {
		return tx.PutSetting(settingExchanger(c.ID), math.MaxInt64)
	}
	maxTTL, err1 := readMaxTTL(tx)
	now, err2 := tx.Now()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return tx.PutSetting(settingExchanger(c.ID), now.Add(maxTTL+ruleSlack).UnixMilli())
}

func exchangesUntil(r SettingReader, client string) (int64, error) {
	until, err := r.Setting(settingExchanger(client))
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return until, err
}

// noteExchangers does so for the clients of the configuration, of which nobody else knows what it said before.
func (i *Issuer) noteExchangers(tx Tx) error {
	for _, c := range i.config.Clients {
		if err := noteExchanger(tx, &c); err != nil {
			return err
		}
	}
	return nil
}

// refuseExchanged refuses also what was got in exchange for the tokens of a client that a rule is about. Nothing in a
// new token names that client, so every client that may exchange, or could when one of its tokens was issued that may
// still be good, loses its tokens of until then; what is still called for it gets again at once. Those that the
// configuration doesn't name any more are among them.
func (u *update) refuseExchanged(rule revocation.Rule, issued time.Time) error {
	if _, err := readMaxTTL(u); err != nil { // it comes before the clients' settings, as at the start
		return err
	}
	exchangers, err := u.Settings(settingExchanger(""))
	if err != nil {
		return err
	}
	of := settingExchanger(rule.Value)
	for _, e := range exchangers {
		if time.UnixMilli(e.Value).After(u.now) && e.Name != of {
			rule.Value = strings.TrimPrefix(e.Name, settingExchanger(""))
			u.refuseIssued(rule, issued)
		}
	}
	return nil
}

// refuseExchangesAhead refuses what a client that is gone got in exchange before the clock was set back: to a rule that
// is about the time of now it's of the future. Of an exchange nothing is stored; so the rule is about all that could be
// got for a token of the session that was used last, and a new client of that ID gets no tokens until then. It isn't
// about what was got for a client's own token: of that nothing is stored, either. It reads all sessions, and so comes
// after what concerns more people.
func (i *Issuer) refuseExchangesAhead(ctx context.Context, client string) error {
	var used time.Time
	var maxTTL time.Duration
	err := i.store.View(ctx, func(r Reader) error {
		until, err := exchangesUntil(r, client)
		if err != nil || until == 0 {
			return err
		}
		var err1, err2 error
		used, err1 = r.LatestUse()
		maxTTL, err2 = readMaxTTL(r)
		return errors.Join(err1, err2)
	})
	if err != nil || used.IsZero() {
		return err
	}
	// The client is gone, and exchanges nothing any more: what is used since the look was issued to others.
	return i.commit(ctx, func(u *update) error {
		if used.After(u.now) {
			u.refuseIssued(revocation.Rule{Kind: revocation.ClientIssuedAt, Value: client, Minimum: secondAfter(used.Add(maxTTL))}, used)
		}
		return nil
	})
}
