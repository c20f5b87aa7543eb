package foreign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/server/issuer"
)

// rediscover is how long after a failure an issuer isn't asked again where its keys are.
const rediscover = 10 * time.Second

// KeySources are the key sets of other issuers that this package reads.
type KeySources []*keySource

// Close ends what is being fetched, and waits for that. Its error is always nil.
func (all KeySources) Close() error {
	for _, s := range all {
		s.close()
	}
	return nil
}

// WithKeys returns the issuers with a key source each, and the sources that it made for those that had none. It asks
// nobody: another issuer that is down keeps no server from its start.
func WithKeys(declared []issuer.ForeignIssuer) ([]issuer.ForeignIssuer, KeySources, error) {
	all, made := slices.Clone(declared), KeySources{}
	for n := range all {
		f := &all[n]
		if f.Keys != nil {
			continue
		}
		source, err := newKeySource(f.URL, f.KeySetURL)
		if err != nil {
			return nil, made, fmt.Errorf("the key set of %s: %w", f.URL, err)
		}
		f.Keys, made = source, append(made, source)
	}
	return all, made, nil
}

// Validate says whose key set can't be read, before anything is made.
func Validate(declared []issuer.ForeignIssuer) error {
	_, made, err := WithKeys(declared)
	return errors.Join(err, made.Close())
}

// keySource is a key set whose address may have to be asked for first. It owns no goroutine but its jwks.Source's.
type keySource struct {
	issuer string
	state  chan state // holds one element, which whoever looks for the address takes out
}

// state is what is known of the address.
type state struct {
	source *jwks.Source // nil: unknown
	failed error        // why it is, until
	until  time.Time
	closed bool
}

func newKeySource(issuerURL, keySetURL string) (*keySource, error) {
	s := &keySource{issuer: issuerURL, state: make(chan state, 1)}
	if keySetURL == "" {
		s.state <- state{}
		return s, nil
	}
	source, err := jwks.NewSource(keySetURL, jwks.Options{})
	s.state <- state{source: source}
	return s, err
}

// VerificationKeys implements jot.KeySource.
func (s *keySource) VerificationKeys(ctx context.Context, alg jot.Algorithm, kid string) ([]jot.VerificationKey, error) {
	source, err := s.find(ctx)
	if err != nil {
		return nil, err
	}
	return source.VerificationKeys(ctx, alg, kid)
}

// find returns the source, and looks for its address where that is unknown. Others wait for whoever looks.
func (s *keySource) find(ctx context.Context) (*jwks.Source, error) {
	var now state
	select {
	case now = <-s.state:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { s.state <- now }()
	switch {
	case now.closed:
		return nil, fmt.Errorf("the server is closed: %w", jot.ErrUnavailable)
	case now.source != nil:
		return now.source, nil
	case time.Now().Before(now.until):
		return nil, now.failed
	}
	address, err := jwks.Discover(context.WithoutCancel(ctx), s.issuer, nil) // for the others too; it takes 10 s at most
	if err == nil {
		now.source, err = jwks.NewSource(address, jwks.Options{})
	}
	if err != nil {
		now.failed, now.until = errors.Join(err, jot.ErrUnavailable), time.Now().Add(rediscover)
	}
	return now.source, err
}

func (s *keySource) close() {
	now := <-s.state
	if now.source != nil {
		now.source.Close()
	}
	s.state <- state{closed: true}
}
