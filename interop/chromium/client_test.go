package chromium

import (
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// The session of a client other than the server's first is renewed, and a logout ends it on the server too.
func TestOtherClient(t *testing.T) {
	w := start(t)
	must(t, w.Issuer().CreateClient(t.Context(), issuer.Client{ID: "client_second", Scopes: []string{"pets:read"}, FirstParty: true}))
	for name, query := range map[string]string{"memory": "?client=client_second", "cookies": "?cookies&client=client_second"} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			tab := w.tab(query)
			w.want(tab, logIn, "undefined")
			w.want(tab, `session.claims().then((c) => c.client_id)`, "client_second")
			w.promote(name, false)
			w.want(tab, pets, "200 "+name)
			w.want(tab, `session.logOut()`, "undefined")
			live, _, err := w.Issuer().SessionsOf(t.Context(), w.subject, "", 1)
			if must(t, err); len(live) > 0 {
				t.Errorf("after the logout there is %+v", live[0])
			}
		})
	}
}
