package sqlstore

import "github.com/jot-auth/jot/server/issuer"

const (
	selectBootstrap = `SELECT hash, expires FROM bootstrap WHERE one = $1`
	upsertBootstrap = `INSERT INTO bootstrap (one, hash, expires) VALUES (1, $1, $2)
		ON CONFLICT (one) DO UPDATE SET hash = excluded.hash, expires = excluded.expires`
)

// Bootstrap implements issuer.BootstrapReader.
func (t *tx) Bootstrap() (issuer.Bootstrap, error) {
	var b issuer.Bootstrap
	err := t.find(selectBootstrap, 1, hashField{&b.Hash}, timeField{&b.Expires})
	if err != nil {
		return issuer.Bootstrap{}, err
	}
	return b, nil
}

// PutBootstrap implements issuer.BootstrapWriter.
func (t *tx) PutBootstrap(b issuer.Bootstrap) error {
	return t.insert(upsertBootstrap, b.Hash[:], millis(b.Expires))
}
