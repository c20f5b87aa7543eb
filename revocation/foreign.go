package revocation

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jot-auth/jot"
)

// errOtherIssuer is what a reader answers about an issuer of which its feed has no say: that there is no rule would
// mean nothing.
var errOtherIssuer = fmt.Errorf("revocation: the token's issuer is neither ReaderOptions.Issuer nor one of ReaderOptions.ForeignIssuers: %w", jot.ErrUnavailable)

// checkForeign returns its own copy of ReaderOptions.ForeignIssuers.
func checkForeign(own string, foreign map[string]time.Duration) (map[string]time.Duration, error) {
	for name, maxTTL := range foreign {
		if name == "" || name == own || maxTTL <= 0 {
			return nil, errors.New("revocation: ForeignIssuers are other issuers than Issuer, each with the longest life of its tokens")
		}
	}
	return maps.Clone(foreign), nil
}

// maxTTLOf is the longest life of an issuer's tokens, as far as this feed has a say in them. It doesn't allocate.
func (r *Reader) maxTTLOf(g *grant, issuer []byte) time.Duration {
	if string(issuer) == r.options.Issuer {
		return g.maxTTL
	}
	return r.options.ForeignIssuers[string(issuer)]
}

// speaksFor reports whether the feed has a say in an issuer's tokens. It doesn't allocate.
func (r *Reader) speaksFor(issuer []byte) bool {
	if string(issuer) == r.options.Issuer {
		return true
	}
	_, foreign := r.options.ForeignIssuers[string(issuer)]
	return foreign
}

// checkReplacement refuses the rules of another log that forget what the one before refused, of whichever issuer.
func (r *Reader) checkReplacement(s Statement, rules *Set) error {
	failed := r.history.checkRules(s, r.options.Issuer, s.MaxTTL, rules)
	for issuer, maxTTL := range r.options.ForeignIssuers {
		failed = errors.Join(failed, r.history.checkRules(s, issuer, maxTTL, rules))
	}
	return failed
}
