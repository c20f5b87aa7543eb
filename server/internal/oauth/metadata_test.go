package oauth_test

import (
	"reflect"
	"testing"

	"github.com/jot-auth/jot"
)

func TestKeySet(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	a := f.get("/.well-known/jwks.json")
	if a.status != 200 || a.header.Get("Content-Type") != "application/jwk-set+json" || a.header.Get("Cache-Control") != "public, max-age=600" {
		t.Errorf("%d %v", a.status, a.header)
	}
	keys, err := jot.ParseKeySet([]byte(a.body), jot.ParseOptions{})
	if err != nil || len(keys.Skipped()) != 0 || len(keys.Keys()) < 2 {
		t.Fatalf("key set %s: %v; want the active and the next key", a.body, err)
	}
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verifier.Verify(t.Context(), f.tokens().Access); err != nil {
		t.Errorf("the published keys don't verify a token: %v", err)
	}

	tag := a.header.Get("ETag")
	for _, header := range []string{tag, `"x", ` + tag, "W/" + tag, "*"} {
		b := f.get("/.well-known/jwks.json", "If-None-Match", header)
		if b.status != 304 || b.body != "" || b.header.Get("ETag") != tag || b.header.Get("Cache-Control") == "" {
			t.Errorf("If-None-Match %s: %d %v", header, b.status, b.header)
		}
	}
	if b := f.get("/.well-known/jwks.json", "If-None-Match", `"x"`); b.status != 200 || b.body != a.body {
		t.Errorf("another tag: %d", b.status)
	}
	if b := f.call("HEAD", "/.well-known/jwks.json", "", nil); b.status != 200 || b.body != "" || b.header.Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", b.status, b.header)
	}
}

// TestKeySetAfterRevocation gives another key set another tag.
func TestKeySetAfterRevocation(t *testing.T) {
	f := serve(t, "https://auth.example.com")
	before := f.get("/.well-known/jwks.json")
	if err := f.issuer.RevokeKey(t.Context(), f.issuer.KeySet().Keys()[0].KeyID()); err != nil {
		t.Fatal(err)
	}
	after := f.get("/.well-known/jwks.json", "If-None-Match", before.header.Get("ETag"))
	if after.status != 200 || after.body == before.body {
		t.Errorf("%d %s", after.status, after.body)
	}
}

func TestMetadata(t *testing.T) {
	algorithms := []any{"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"}
	for _, c := range []struct {
		issuer string
		paths  []string
	}{
		{"https://auth.example.com", []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}},
		{"https://example.com/auth/v2", []string{
			"/auth/v2/.well-known/openid-configuration", "/auth/v2/.well-known/oauth-authorization-server",
			"/.well-known/oauth-authorization-server/auth/v2",
		}},
	} {
		f := serve(t, c.issuer)
		want := map[string]any{
			"issuer":                                     c.issuer,
			"token_endpoint":                             c.issuer + "/oauth2/token",
			"revocation_endpoint":                        c.issuer + "/oauth2/revoke",
			"introspection_endpoint":                     c.issuer + "/oauth2/introspect",
			"jwks_uri":                                   c.issuer + "/.well-known/jwks.json",
			"jot_feed_uri":                               c.issuer + "/feed",
			"jot_feed_jwks_uri":                          c.issuer + "/feed/jwks.json",
			"scopes_supported":                           []any{"email", "offline_access", "openid", "pets:read", "pets:write", "profile"},
			"response_types_supported":                   []any{"code"},
			"grant_types_supported":                      []any{"authorization_code", "client_credentials", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"},
			"subject_types_supported":                    []any{"public"},
			"id_token_signing_alg_values_supported":      []any{"ES256"},
			"token_endpoint_auth_methods_supported":      []any{"none", "client_secret_basic", "client_secret_post", "private_key_jwt"},
			"revocation_endpoint_auth_methods_supported": []any{"none", "client_secret_basic", "client_secret_post", "private_key_jwt"},

			"authorization_endpoint":                         c.issuer + "/oauth2/authorize",
			"device_authorization_endpoint":                  c.issuer + "/oauth2/device_authorization",
			"userinfo_endpoint":                              c.issuer + "/userinfo",
			"end_session_endpoint":                           c.issuer + "/oauth2/logout",
			"response_modes_supported":                       []any{"query", "form_post"},
			"code_challenge_methods_supported":               []any{"S256"},
			"prompt_values_supported":                        []any{"none", "login", "consent", "select_account"},
			"acr_values_supported":                           []any{"urn:jot:acr:1fa", "urn:jot:acr:2fa"},
			"authorization_response_iss_parameter_supported": true,
			"claims_parameter_supported":                     false,
			"request_parameter_supported":                    false,
			"request_uri_parameter_supported":                false,
			"backchannel_logout_supported":                   true,
			"backchannel_logout_session_supported":           true,
			"claims_supported": []any{
				"acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub", "name", "family_name", "given_name", "middle_name", "nickname",
				"preferred_username", "profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at", "email", "email_verified",
			},

			"dpop_signing_alg_values_supported":                        algorithms,
			"token_endpoint_auth_signing_alg_values_supported":         algorithms,
			"revocation_endpoint_auth_signing_alg_values_supported":    algorithms,
			"introspection_endpoint_auth_signing_alg_values_supported": algorithms,

			"introspection_endpoint_auth_methods_supported": []any{"client_secret_basic", "client_secret_post", "private_key_jwt"},
		}
		for _, path := range c.paths {
			// A Host that lies must not get into the document.
			a := f.get(path, "Host", "evil.example", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example")
			if got := a.members(t); a.status != 200 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
			if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "public, max-age=600" || a.header.Get("ETag") == "" {
				t.Errorf("%s: header %v", path, a.header)
			}
		}
	}
}

// TestBasePath serves everything under the path of the issuer's URL and nothing elsewhere.
func TestBasePath(t *testing.T) {
	f := serve(t, "https://example.com/auth/v2")
	if a := f.get("/.well-known/jwks.json"); a.status != 404 {
		t.Errorf("key set at the root: %d", a.status)
	}
	if a := f.get("/auth/v2/.well-known/jwks.json"); a.status != 200 {
		t.Errorf("key set: %d", a.status)
	}
	tokens := f.tokens()
	if a := f.post("/auth/v2/oauth2/token", "grant_type", "refresh_token", "client_id", app, "refresh_token", tokens.Refresh); a.status != 200 {
		t.Errorf("refresh: %d %s", a.status, a.body)
	}
}
