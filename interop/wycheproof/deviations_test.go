package wycheproof

import "github.com/jot-auth/jot/interop/vectors"

const (
	otherAlgorithm = "the key's \"alg\" is PS256 and the token's is PS384. A key is for the one algorithm that it names (RFC 7517 §4.4, RFC 8725 §3.1); so say " +
		"cases 331 to 340 of the same file"
	foreignCharacter = "there is a \"?\" within the base64url text, and decoders that skip it see a good signature. No other character is allowed there (RFC 7515 §2 " +
		"and §5.2)"
	lostPadding     = "the case is about padding, but its token has none: it is the good one, whose text cases 372 and 373 alter"
	noSuchAlgorithm = "the key names the algorithm \"ES521\", and there is none; with ES512, which is meant, the collection below has the case, and it's accepted"
)

// signatureDeviations and encryptionDeviations are the cases that jot decides otherwise than Wycheproof, with the
// reason. A case that comes out as Wycheproof says must not stand here: the tests check both ways.
var (
	signatureDeviations = map[string]string{
		"json_web_signature/346": otherAlgorithm, "json_web_signature/350": otherAlgorithm,
		"json_web_signature/347": noSuchAlgorithm, "json_web_signature/351": noSuchAlgorithm,
		"json_web_signature/367": lostPadding, "json_web_signature/370": lostPadding,
		"json_web_signature/372": foreignCharacter, "json_web_signature/373": foreignCharacter,
		"json_web_key/1": vectors.MixedSet, "json_web_crypto/47": vectors.MixedSet,
		"json_web_key/4": vectors.DoubledKeyID,
		"json_web_key/7": vectors.ROCA, "json_web_crypto/46": vectors.ROCA,
		"json_web_crypto/17": vectors.OtherSerialization,
	}
	encryptionDeviations = map[string]string{
		"json_web_crypto/66": vectors.OtherSerialization,
	}
)
