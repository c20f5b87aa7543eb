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
// [Verify] decodes the claims into a type of yours at the same time, and [Verifier.Check] only says yes or no.
//
// # Keys
//
// A key is key material and one algorithm, for good. [GenerateKey] and [GenerateSecretKey] make one; [NewPrivateKey],
// [NewPublicKey] and [NewSecretKey] take one that you have; [ParsePrivateKey], [ParsePublicKey], [ParseSecretKey] and
// [ParseKeySet] read JWK and PEM. [NewRemoteKey] signs with a key that another machine keeps. Weak keys are refused
// when they're made (RFC 7518 §3.2, §3.3; RFC 8725 §3.5), and whatever holds a private key prints as its algorithm and
// key ID. A [KeySet] takes only public keys, so that publishing a secret doesn't compile.
//
// Choose ES256 unless something else is asked for: every library knows it, its signatures are short. EdDSA is as short;
// RS256 verifies faster, with longer signatures; ML-DSA withstands quantum computers, with signatures of some 2.4 to
// 4.6 kB. With HS256 whoever verifies can forge.
//
// # Nothing unverified looks verified
//
// A key has one algorithm, fixed when it's made, and a token's header never chooses another: the attacks of RFC 8725
// §2.1, "none" and a public key used as an HMAC secret, have nowhere to begin. A [Token] exists only after its
// signature and the verifier's whole policy passed. What [Inspect] reads without a check is another type, [Unverified],
// and nothing converts it.
//
// # What is refused, and why
//
// Two parties that read one token differently are a hole, so bytes that can be read in two ways are refused:
//
//   - base64url with padding, line breaks, white space or stray bits at its end: one signature would have many
//     spellings (RFC 7515 §2, RFC 4648 §3.5)
//   - JSON with two members of one object, at any depth, whose names are equal or differ only in case, as in "role" and
//     "Role": the next reader may take the other one (RFC 8259 §4, RFC 7515 §4, RFC 8725 §2.4)
//   - JSON with invalid UTF-8 or half a surrogate pair, which readers replace, each in its own way (RFC 8259 §8.2, RFC
//     8725 §3.7)
//   - anything after the JSON value (RFC 8259 §2), and nesting deeper than 32 levels (RFC 8259 §9)
//   - dates that are not JSON numbers from 1970 to 9999: a date that can't be read must not count as absent (RFC 7519
//     §2)
//
// And so is what this verifier can't vouch for:
//
//   - any "crit", since no extension is understood (RFC 7515 §4.1.11), and "b64", which a JWT never has (RFC 7797 §7)
//   - a token whose algorithm isn't the one of the key, which the key source chose without regard to anything but "kid"
//     and "alg" (RFC 8725 §3.1); keys that a token brings along, in "jwk", "jku", "x5c" or "x5u", are never looked at
//     (RFC 8725 §3.10)
//   - a token without "exp", of another issuer, or for another audience: it was made for someone else (RFC 8725 §3.8,
//     §3.9)
//   - a token of another "typ", so that one kind of token never passes for another (RFC 8725 §3.11)
//   - a token larger than 16 KiB, before anything of it is read, and one with a header of more than 8 KiB, or with an
//     object of more than 32 members in it: the header has to be read before the signature is checked
//
// Each weakening has a name that can be searched for: AnyIssuer, AnyAudience, AnyType, NoExpiry.
//
// # Errors
//
// Whatever is wrong with a token, errors.Is(err, [ErrInvalidToken]) holds: answer 401. A key source or revocation feed
// that failed gives [ErrUnavailable] instead: answer 503, for the token may be good. No error quotes what a token says.
//
// # Around it
//
// The packages jwks (remote key sets), revocation (tokens refused before they expire) and jothttp (middleware) plug
// into a Verifier. Package jws signs what isn't a token, package jwe encrypts, and package jottest gives your tests an
// issuer.
package jot
