package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/internal/jose"
)

// discoverTimeout bounds Discover when its context has no earlier deadline.
const discoverTimeout = 10 * time.Second

// Discover asks an issuer where its key set is. It reads {issuer}/.well-known/openid-configuration (OpenID Connect
// Discovery 1.0 §4) and refuses it unless its issuer member equals the issuer asked, byte for byte, which
// keeps one issuer from speaking for another. The address found is https, or like the issuer's http on a loopback
// host. A nil client means one of the package's own; redirects are limited as in a [Source]. When the issuer can't be
// reached the error wraps [jot.ErrUnavailable].
func Discover(ctx context.Context, issuer string, client *http.Client) (jwksURI string, err error) {
	base, err := parseURL(issuer)
	if err != nil {
		return "", err
	}
	if base.RawQuery != "" || base.ForceQuery {
		return "", errors.New("jwks: the issuer has a query: an issuer identifier has none")
	}
	ctx, cancel := context.WithTimeout(ctx, discoverTimeout)
	defer cancel()
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	body, _, err := get(ctx, sameOrigin(client), address, "application/json", "")
	if err != nil {
		return "", fmt.Errorf("jwks: discovery: %w: %w", err, jot.ErrUnavailable)
	}
	jwksURI, err = readMetadata(body, issuer)
	if err != nil {
		return "", fmt.Errorf("jwks: metadata at %s: %w", address, err)
	}
	if target, err := parseURL(jwksURI); err != nil || base.Scheme == "https" && target.Scheme != "https" {
		return "", fmt.Errorf("jwks: metadata at %s: its jwks_uri is not an https address", address)
	}
	return jwksURI, nil
}

// readMetadata takes the key set's address out of an issuer's metadata.
func readMetadata(body []byte, issuer string) (jwksURI string, err error) {
	var metadata struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := jose.Unmarshal(body, &metadata); err != nil {
		return "", err
	}
	if metadata.Issuer != issuer {
		return "", fmt.Errorf("it speaks for issuer %.200q, not for %.200q: ask for the issuer exactly as it names itself", metadata.Issuer, issuer)
	}
	if metadata.JWKSURI == "" {
		return "", errors.New("it has no jwks_uri")
	}
	return metadata.JWKSURI, nil
}
