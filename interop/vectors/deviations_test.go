package vectors

const (
	doubledName = "an object with two members of one name is grammatical, and its meaning is not defined (RFC 8259 §4): parsers differ in which one they take, so " +
		"jot refuses it, as RFC 7515 §4 and RFC 7519 §4 allow"
	unprotected = "\"alg\" stands in the unprotected header, and the case doesn't say that this is meant, as the verifier's options have to"
	stated      = "the key doesn't name its algorithm, so the caller of jot states it; without, it's refused too"
	operations  = "\"key_ops\" permits two operations that belong together (RFC 7517 §4.3), one of which is the one that is asked for"
	private     = "it's a private key and read as one, by ParsePrivateKey; ParseKeySet, which is for sets that are published, skips it"
	forContent  = "its one key is for RSA-OAEP, and package jwe reads it; ParseKeySet skips it"
	curve       = "keys on this curve are not offered: the standard library has no implementation"
	noIssuer    = "a verifier can't demand that there is no \"iss\": RFC 7519 §4.1.1 has no such rule, and it costs no security"
)

// The cases that jot decides otherwise than the collection, with the reason. A case that comes out as the collection
// says must not stand here: the tests check both ways.
var (
	signatureDeviations = map[string]string{
		"wycheproof/json_web_key/1": MixedSet, "wycheproof/json_web_key/4": DoubledKeyID, "wycheproof/json_web_key/7": ROCA, "wycheproof/json_web_crypto/46": ROCA,
		"wycheproof/json_web_crypto/17": OtherSerialization, "go-jose/flattened-unprotected-jwk": unprotected,
	}
	encryptionDeviations = map[string]string{
		"wycheproof/json_web_encryption/22": OtherSerialization, "wycheproof/json_web_crypto/66": OtherSerialization,
	}
	keyDeviations = map[string]string{
		"tink-go/without-algorithm": stated, "tink-go/multiple-key-ops": operations, "tink-go/with-private-key": private, "pyjwt/jwk_keyset_only_unknown_alg": forContent,
		"pyjwt/jwk_ec_key_secp256k1": curve, "pyjwt/jwk_ec_pub_secp256k1": curve, "pyjwt/jwk_okp_key_Ed448": curve, "pyjwt/jwk_okp_pub_Ed448": curve,
	}
	claimsDeviations = map[string]string{"tink/iss/unasked": noIssuer}
	textDeviations   = map[string]string{"y_object_duplicated_key": doubledName, "y_object_duplicated_key_and_value": doubledName}
)
