package issuer

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jot-auth/jot/revocation"
)

// settingExchanger is until when tokens may be good that a client got in exchange, in milliseconds: for ever while it may exchange.
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

// refuseExchanged refuses also what was got in exchange for the tokens of a client that a rule is about. Nothing in a new token names that client, so every client that may
// exchange, or could when one of its tokens was issued that may still be good, loses its tokens of until then; what is still called for it gets again at once.
func (u *update) refuseExchanged(rule revocation.Rule, issued time.Time) error {
	clients := slices.Clone(u.issuer.config.Clients)
	for after := ""; ; after = clients[len(clients)-1].ID {
		stored, err := u.Clients(after, sweepBatch)
		if err != nil {
			return err
		}
		if clients = append(clients, stored...); len(stored) == 0 {
			break
		}
	}
	if _, err := readMaxTTL(u); err != nil { // it comes before the clients' settings, as at the start
		return err
	}
	of := rule.Value
	for _, c := range clients {
		until, err := exchangesUntil(u, c.ID)
		if err != nil {
			return err
		}
		if rule.Value = c.ID; time.UnixMilli(until).After(u.now) && c.ID != of {
			u.refuseIssued(rule, issued)
		}
	}
	return nil
}
