package api

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

// export answers all that is stored on the person who asks.
func (a *API) export(w http.ResponseWriter, r *http.Request) {
	tok, err := a.recent(r)
	if err == nil {
		err = web.WriteDossier(w, r, a.issuer.URL(), tok.Subject(), a.issuer, a.accounts)
	}
	if err != nil {
		web.Fail(w, r, err)
	}
}
