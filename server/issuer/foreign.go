package issuer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/loopback"
)

const (
	maxForeignTTL     = 30 * 24 * time.Hour
	maxForeignLogouts = 100_000 // within the life of a token, so that another issuer can't fill the memory of every verifier

	maxLogoutTTL   = time.Hour   // the longest life of a logout token; two minutes are usual
	logoutLeeway   = time.Minute // between its issuer's clock and ours
	maxLogoutToken = 8 << 10     // bytes
)

// ForeignIssuer is another issuer, of whose logouts this one's log tells (OpenID Connect Back-Channel Logout 1.0), so
// that verifiers of its tokens have revocation without a look-up too: see LogOutForeign. URL, Audience and MaxTTL are
// required. The zero value of the rest is the strictest.
type ForeignIssuer struct {
	URL        string          // the iss of its tokens, compared byte by byte
	Audience   string          // the aud of its logout tokens: our client ID there
	Algorithms []jot.Algorithm // of its logout tokens; none: whatever its keys fix
	MaxTTL     time.Duration   // the longest life of its access tokens, up to 30 days: how long rules about them are kept

	// Keys are its keys. Package server finds those of an issuer without any in the key set at KeySetURL, "" being
	// where its metadata says.
	Keys      jot.KeySource
	KeySetURL string

	// AnyType takes logout tokens of type JWT, or of none, beside those of type logout+jwt: an issuer may have chosen
	// not to name the type. What else the token has to say keeps other tokens out.
	AnyType bool
	// WholeSubject refuses all of a subject's tokens when one of its sessions ends: for an issuer whose access tokens
	// bear no sid.
	WholeSubject bool
}

// foreignIssuer is one that is followed.
type foreignIssuer struct {
	ForeignIssuer
	verifiers []*jot.Verifier // of its logout tokens, by type
	logouts   quota
}

func (c Config) checkForeign() error {
	var errs []error
	known := map[string]bool{c.URL: true}
	for _, f := range c.ForeignIssuers {
		if known[f.URL] {
			errs = append(errs, fmt.Errorf("config: ForeignIssuers has %.255q twice, or it's this issuer", f.URL))
		}
		known[f.URL] = true
		errs = append(errs, f.check())
	}
	return errors.Join(errs...)
}

func (f ForeignIssuer) check() error {
	u, err := url.Parse(f.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(f.URL, "#") || checkName("URL", f.URL) != nil:
		return errors.New("config: the URL of one of ForeignIssuers must be an absolute URL without user, query and fragment")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback.Names(u.Hostname())):
		return fmt.Errorf("config: ForeignIssuers: %s must be https; http is for loopback addresses only", f.URL)
	case checkName("Audience", f.Audience) != nil:
		return fmt.Errorf("config: ForeignIssuers: the Audience of %s must be our client ID there, 1 to 255 bytes", f.URL)
	case f.MaxTTL < time.Second || f.MaxTTL > maxForeignTTL:
		return fmt.Errorf("config: ForeignIssuers: the MaxTTL of %s is %v, want the longest life of its access tokens, up to %v", f.URL, f.MaxTTL, maxForeignTTL)
	case slices.ContainsFunc(f.Algorithms, unfitForLogouts):
		return fmt.Errorf("config: ForeignIssuers: the Algorithms of %s must be ones with public keys, such as RS256", f.URL)
	}
	return nil
}

// unfitForLogouts reports whether a logout token may not be signed with an algorithm: others who share our secret at
// another issuer could sign, too.
func unfitForLogouts(a jot.Algorithm) bool { return !slices.Contains(jot.ClassicalAlgorithms(), a) }

func newForeignIssuers(c Config) (map[string]*foreignIssuer, error) {
	all := make(map[string]*foreignIssuer)
	for _, declared := range c.ForeignIssuers {
		f := &foreignIssuer{ForeignIssuer: declared}
		f.Algorithms = slices.Clone(declared.Algorithms)
		f.logouts = quota{size: maxForeignLogouts, within: f.MaxTTL + ruleSlack}
		types := []string{logoutType}
		if f.AnyType {
			types = append(types, "") // which is JWT, and none
		}
		for _, typ := range types {
			verifier, err := jot.NewVerifier(f.Keys, jot.VerifierOptions{
				Issuer: f.URL, Audience: f.Audience, Type: typ, Algorithms: f.Algorithms,
				RequirePastIssuedAt: true, MaxTTL: maxLogoutTTL, Leeway: logoutLeeway, MaxSize: maxLogoutToken, Now: c.Now,
			})
			if err != nil {
				return nil, fmt.Errorf("config: ForeignIssuers: %s: %w", f.URL, err)
			}
			f.verifiers = append(f.verifiers, verifier)
		}
		all[f.URL] = f
	}
	return all, nil
}

// quota lets so much happen within a time, and as much at once when nothing has happened for that long.
type quota struct {
	size   int
	within time.Duration

	mu   sync.Mutex
	used float64
	at   time.Time
}

// take uses one up, if one is left.
func (q *quota) take(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if passed := now.Sub(q.at); passed > 0 {
		q.used = max(0, q.used-float64(q.size)*float64(passed)/float64(q.within))
		q.at = now
	}
	if q.used+1 > float64(q.size) {
		return false
	}
	q.used++
	return true
}

// giveBack is for what was taken and not used.
func (q *quota) giveBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.used = max(0, q.used-1)
}
