// Package jottest is an issuer for the tests of APIs that jot protects: keys, tokens good and bad, a key server,
// revocation, and a clock that stands still. Three lines are a test of a protected handler:
//
//	func TestGetPet(t *testing.T) {
//		issuer := jottest.NewIssuer(t, jottest.Options{Audience: "petstore"})
//		api := petstore.Handler(issuer.Verifier())
//		request.Header.Set("Authorization", "Bearer "+issuer.Token(jottest.Claims{"sub": "alice", "scope": "pets:read"}))
//		…
//	}
//
// [Issuer.Refused] has one of each token that an API must refuse, for a loop over them all.
//
// # With a verifier of this package, or with your own wiring
//
// [Issuer.Verifier] needs no network: it asks the issuer itself for keys and revocations, so what a test changes counts
// at once. For a policy of your own, alter [Issuer.VerifierOptions] and give them to [jot.NewVerifier] with the issuer
// as its key source.
//
// The issuer also listens on [Issuer.URL], a loopback address, and serves what a jot server serves to APIs, at the same
// paths: discovery, the key set, and the revocation feed, signed, to whoever has [Issuer.FeedCredential]. So the wiring
// of your program, jwks.Discover, jwks.NewSource and revocation.NewReader, runs against it unchanged. Two things take
// time there, as in production: a source asks for keys at most once each jwks.Options.MinRefresh, on a clock that may
// be the issuer's; a reader learns of a revocation a moment later, and [Issuer.Await] waits for it.
//
// # Time
//
// An issuer's clock starts at the time of day and stands still. A verifier on time.Now accepts its tokens too, until
// they have expired. For tests of expiry, let verifiers read [Clock.Now], and [Clock.Advance] it. A jothttp.StepUp has
// a clock of its own: give it this one too, or a login never grows too old for it.
//
// Everything ends with the test. Methods fail the test when they can't do what they are asked to, and so belong on its
// goroutine.
package jottest
