// Package jot signs and verifies JSON Web Tokens (RFC 7519), and makes the keys for it.
//
// Start with a key, a [Signer] that holds it, and a [Verifier] that knows its public half:
//
//	key, err := jot.GenerateKey(jot.ES256)
//	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
//	raw, err := signer.Sign(ctx, claims)
//
//	verifier, err := jot.NewVerifier(jot.NewKeySet(key.Public()), jot.VerifierOptions{
//		Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt"})
//	token, err := verifier.Verify(ctx, raw)
//
// # Nothing unverified looks verified
//
// A key has one algorithm, fixed when it's made, and a token's header never chooses another: the attacks of RFC 8725 §2.1, "none" and
// a public key used as an HMAC secret, have nowhere to begin. A [Token] exists only after its signature and the verifier's
// whole policy passed. What [Inspect] reads without a check is another type, [Unverified], and nothing converts it.
//
// # What is refused, and why
//
// Two parties that read one token differently are a hole, so bytes that can be read in two ways are refused: base64url with padding,
// line breaks or stray bits at its end (RFC 7515 §2); JSON with invalid UTF-8, with two members of one object whose names are equal or differ only in
// case (RFC 8259 §4, RFC 8725 §2.4), with anything after the value, or nested deeper than 32 levels; dates that are not numbers from 1970 to 9999.
// Any "crit" is refused, since no extension is understood (RFC 7515 §4.1.11), and keys that a token brings along ("jwk", "jku", "x5c") are never
// looked at (RFC 8725 §3.10).
//
// A token larger than 16 KiB is refused before anything of it is read, and so is a header of more than 8 KiB, which has to be read before the
// signature is checked.
//
// "exp" is required, and issuer and audience must be stated, so that a token made for another API doesn't pass here (RFC 8725 §3.8, §3.9). Each
// weakening has a name that can be searched for: AnyIssuer, AnyAudience, AnyType, NoExpiry.
//
// # Errors
//
// Whatever is wrong with a token, errors.Is(err, [ErrInvalidToken]) holds: answer 401. A key source or revocation feed that failed gives
// [ErrUnavailable] instead: answer 503, for the token may be good. The packages jwks (remote key sets), revocation (tokens refused before they
// expire) and jothttp (middleware) plug into a Verifier.
package jot
