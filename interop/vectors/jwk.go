package vectors

import (
	"encoding/json"
	"errors"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwe"
	"github.com/jot-auth/jot/strictjson"
)

// JWK judges keys and key sets: one is accepted where it's usable for at least one algorithm that the caller may state.
func JWK(deviations map[string]string) Suite {
	return Suite{"JWK", openJWK, func(*Case) *Text { return nil }, deviations}
}

func openJWK(c *Case) ([]byte, error) {
	if c.Kind == "jwk" {
		return nil, usable([]byte(c.Input))
	}
	if _, err := jot.ParseKeySet([]byte(c.Input), jot.ParseOptions{}); err != nil {
		return nil, err
	}
	var document struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := strictjson.Unmarshal([]byte(c.Input), &document); err != nil {
		return nil, err
	}
	var refusals error
	for _, key := range document.Keys {
		err := usable(key)
		if err == nil {
			return nil, nil
		}
		refusals = errors.Join(refusals, err)
	}
	return nil, refusals // none for the empty set
}

var signatureAlgorithms = []jot.Algorithm{
	jot.HS256, jot.HS384, jot.HS512, jot.RS256, jot.RS384, jot.RS512, jot.PS256, jot.PS384, jot.PS512, jot.ES256, jot.ES384, jot.ES512, jot.EdDSA,
	jot.MLDSA44, jot.MLDSA65, jot.MLDSA87,
}

// usable tries every way to use a key; the error says what is wrong with the one that the key itself names, or with
// all.
func usable(data []byte) error {
	var refusals []error
	for _, alg := range signatureAlgorithms {
		if _, err := parseVerificationKey(data, alg); err != nil {
			refusals = append(refusals, err)
			continue
		}
		return nil
	}
	for _, alg := range keyManagement {
		if _, err := jwe.ParsePublicKey(data, jwe.ParseOptions{Algorithm: alg}); err == nil {
			return nil
		}
		if _, err := parseDecryptionKey(data, alg, jwe.A256GCM); err == nil {
			return nil
		}
	}
	return errors.Join(refusals...)
}
