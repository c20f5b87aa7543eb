package oauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
)

// metadata is the document of RFC 8414 section 2 and of OpenID Connect Discovery 1.0
// section 3. It names only what is there.
type metadata struct {
	Issuer             string   `json:"issuer"`
	TokenEndpoint      string   `json:"token_endpoint"`
	RevocationEndpoint string   `json:"revocation_endpoint"`
	KeySet             string   `json:"jwks_uri"`
	Feed               string   `json:"jot_feed_uri"`
	FeedKeySet         string   `json:"jot_feed_jwks_uri"`
	Scopes             []string `json:"scopes_supported"`
	ResponseTypes      []string `json:"response_types_supported"`
	GrantTypes         []string `json:"grant_types_supported"`
	SubjectTypes       []string `json:"subject_types_supported"`
	SigningAlgorithms  []string `json:"id_token_signing_alg_values_supported"`
	TokenAuth          []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuth     []string `json:"revocation_endpoint_auth_methods_supported"`
}

// metadata answers the metadata. Every address in it comes from the configured URL, none
// from the request.
func (s *Server) metadata(w http.ResponseWriter, r *http.Request) {
	url := s.issuer.URL()
	s.publish(w, r, "application/json", metadata{
		Issuer:             url,
		TokenEndpoint:      url + "/oauth2/token",
		RevocationEndpoint: url + "/oauth2/revoke",
		KeySet:             url + "/.well-known/jwks.json",
		Feed:               url + "/feed",
		FeedKeySet:         url + "/feed/jwks.json",
		Scopes:             s.scopes(),
		ResponseTypes:      []string{},
		GrantTypes:         grantTypes,
		SubjectTypes:       []string{"public"},
		SigningAlgorithms:  s.algorithms(),
		TokenAuth:          authMethods,
		RevocationAuth:     authMethods,
	})
}

// keySet answers the public signing keys (RFC 7517 section 5).
func (s *Server) keySet(w http.ResponseWriter, r *http.Request) {
	s.publish(w, r, "application/jwk-set+json", s.issuer.KeySet())
}

// publish answers with a document that caches may keep as long as a key set.
func (s *Server) publish(w http.ResponseWriter, r *http.Request, contentType string, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.Publish(w, r, contentType, body, int(s.issuer.KeySetMaxAge()/time.Second))
}

// scopes answers every resource's scopes, sorted.
func (s *Server) scopes() []string {
	scopes := []string{}
	for _, resource := range s.issuer.Resources() {
		scopes = append(scopes, resource.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// algorithms answers the published keys' algorithms, sorted.
func (s *Server) algorithms() []string {
	algorithms := []string{}
	for _, key := range s.issuer.KeySet().Keys() {
		algorithms = append(algorithms, string(key.Algorithm()))
	}
	slices.Sort(algorithms)
	return slices.Compact(algorithms)
}
