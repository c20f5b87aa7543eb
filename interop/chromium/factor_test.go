package chromium

import (
	"strings"
	"testing"

	"github.com/jot-auth/jot/interop/running"
)

// A page logs a person in who has one-time codes: the error of the password alone has the challenge, and says what a
// wrong code is.
func TestSecondFactor(t *testing.T) {
	w := start(t)
	first := w.tab("")
	w.want(first, logIn, "undefined")
	send := func(path, body string) string {
		return w.eval(first, `session.fetch("/v1/factors/totp`+path+`", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(`+body+`) })
			.then((r) => r.json()).then((j) => j.secret ?? j.recovery_codes)`)
	}
	code := running.OneTimeCode(t, send("", `{ password: "`+password+`" }`))
	recovery := strings.Split(send("/confirm", `{ code: "`+code+`" }`), ",")
	for n, query := range []string{"", "?cookies"} {
		tab := w.tab(query)
		w.want(tab, logIn+`.catch((e) => { window.asked = e; return e.type + " " + e.factors + " " + e.status; })`, "urn:jot:problem:second-factor totp 403")
		w.want(tab, `session.complete({ challenge: asked.challenge, code: "x" }).catch((e) => e.type)`, "urn:jot:problem:factor")
		w.want(tab, `session.complete({ challenge: asked.challenge, code: "`+recovery[n]+`" })`, "undefined")
		w.want(tab, pets, "200 ")
	}
}
