// Package jwe encrypts and decrypts with JSON Web Encryption (RFC 7516): messages for the holder of a key, and tokens
// that only their recipient can read.
//
// Start with a key, an [Encrypter] that holds its public half, and a [Decrypter] that holds the private one:
//
//	key, err := jwe.GenerateKey(jwe.ECDH_ES_A256KW)
//	encrypter, err := jwe.NewEncrypter(jwe.A256GCM, jwe.EncrypterOptions{}, key.Public())
//	raw, err := encrypter.Encrypt(plaintext)
//
//	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{}, key)
//	message, err := decrypter.Decrypt(ctx, []byte(raw))
//	plaintext := message.Plaintext()
//
// # Encrypted is not authenticated
//
// Whoever has a public key can encrypt for its holder, and write into the message whatever they like. A shared key or a
// password says no more about the sender, once it was used beside another recipient: see [Message]. So a Message is not
// a token: nobody vouches for it. A token that is to be confidential is signed first and encrypted then (RFC 7519
// §11.2). [Encrypter.SealToken] does both, and [Decrypter.OpenToken] is the only way back: it decrypts, verifies the
// signed token with a [jot.Verifier], and answers a [*jot.Token].
//
// # The key fixes the algorithm
//
// A key has one algorithm, fixed when it's made, and a message's header never chooses another. The kinds of keys are
// types of their own: [PublicKey] and [PrivateKey] (RSA_OAEP, ECDH_ES), [SecretKey] (A128KW to A256GCMKW, and Dir), and
// [Password] (PBES2), which therefore has to be asked for. A secret of algorithm Dir is for one content encryption too.
// Because nothing depends on them, "alg" and "kid" may stand outside of the protected header, where those of several
// recipients have to be. "enc" must be protected, unless [DecrypterOptions] name a single one; "zip" always, and any
// "crit" is refused (RFC 7516 §4.1.13). Keys that a message brings along ("jwk", "jku", "x5c") are never looked at.
//
// # What is refused, and why
//
// JSON and base64url are read as strictly as in package jot: what two programs could read in two ways is refused. No
// name occurs twice, in whichever parts of the header (RFC 7516 §7.2.1), nor in two letter cases. An IV, a tag and an
// encrypted key have exactly the size that the algorithm gives them, for a truncated tag could be forged; with
// algorithms Dir and ECDH_ES there is no encrypted key. An ephemeral key has to be on its curve and on the recipient's,
// or it would tell something of the private key (RFC 8725 §3.4). RSA1_5 is not offered (RFC 8725 §3.2).
//
// The work that a stranger can cause is bounded. A message has at most 1 MiB unless told otherwise, and 16 recipients,
// and its objects, in JSON serialization, at most 32 members. At most 8 pairs of recipient and key are tried, or 2 with
// RSA keys of more than 4096 bits, and all passwords together cost at most 1,200,000 iterations. So no message of that
// size takes a core for a second, or two where there are passwords. Compressed content is refused unless asked for, and
// inflates to at most 250 KiB.
//
// # Errors
//
// Whatever is wrong with a message, the error is [ErrDecryption], for which errors.Is(err, [jot.ErrInvalidToken])
// holds. It says no more: answers that tell a wrong key from a wrong tag have been used to decrypt other people's
// messages (RFC 7516 §11.4, §11.5). OpenToken has more to say once the message was decrypted: the errors of its
// verifier. Two errors say nothing of the message: [ErrUnavailable], of a key that is held elsewhere
// ([NewRemoteRSAKey], [NewRemoteECDHKey]), and that of a context that ended.
package jwe
