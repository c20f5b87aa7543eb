package api

import (
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
)

// recentLogin is how long ago somebody may have logged in who gets all that is stored: whoever finds an open browser doesn't.
const recentLogin = 10 * time.Minute

// export answers all that is stored on the person who asks.
func (a *API) export(w http.ResponseWriter, r *http.Request) {
	tok, err := a.authenticate(r)
	if err != nil {
		web.Fail(w, r, err)
		return
	}
	now, err := a.issuer.Now(r.Context())
	if err == nil && now.Sub(tok.AuthTime()) > recentLogin {
		err = web.LoginTooOld(recentLogin)
	}
	if err == nil {
		err = web.WriteDossier(w, r, a.issuer.URL(), tok.Subject(), a.issuer, a.accounts)
	}
	if err != nil {
		web.Fail(w, r, err)
	}
}
