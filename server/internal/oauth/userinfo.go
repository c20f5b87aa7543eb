package oauth

import (
	"errors"
	"net/http"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// userInfo answers GET and POST /userinfo (OpenID Connect Core 1.0 §5.3): what an access token with openid in its scope
// opens of its subject. The token is in the Authorization header, with a proof where it's bound to a key (RFC 9449 §7),
// and nowhere else.
func (s *Server) userInfo() http.HandlerFunc {
	options := jothttp.Options{
		Verifier: s.issuer.Verifier(), Realm: "jot", OnRefuse: logUnavailable,
		DPoP: &jothttp.DPoP{Proofs: s.proofs, Base: strings.TrimSuffix(s.issuer.URL(), s.base)},
	}
	protected := options.Protect()(http.HandlerFunc(s.writeUserInfo))
	return func(w http.ResponseWriter, r *http.Request) {
		web.NoStore(w)
		if err := oneCredential(w, r); err != nil {
			web.Fail(w, r, err)
			return
		}
		protected.ServeHTTP(w, r)
	}
}

// oneCredential refuses a request with a token in more ways than one (RFC 6750 §2). A form's and the query's open
// nothing, but whoever sends them beside another one doesn't know which counts, nor where the one in the query is
// written down.
func oneCredential(w http.ResponseWriter, r *http.Request) error {
	ways := 0
	if inHeader(r) {
		ways++
	}
	if strings.Join(r.URL.Query()[accessToken], "") != "" {
		ways++
	}
	if r.Method == http.MethodPost && web.IsForm(r) {
		form, err := web.DecodeForm(w, r)
		if err != nil {
			return err
		}
		if form.Has(accessToken) {
			ways++
		}
	}
	if ways > 1 {
		return web.InvalidRequest("the request has more than one token: send it in the Authorization header alone")
	}
	return nil
}

const accessToken = "access_token" // RFC 6750 §2.2 and §2.3

func (s *Server) writeUserInfo(w http.ResponseWriter, r *http.Request) {
	claims, err := s.issuer.UserInfo(r.Context(), jothttp.From(r.Context()))
	if errors.Is(err, issuer.ErrInsufficientScope) {
		err = web.InsufficientScope("openid", "the access token wasn't given with openid")
	}
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, claims)
}

// logUnavailable logs a token that couldn't be judged.
func logUnavailable(r *http.Request, reason error) {
	if errors.Is(reason, jot.ErrUnavailable) {
		web.LogFault(r, http.StatusServiceUnavailable, reason)
	}
}
