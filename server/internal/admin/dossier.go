package admin

import (
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
)

// exportSubject answers all that is stored on a person.
func (a *API) exportSubject(w http.ResponseWriter, r *http.Request) error {
	return web.WriteDossier(w, r, a.issuer.URL(), r.PathValue("sub"), a.issuer, a.accounts)
}
