package sqlstore

import (
	"encoding/json"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	clientColumns = `id, name, scopes, resources, first_party, access_ttl, idle_ttl, absolute_ttl, access_type, algorithm, secret_hash, created,
			redirect_uris, post_logout_redirect_uris, backchannel_logout_uri, key_set, require_dpop, exchange_from, device_grant`

	selectClient  = `SELECT ` + clientColumns + ` FROM clients WHERE id = $1`
	selectClients = `SELECT ` + clientColumns + ` FROM clients WHERE id > $1 ORDER BY id LIMIT $2`
	insertClient  = `INSERT INTO clients (` + clientColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	updateClient = `UPDATE clients SET name = $1, scopes = $2, resources = $3, first_party = $4, access_ttl = $5, idle_ttl = $6,
			absolute_ttl = $7, access_type = $8, algorithm = $9, secret_hash = $10, redirect_uris = $11,
			post_logout_redirect_uris = $12, backchannel_logout_uri = $13, key_set = $14, require_dpop = $15, exchange_from = $16, device_grant = $17
		WHERE id = $18`
	deleteClient = `DELETE FROM clients WHERE id = $1`
)

// Client implements issuer.ClientReader.
func (t *tx) Client(id string) (issuer.Client, error) {
	if err := t.shareConfiguration(); err != nil {
		return issuer.Client{}, err
	}
	return peek(t, scanClient, selectClient, id)
}

// Clients implements issuer.ClientReader.
func (t *tx) Clients(after string, limit int) ([]issuer.Client, error) {
	if err := t.shareConfiguration(); err != nil {
		return nil, err
	}
	return list(t, scanClient, selectClients, after, limit)
}

func scanClient(r row) (issuer.Client, error) {
	var c issuer.Client
	err := r.Scan(&c.ID, &c.Name, wordsField{&c.Scopes}, textsField{&c.Resources}, flagField{&c.FirstParty}, durationField{&c.AccessTTL},
		durationField{&c.IdleTTL}, durationField{&c.AbsoluteTTL}, &c.AccessType, &c.Algorithm, &c.SecretHash, timeField{&c.Created},
		textsField{&c.RedirectURIs}, textsField{&c.PostLogoutRedirectURIs}, &c.BackchannelLogoutURI, keySetField{&c.KeySet},
		flagField{&c.RequireDPoP}, textsField{&c.ExchangeFrom}, flagField{&c.DeviceGrant})
	if len(c.SecretHash) == 0 {
		c.SecretHash = nil
	}
	return c, err
}

// InsertClient implements issuer.ClientWriter.
func (t *tx) InsertClient(c issuer.Client) error {
	if err := t.lock(lockConfiguration); err != nil {
		return err
	}
	return t.insert(insertClient, c.ID, c.Name, words(c.Scopes), texts(c.Resources), flag(c.FirstParty), c.AccessTTL.Milliseconds(),
		c.IdleTTL.Milliseconds(), c.AbsoluteTTL.Milliseconds(), c.AccessType, string(c.Algorithm), blob(c.SecretHash), millis(c.Created),
		texts(c.RedirectURIs), texts(c.PostLogoutRedirectURIs), c.BackchannelLogoutURI, keySet(c.KeySet), flag(c.RequireDPoP), texts(c.ExchangeFrom), flag(c.DeviceGrant))
}

// UpdateClient implements issuer.ClientWriter.
func (t *tx) UpdateClient(c issuer.Client) error {
	if err := t.lock(lockConfiguration); err != nil {
		return err
	}
	return t.change(updateClient, c.Name, words(c.Scopes), texts(c.Resources), flag(c.FirstParty), c.AccessTTL.Milliseconds(),
		c.IdleTTL.Milliseconds(), c.AbsoluteTTL.Milliseconds(), c.AccessType, string(c.Algorithm), blob(c.SecretHash),
		texts(c.RedirectURIs), texts(c.PostLogoutRedirectURIs), c.BackchannelLogoutURI, keySet(c.KeySet), flag(c.RequireDPoP), texts(c.ExchangeFrom), flag(c.DeviceGrant), c.ID)
}

// DeleteClient implements issuer.ClientWriter.
func (t *tx) DeleteClient(id string) error {
	if err := t.lock(lockConfiguration); err != nil {
		return err
	}
	return t.change(deleteClient, id)
}

// keySet is a set of public keys as JSON; nil is empty.
func keySet(keys *jot.KeySet) string {
	if keys == nil {
		return ""
	}
	text, err := json.Marshal(keys)
	if err != nil {
		panic(err) // it never fails on public keys
	}
	return string(text)
}

// keySetField scans a set of public keys.
type keySetField struct{ keys **jot.KeySet }

func (f keySetField) Scan(value any) (err error) {
	*f.keys = nil
	if text, _ := value.(string); text != "" {
		*f.keys, err = jot.ParseKeySet([]byte(text), jot.ParseOptions{})
	}
	return err
}
