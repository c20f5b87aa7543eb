package console

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/jot-auth/jot/server/issuer"
)

// formPostView is what the page shows that carries an answer to the client (OAuth 2.0 Form Post Response Mode 1.0).
// Nothing of it stands in an address. Where other servers send the form by a script, here a person does by a button:
// the pages have no scripts.
type formPostView struct {
	Host   string // where it goes on to
	Action string // redirect URI
	Fields []field
}

type field struct{ Name, Value string }

func (c *Console) writeFormPost(w http.ResponseWriter, r *http.Request, a issuer.Authorization, parameters url.Values) {
	to, err := url.Parse(a.RedirectURI)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	view := formPostView{Host: to.Host, Action: a.RedirectURI}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		view.Fields = append(view.Fields, field{name, parameters.Get(name)})
	}
	w.Header().Set("Referrer-Policy", "strict-origin") // with less than an origin a browser says null to the client
	c.pages.write(w, r, http.StatusOK, "formpost.html", a.RedirectURI, view)
}
