// Package jwks reads an issuer's public keys over HTTP and keeps them at hand for a
// [github.com/jot-auth/jot.Verifier].
//
// A [Source] is made from the address of a JWK Set (RFC 7517 §5); [Discover] finds that address
// from the issuer's name. The first token fetches the set. From then on a token whose key is known costs
// one atomic load and a look-up:
//
//	uri, err := jwks.Discover(ctx, "https://auth.example.com", nil)
//	source, err := jwks.NewSource(uri, jwks.Options{})
//	defer source.Close()
//	verifier, err := jot.NewVerifier(source, jot.VerifierOptions{…})
//
// # What a source does, and when
//
// The life of a fetched set has three parts, counted from the start of its fetch:
//
//   - fresh, for as long as the issuer's Cache-Control says, but never shorter than [Options.MinRefresh]
//     nor longer than [Options.MaxAge]. Late in this time the set is refreshed ahead, and nobody waits;
//   - stale, until [Options.MaxStale]: the next token waits for a refresh. When that fails the stale set
//     serves on and is refreshed behind its callers' backs;
//   - gone: every look-up answers an error that wraps [github.com/jot-auth/jot.ErrUnavailable].
//
// A fetched set replaces the one before it whole. A key that left the issuer's set verifies nothing more. One that
// stays, unchanged, is answered as the same [github.com/jot-auth/jot.PublicKey], the same pointer, by which a verifier
// that remembers tokens knows that they still hold.
//
// A token that names an unknown key causes a fetch, at most one each [Options.MinRefresh] however many such tokens
// come; a key ID that a fetched set lacked causes none for a while. So does a token whose key may be one that the set
// doesn't name: only after the fetch, or where it fails, such keys are tried. A token without a key ID never causes
// one. Whatever the reason, one fetch is under way at a time, everyone who needs it waits for it, and a caller who
// gives up leaves it to the others.
//
// # What a source refuses
//
// Plain http, unless the host is a loopback one: whoever alters a key set signs every token. For the same
// reason a redirect to another host, port or scheme is not followed. A set above 512 KiB or with more than
// [Options.MaxKeys] keys is refused whole. Symmetric and private keys never verify anything.
package jwks
