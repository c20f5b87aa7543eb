package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// userInfo answers GET and POST /userinfo (OpenID Connect Core 1.0 section 5.3): what an access token with openid in its scope opens of its subject.
// The token is in the Authorization header; a form's doesn't count. One that is bound to a key needs its proof (RFC 9449 section 7).
func (s *Server) userInfo() http.HandlerFunc {
	bound := jothttp.Options{Verifier: s.issuer.Verifier(), Realm: "jot", DPoP: &jothttp.DPoP{Proofs: s.proofs, Base: strings.TrimSuffix(s.issuer.URL(), s.base)}}.Protect()
	proved := bound(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := s.issuer.UserInfo(r.Context(), jothttp.From(r.Context()))
		writeUserInfo(w, r, claims, err)
	}))
	return func(w http.ResponseWriter, r *http.Request) {
		if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "DPoP") {
			proved.ServeHTTP(w, r)
			return
		}
		claims, err := s.claimsOf(r)
		writeUserInfo(w, r, claims, err)
	}
}

func writeUserInfo(w http.ResponseWriter, r *http.Request, claims map[string]json.RawMessage, err error) {
	if errors.Is(err, issuer.ErrInsufficientScope) {
		err = web.InsufficientScope("openid", "the access token wasn't given with openid")
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.NoStore(w)
	web.WriteJSON(w, http.StatusOK, claims)
}

// claimsOf are what a bearer token opens.
func (s *Server) claimsOf(r *http.Request) (map[string]json.RawMessage, error) {
	raw, err := jothttp.Credential(r, "", 0)
	if err != nil {
		return nil, err
	}
	if raw == "" {
		return nil, noToken
	}
	token, err := s.issuer.Verifier().Verify(r.Context(), raw)
	if err != nil {
		return nil, err
	}
	if err := web.RefuseBound(token); err != nil {
		return nil, err
	}
	return s.issuer.UserInfo(r.Context(), token)
}

// noToken is a bare challenge: RFC 6750 section 3 wants no error code where there was no token.
var noToken = web.NewProblem(http.StatusUnauthorized, "the request has no access token")
