package sqlstore

import "github.com/jot-auth/jot/server/issuer"

const (
	selectConsent = `SELECT subject, client_id, resource, scope, given FROM consents WHERE subject = $1 AND client_id = $2 AND resource = $3`
	upsertConsent = `INSERT INTO consents (subject, client_id, resource, scope, given) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (subject, client_id, resource) DO UPDATE SET scope = excluded.scope, given = excluded.given`
	selectConsents   = `SELECT subject, client_id, resource, scope, given FROM consents WHERE subject = $1 ORDER BY client_id, resource`
	deleteConsentsTo = `DELETE FROM consents WHERE subject = $1 AND client_id = $2`
	deleteConsents   = `DELETE FROM consents WHERE subject = $1`
)

// Consent implements issuer.ConsentReader.
func (t *tx) Consent(subject, client, resource string) (issuer.Consent, error) {
	found, err := list(t, scanConsent, selectConsent, subject, client, resource)
	if err == nil && len(found) == 0 {
		return issuer.Consent{}, issuer.ErrNotFound
	}
	if err != nil {
		return issuer.Consent{}, err
	}
	return found[0], nil
}

// Consents implements issuer.ConsentReader.
func (t *tx) Consents(subject string) ([]issuer.Consent, error) {
	return list(t, scanConsent, selectConsents, subject)
}

func scanConsent(r row) (issuer.Consent, error) {
	var c issuer.Consent
	err := r.Scan(&c.Subject, &c.ClientID, &c.Resource, wordsField{&c.Scope}, timeField{&c.Given})
	return c, err
}

// PutConsent implements issuer.ConsentWriter.
func (t *tx) PutConsent(c issuer.Consent) error {
	return t.insert(upsertConsent, c.Subject, c.ClientID, c.Resource, words(c.Scope), millis(c.Given))
}

// DeleteConsentsTo implements issuer.ConsentWriter.
func (t *tx) DeleteConsentsTo(subject, client string) (int, error) {
	count, err := t.exec(deleteConsentsTo, subject, client)
	return int(count), err
}

// DeleteConsents implements issuer.ConsentWriter.
func (t *tx) DeleteConsents(subject string) error {
	_, err := t.exec(deleteConsents, subject)
	return err
}
