// Package browser is a user's session in web pages: an ES module without dependencies and without a build step.
//
//	import { Session } from "/jot.js";
//	const session = new Session();
//	await session.logIn("ada", password);
//	const pets = await session.fetch("/pets");
//	adminMenu.hidden = (await session.claims())?.role !== "admin";
//
// Session takes the members issuer, the server's URL, and apis, the origins that get its tokens: both are the page's
// own origin unless they are given. client is the ID of a first-party client other than the server's first. Servers of
// other origins have to let the page in: the issuer by its setting cors.origins, an API by allowing the header
// Authorization and exposing [github.com/jot-auth/jot/jothttp.RefreshHeader]. An error has the members of the server's
// problem, such as type and detail. Where an account has a second factor, logIn fails with one that has a challenge,
// and complete goes on:
//
//	await session.logIn("ada", password).catch((error) => {
//		if (!error.challenge) throw error;
//		return session.complete({ challenge: error.challenge, code: prompt("Code?") });
//	});
//
// The session refreshes its tokens by itself when an API answers 401, once for all requests; it follows the advice of
// [github.com/jot-auth/jot/jothttp.RefreshHeader] within a minute; and a login, refresh or logout in one tab counts in
// all tabs of the origin. By a Web Lock one tab at a time does any of these, so that a late refresh takes the place of
// no login. A request that was under way at a login or a logout isn't sent again in the name of whoever is there now:
// its caller gets the 401.
//
// With cookies: true the tokens are in HttpOnly cookies that no script reads: for pages of the token server's own
// origin. Otherwise they are in the tabs' memory, which whatever script runs in the page can reach, and gone when the
// last tab closes or loads again.
//
// What claims() returns shows or hides features. It protects nothing: whoever uses the browser can change it, so each
// API checks the token again.
package browser

import (
	_ "embed"
	"net/http"
	"strings"
	"time"
)

//go:embed jot.js
var module string

// Handler serves the module, at whichever path it's mounted, to be kept by caches for an hour.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(module))
	})
}
