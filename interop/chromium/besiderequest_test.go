package chromium

import (
	"net/http"
	"sync/atomic"
	"testing"
)

// A request that is under way while somebody else logs in, in this tab or in another one, isn't sent again in that
// person's name: its caller gets the 401. So does that of one beside a logout. What is under way while its own session
// is refreshed goes on.
func TestLogInBesideRequest(t *testing.T) {
	w := start(t)
	_, err := w.SignUp(t.Context(), "bob", password)
	must(t, err)
	const bobLogsIn = `session.logIn("bob", "` + password + `")`
	for mode, query := range map[string]string{"memory": "", "cookies": "?cookies"} {
		for name, c := range map[string]struct {
			inAnother bool
			meanwhile string
			want      string
		}{
			"a login here":             {false, bobLogsIn, "401"},
			"a login in another tab":   {true, bobLogsIn, "401"},
			"a logout in another tab":  {true, `session.logOut()`, "401"},
			"a refresh in another tab": {true, pets + `.then(() => undefined)`, "200"},
		} {
			t.Run(mode+", "+name, func(t *testing.T) {
				w.t = t
				first := w.tab(query)
				w.want(first, logIn, "undefined")
				other := first
				if c.inAnother {
					other = w.tab(query)
					w.want(other, pets+`.then((s) => s.slice(0, 3))`, "200")
				}
				h := &held{reached: make(chan struct{}), judge: make(chan struct{})}
				w.held.Store(h)
				status := w.evalBeside(first, `session.fetch("/held", { method: "POST", body: "of ada" }).then((r) => r.status)`)
				<-h.reached
				w.promote(mode+name, false)
				w.want(other, c.meanwhile, "undefined")
				close(h.judge)
				if got := <-status; got != c.want {
					t.Errorf("its answer is %q, want %q", got, c.want)
				}
				if tries := h.tries.Load(); c.want == "401" && tries != 1 {
					t.Errorf("it was sent %d times", tries)
				}
				w.want(other, `session.logOut()`, "undefined")
			})
		}
	}
}

// held holds up the first of the requests to an API, until it's to be judged.
type held struct {
	reached, judge chan struct{}
	tries          atomic.Int64
}

func (h *held) before(api http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h.tries.Add(1) == 1 {
			h.reached <- struct{}{}
			<-h.judge
		}
		api.ServeHTTP(rw, r)
	})
}
