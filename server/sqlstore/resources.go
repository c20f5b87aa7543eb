package sqlstore

import (
	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	selectResource  = `SELECT audience, name, scopes, access_ttl, algorithm, created FROM resources WHERE audience = $1`
	selectResources = `SELECT audience, name, scopes, access_ttl, algorithm, created FROM resources
		WHERE audience > $1 ORDER BY audience LIMIT $2`
	insertResource = `INSERT INTO resources (audience, name, scopes, access_ttl, algorithm, created) VALUES ($1, $2, $3, $4, $5, $6)`
	updateResource = `UPDATE resources SET name = $1, scopes = $2, access_ttl = $3, algorithm = $4 WHERE audience = $5`
	deleteResource = `DELETE FROM resources WHERE audience = $1`

	selectAlgorithms = `SELECT algorithm FROM clients WHERE algorithm <> '' UNION SELECT algorithm FROM resources WHERE algorithm <> ''`
)

// Resource implements issuer.ResourceReader.
func (t *tx) Resource(audience string) (issuer.Resource, error) {
	if err := t.shareConfiguration(); err != nil {
		return issuer.Resource{}, err
	}
	return peek(t, scanResource, selectResource, audience)
}

// Resources implements issuer.ResourceReader.
func (t *tx) Resources(after string, limit int) ([]issuer.Resource, error) {
	if err := t.shareConfiguration(); err != nil {
		return nil, err
	}
	return list(t, scanResource, selectResources, after, limit)
}

func scanResource(r row) (issuer.Resource, error) {
	var found issuer.Resource
	err := r.Scan(&found.Audience, &found.Name, wordsField{&found.Scopes}, durationField{&found.AccessTTL}, &found.Algorithm, timeField{&found.Created})
	return found, err
}

// Algorithms implements issuer.ResourceReader.
func (t *tx) Algorithms() ([]jot.Algorithm, error) {
	if err := t.shareConfiguration(); err != nil {
		return nil, err
	}
	return list(t, func(r row) (a jot.Algorithm, err error) {
		err = r.Scan(&a)
		return a, err
	}, selectAlgorithms)
}

// InsertResource implements issuer.ResourceWriter.
func (t *tx) InsertResource(r issuer.Resource) error {
	if err := t.lock(lockConfiguration); err != nil {
		return err
	}
	return t.insert(insertResource, r.Audience, r.Name, words(r.Scopes), r.AccessTTL.Milliseconds(), string(r.Algorithm), millis(r.Created))
}

// UpdateResource implements issuer.ResourceWriter.
func (t *tx) UpdateResource(r issuer.Resource) error {
	if err := t.lock(lockConfiguration); err != nil {
		return err
	}
	return t.change(updateResource, r.Name, words(r.Scopes), r.AccessTTL.Milliseconds(), string(r.Algorithm), r.Audience)
}

// DeleteResource implements issuer.ResourceWriter.
func (t *tx) DeleteResource(audience string) error {
	if err := t.lock(lockConfiguration); err != nil {
		return err
	}
	return t.change(deleteResource, audience)
}
