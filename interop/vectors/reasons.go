package vectors

// Reasons for deviations from Wycheproof's labels, which the collection has too.
const (
	MixedSet = "the key set holds a symmetric and an asymmetric key, which no RFC forbids. Package jot keeps such keys in sets of two types, and a key is only ever used with its " +
		"own algorithm, so nothing can be confused"
	DoubledKeyID = "two keys of the set have one \"kid\". They SHOULD differ (RFC 7517 §4.5), and where they don't, both are tried"
	ROCA         = "the RSA modulus comes from a faulty generator of 2017 (ROCA). It has the right size and form; telling it from others is a test for one vendor's fault, " +
		"which whoever made the key has to do"
	OtherSerialization = "the message is a good one in JSON serialization, which a verifier of compact messages alone would have to refuse. Packages jws and jwe read every " +
		"serialization; a jot.Verifier reads the compact one only (RFC 7519 §1)"
)
