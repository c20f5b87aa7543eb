package sqlstore

import "github.com/jot-auth/jot/server/issuer"

// Foresee implements issuer.Foreseer. What has a lock is locked in the order of the locks, here as elsewhere.
func (t *tx) Foresee(f issuer.Foresight) error {
	if f == (issuer.Foresight{}) {
		return nil
	}
	t.store.dialect.nowAhead(t)
	t.ahead(t.holding(selectCode), f.Code)
	t.ahead(t.holding(selectSignInOfCode), f.Code)
	t.ahead(t.holding(selectSignInByHash), f.SignIn)
	t.ahead(t.holding(selectSubject), f.Subject)
	t.ahead(t.holding(selectSession), f.Session)
	if f.Client != "" || f.Resource != "" {
		if err := t.shareConfiguration(); err != nil {
			return err
		}
	}
	t.ahead(selectClient, f.Client)
	t.ahead(selectResource, f.Resource)
	return t.fault(t.session.fetch())
}

// ahead asks for a row, by a text that isn't "".
func (t *tx) ahead(query, arg string) {
	if arg != "" && storable(arg) {
		t.session.ahead(query, []any{arg})
	}
}
