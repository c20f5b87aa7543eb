package jothttp

import (
	"net/http"
	"strings"
	"sync"
)

// maxNonce bounds a nonce that a server gives, in bytes.
const maxNonce = 512

// proving adds a proof to each request, with the nonce that its server gave last. It's safe for concurrent use.
type proving struct {
	signer *ProofSigner

	mu     sync.Mutex
	nonces map[string]string // by origin: those of the token endpoint and the APIs, and no other
}

// send makes a request with a proof of it, and once more when the server wants a nonce: it has done nothing with the
// first. accessToken is "" at a token endpoint.
func (p *proving) send(base http.RoundTripper, r *http.Request, accessToken string) (*http.Response, error) {
	response, err := p.sendOnce(base, r, accessToken)
	if err != nil || !wantsNonce(response, accessToken == "") {
		return response, err
	}
	again, err := repeat(r)
	if err != nil {
		return response, nil
	}
	discard(response)
	return p.sendOnce(base, again, accessToken)
}

func (p *proving) sendOnce(base http.RoundTripper, r *http.Request, accessToken string) (*http.Response, error) {
	origin, err := secureOrigin(r.URL)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	p.mu.Lock()
	nonce := p.nonces[origin]
	p.mu.Unlock()
	proof, err := p.signer.Sign(r.Context(), ProofTarget{Method: methodOf(r), URL: r.URL.String(), AccessToken: accessToken, Nonce: nonce})
	if err != nil {
		closeBody(r)
		return nil, err
	}
	r.Header.Set(ProofHeader, proof)
	response, err := base.RoundTrip(r)
	if err != nil {
		return response, err
	}
	if given := nonceOf(response); given != "" {
		p.mu.Lock()
		p.nonces[origin] = given
		p.mu.Unlock()
	}
	return response, nil
}

// nonceOf returns the nonce that an answer brings, and "" where it has none that a proof can bear (RFC 9449 §8.1): with
// another one, no request to its server would ever be signed again.
func nonceOf(response *http.Response) string {
	given := response.Header.Get(NonceHeader)
	if len(given) > maxNonce || strings.Contains(given, " ") || !quotable(given) {
		return ""
	}
	return given
}

// methodOf reads a request as net/http does.
func methodOf(r *http.Request) string {
	if r.Method == "" {
		return http.MethodGet
	}
	return r.Method
}

// wantsNonce reports whether an answer asks for a proof with the nonce that it brings: an API's (RFC 9449 §9), or a
// token endpoint's (§8). A token endpoint that answers 400 with a new nonce may have another reason, too; then its
// second answer says so.
func wantsNonce(response *http.Response, tokenEndpoint bool) bool {
	if nonceOf(response) == "" {
		return false
	}
	if tokenEndpoint {
		return response.StatusCode == http.StatusBadRequest
	}
	challenges := strings.Join(response.Header.Values("WWW-Authenticate"), ", ")
	return response.StatusCode == http.StatusUnauthorized && strings.Contains(challenges, `error="use_dpop_nonce"`)
}
