// Package jws signs any bytes (RFC 7515): a webhook's body, a document that two people sign, a payload that is no set
// of claims. For tokens use package jot, which checks what they claim as well.
//
// A [Signer] writes the compact serialization with [Signer.Sign], the JSON ones with [Signer.SignJSON]. A [Verifier]
// reads all three:
//
//	signer, err := jws.NewSigner(jws.SignerOptions{Type: "order+json"}, key)
//	message, err := signer.Sign(ctx, payload)
//
//	verifier, err := jws.NewVerifier(jws.VerifierOptions{Type: "order+json"}, jot.NewKeySet(key.Public()))
//	verified, err := verifier.Verify(ctx, []byte(message))
//	payload := verified.Payload()
//
// The bytes to use are those of the [Message], which exists only after every required signature held.
//
// # Webhooks
//
// A signature in a header, over the body as it's sent: Detached leaves the payload out of the message, and Unencoded
// signs it as it is (RFC 7797). The receiver states Unencoded too, and calls [Verifier.VerifyDetached] with the header
// and the body.
//
// # Several signers
//
// Each signer that must have signed is named by a key source of its own, and all must hold. "One of these" is one
// source with several keys. A signature never counts for two signers, nor does a key, even if two sources hold it,
// under two names or for two algorithms. A secret in two key objects counts as one only while both are for one
// algorithm: give each signer a secret of its own. Signatures that nobody required, or whose algorithm or extensions
// this verifier doesn't know, are no reason to refuse a message (RFC 7515 §5.2), and [Message.Signatures] leaves them
// out; malformed ones are. A second signer who has the message of the first one verifies it, then adds a signature with
// [Signer.Cosign].
//
// # What is refused, and why
//
//   - a signature whose "alg" isn't the one of the key, "none" among them: a key has one algorithm, and a message never
//     chooses (RFC 8725 §3.1)
//   - a message of another "typ": the kinds of messages that one key signs must not pass for each other (RFC 8725
//     §3.11). So each side states Type, or waives it by name
//   - "crit" that isn't protected, is empty, or names what is not there, registered, there twice, or not understood
//     (RFC 7515 §4.1.11)
//   - "b64" that "crit" doesn't name, that signatures disagree on, or that the verifier didn't expect; and with a JWT's
//     type (RFC 7797 §3, §6, §7)
//   - "alg" outside the protected header, unless UnprotectedAlgorithm says otherwise. Of an unprotected header nothing
//     but "kid" is used: whoever relays a message can alter the rest
//   - a header name that is both protected and unprotected, or twice in either, letter case ignored (RFC 7515 §4,
//     §7.2.1)
//   - a message with both "signature" and "signatures" (RFC 7515 §7.2.2), or with a payload where a detached one was
//     given
//   - base64url and JSON that can be read in two ways, as in package jot
//   - a message larger than MaxSize, a header larger than 16 KiB, an object of more than 32 members, more than 16
//     signatures; and one for which 16 keys of a source were tried in vain
//   - a JWT's type among the options, where package jot is meant
//
// Keys that a message brings along, in "jwk", "jku", "x5c" or "x5u", are never looked at (RFC 8725 §3.10).
//
// # Errors
//
// They are those of package jot: errors.Is(err, [jot.ErrInvalidToken]) for every refusal, and [jot.ErrUnavailable] for
// a key source that failed, which says nothing about the message. No error quotes what a message says.
package jws
