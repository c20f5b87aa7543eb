package chromium

import (
	"context"
	"testing"
)

// gate holds refreshes up. None does where it's nil.
type gate struct{ reached, opened chan struct{} }

func (g *gate) pass() {
	if g != nil {
		g.reached <- struct{}{}
		<-g.opened
	}
}

// A login while another tab refreshes the session before it counts in all tabs: nobody goes on in the name of whoever
// was logged in.
func TestLogInBesideRefresh(t *testing.T) {
	w := start(t)
	bob, err := w.SignUp(t.Context(), "bob", password)
	must(t, err)
	for name, query := range map[string]string{"memory": "", "cookies": "?cookies"} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			first := w.tab(query)
			w.want(first, logIn, "undefined")
			second := w.tab(query)
			w.promote(name, false)
			held := &gate{make(chan struct{}), make(chan struct{})}
			w.gate.Store(held)
			refreshed := w.evalBeside(second, pets)
			<-held.reached
			w.gate.Store(nil)
			w.want(first, `(async () => {
				window.login = session.logIn("bob", "`+password+`").then(() => { window.isIn = true; });
				while (!window.isIn && !(await navigator.locks.query()).pending.length) await new Promise((go) => setTimeout(go, 5));
			})()`, "undefined")
			close(held.opened)
			w.want(first, `window.login`, "undefined")
			if got := <-refreshed; got != "200 "+name {
				t.Error("the second tab:", got)
			}
			for _, tab := range []context.Context{second, first} {
				w.want(tab, `(async () => {
					for (;; await new Promise((go) => setTimeout(go, 5))) { const c = await session.claims(); if (c?.sub === "`+bob+`") return "bob"; }
				})()`, "bob")
			}
			w.want(first, `session.logOut()`, "undefined")
		})
	}
}

// Tabs that have a refresh's tokens don't take the ones of before from a tab that told them to one that opens: used
// once more, these would end the session.
func TestOpeningBesideRefresh(t *testing.T) {
	w := start(t)
	first := w.tab("")
	w.want(first, logIn, "undefined")
	second := w.tab("")
	w.want(second, pets, "200 ")
	w.want(first, `(async () => {
		const others = new BroadcastChannel("jot " + location.origin), heard = [];
		const two = () => new Promise((done) => { others.onmessage = ({ data }) => { if (heard.push(data.refresh_token) === 2) done(heard.splice(0).join()); } });
		const before = two();
		others.postMessage("tokens?"); // a tab opens, and another one has refreshed
		others.postMessage({ access_token: ".e30.", refresh_token: "new" });
		await before;
		const after = two();
		others.postMessage("tokens?");
		return await after;
	})()`, "new,new")
}
