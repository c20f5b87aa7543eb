package oauth

import (
	"slices"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

// metadata is the document of RFC 8414 §2 and of OpenID Connect Discovery 1.0
// §3. It names only what is there.
type metadata struct {
	Issuer             string   `json:"issuer"`
	TokenEndpoint      string   `json:"token_endpoint"`
	RevocationEndpoint string   `json:"revocation_endpoint"`
	Introspection      string   `json:"introspection_endpoint"`
	KeySet             string   `json:"jwks_uri"`
	Feed               string   `json:"jot_feed_uri"`
	FeedKeySet         string   `json:"jot_feed_jwks_uri"`
	Scopes             []string `json:"scopes_supported"`
	ResponseTypes      []string `json:"response_types_supported"`
	GrantTypes         []string `json:"grant_types_supported"`
	SubjectTypes       []string `json:"subject_types_supported"`
	SigningAlgorithms  []string `json:"id_token_signing_alg_values_supported"`
	TokenAuth          []string `json:"token_endpoint_auth_methods_supported"`
	AssertionAlgs      []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	RevocationAuth     []string `json:"revocation_endpoint_auth_methods_supported"`
	IntrospectionAuth  []string `json:"introspection_endpoint_auth_methods_supported"`

	ProofAlgs         []string `json:"dpop_signing_alg_values_supported"`
	RevocationAlgs    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAlgs []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`

	authorizationMetadata
}

// authorizationMetadata is what it says of the authorization endpoint, of ID tokens and of logouts.
type authorizationMetadata struct {
	DeviceEndpoint        string   `json:"device_authorization_endpoint"` // RFC 8628 §4
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	ResponseModes         []string `json:"response_modes_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	Prompts               []string `json:"prompt_values_supported"`
	ACRs                  []string `json:"acr_values_supported"`
	Claims                []string `json:"claims_supported"`
	IssuerInAnswer        bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"` // its default would be true
	BackchannelLogout     bool     `json:"backchannel_logout_supported"`
	BackchannelSession    bool     `json:"backchannel_logout_session_supported"`
}

func newAuthorizationMetadata(url string) authorizationMetadata {
	return authorizationMetadata{
		DeviceEndpoint:        url + "/oauth2/device_authorization",
		AuthorizationEndpoint: url + "/oauth2/authorize",
		UserInfoEndpoint:      url + "/userinfo",
		EndSessionEndpoint:    url + "/oauth2/logout",
		ResponseModes:         []string{"query", "form_post"},
		ChallengeMethods:      []string{"S256"},
		Prompts:               []string{"none", "login", "consent", "select_account"},
		ACRs:                  []string{issuer.ACROneFactor, issuer.ACRTwoFactors},
		Claims:                issuer.ClaimsSupported(),
		IssuerInAnswer:        true,
		BackchannelLogout:     true,
		BackchannelSession:    true,
	}
}

// metadata is the document of the metadata. Every address in it comes from the configured
// URL, none from the request.
func (s *Server) metadata(keys *jot.KeySet) any {
	url, assertions := s.issuer.URL(), names(issuer.ClientKeyAlgorithms())
	return metadata{
		Issuer:             url,
		TokenEndpoint:      url + "/oauth2/token",
		RevocationEndpoint: url + "/oauth2/revoke",
		Introspection:      url + "/oauth2/introspect",
		KeySet:             url + "/.well-known/jwks.json",
		Feed:               url + "/feed",
		FeedKeySet:         url + "/feed/jwks.json",
		Scopes:             s.scopes(),
		ResponseTypes:      []string{"code"},
		GrantTypes:         grantTypes,
		SubjectTypes:       []string{"public"},
		SigningAlgorithms:  algorithms(keys),
		TokenAuth:          authMethods,
		AssertionAlgs:      assertions,
		RevocationAuth:     authMethods,
		IntrospectionAuth:  provingMethods,
		ProofAlgs:          names(s.proofs.Algorithms()),
		RevocationAlgs:     assertions,
		IntrospectionAlgs:  assertions,

		authorizationMetadata: newAuthorizationMetadata(url),
	}
}

// keySet is the document of the public signing keys (RFC 7517 §5).
func keySet(keys *jot.KeySet) any { return keys }

// scopes returns those of OpenID Connect and every resource's, sorted.
func (s *Server) scopes() []string {
	scopes := issuer.IdentityScopes()
	for _, resource := range s.issuer.Resources() {
		scopes = append(scopes, resource.Scopes...)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

func names(algorithms []jot.Algorithm) []string {
	all := make([]string, len(algorithms))
	for n, algorithm := range algorithms {
		all[n] = string(algorithm)
	}
	return all
}

// algorithms returns the published keys' algorithms, sorted.
func algorithms(keys *jot.KeySet) []string {
	algorithms := []string{}
	for _, key := range keys.Keys() {
		algorithms = append(algorithms, string(key.Algorithm()))
	}
	slices.Sort(algorithms)
	return slices.Compact(algorithms)
}
