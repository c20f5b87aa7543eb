// Package jothttp protects HTTP handlers with jot's access tokens and answers as RFC 6750 says; its [Transport] makes
// requests with them.
//
//	protect := jothttp.Protect(verifier)
//	mux.Handle("GET /me", protect(me))
//	mux.Handle("POST /pets", protect(jothttp.RequireScope("pets:write")(addPet)))
//	mux.Handle("DELETE /pets", protect(jothttp.Require(isAdmin)(removePets)))
//
// Inside, [From] gives the verified token. [RequireScope] asks for scopes, [Require] for roles and whatever else the
// claims say, [StepUp] for a second factor or a recent login (RFC 9470). Set [Options.OnRefuse] while you wire things
// up: the client never learns why it got 401, the log does.
//
// # Where a token may stand
//
// In the Authorization header, as "Bearer" and a token (RFC 6750 §2.1), or, when [Options] names one, in a
// cookie. A token in the query string or in a form is not looked for (RFC 6750 §2.3, RFC 9700 §4.3.2):
// addresses end up in logs. A request that carries two tokens, in whatever places, is refused before either is looked
// at, as no two parties then agree about who is calling.
//
// # What a refusal looks like
//
//	no token                401  Bearer realm="api"
//	bad token               401  Bearer realm="api", error="invalid_token"
//	claims have changed     401  Bearer realm="api", error="invalid_token", error_description="stale claims"
//	malformed request       400  Bearer realm="api", error="invalid_request"
//	scope is missing        403  Bearer realm="api", error="insufficient_scope", scope="pets:write"
//	login too old or weak   401  Bearer realm="api", error="insufficient_user_authentication", acr_values="urn:jot:acr:2fa", max_age="300"
//	claims don't permit it  403  no challenge: Require said no
//	sent by another site    403  no challenge: a cookie, an unsafe method and a foreign origin
//	nobody can tell now     503  no challenge, Retry-After: the key source or the revocation feed failed, or is behind Jot-Min-Cursor
//	Jot-Min-Cursor is wrong 400  no challenge; 501 without Options.Follower
//	no Protect around it    500  no challenge: RequireScope, Require and StepUp stand inside Protect
//
// The body is a problem document (RFC 9457) that repeats the status and, but for that 500, nothing else: which check
// failed helps whoever forges tokens more than whoever owns one. [Options.OnRefuse] sees the reason. Refusals are never
// stored by caches.
//
// # Clients
//
// [Transport] is the other end: an http.RoundTripper that holds the token pair of a session. It sends the access token
// to the APIs that are named and to no other address. It renews the pair when the token expires, or when an API says
// that its claims are stale, once for all requests. [FileStore] lets several programs share the session. Where somebody
// else logs in, requests that were made before aren't tried again in that person's name.
//
// # Tokens that are bound to a key
//
// A token with a "cnf" claim is for the holder of a key alone (RFC 9449). [Protect] refuses it, as 401 invalid_token,
// unless [Options.DPoP] says how to check the proof that each request brings along, and it then answers what is wrong
// in the scheme DPoP, with the accepted algorithms:
//
//	bad or missing proof    401  DPoP realm="api", algs="ES256 …", error="invalid_dpop_proof"
//	a nonce is wanted       401  DPoP realm="api", algs="ES256 …", error="use_dpop_nonce", and the header DPoP-Nonce
//	bound, and no proof     401  Bearer realm="api", error="invalid_token"
//
// A [Transport] with a Key sends proofs, and tries again with the nonce that it's given.
//
// # Cross-origin requests
//
// A browser sends a preflight (OPTIONS with Origin and Access-Control-Request-Method) without a token. [Protect]
// answers it with 204 and without CORS headers, which is a no to the browser, and never lets it in. So a CORS handler
// stands outside of Protect. In cookie mode requests that change something are checked by
// [net/http.CrossOriginProtection].
package jothttp
