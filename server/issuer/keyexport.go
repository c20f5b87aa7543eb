package issuer

import (
	"encoding/json"
	"fmt"
)

// OpenKeys returns the private keys that sign access tokens, or did and are still published, as JWKs: for moving them
// elsewhere. Keys whose private half is elsewhere already are left out. The key-encryption keys are those that the
// database was made with.
func OpenKeys(r KeyReader, keyEncryptionKeys ...[]byte) ([]json.RawMessage, error) {
	for _, key := range keyEncryptionKeys {
		if len(key) != keySize {
			return nil, fmt.Errorf("keys: a key-encryption key has %d bytes, want %d", len(key), keySize)
		}
	}
	sealer, err := newSealer(keyEncryptionKeys...)
	if err != nil {
		return nil, err
	}
	all, err := r.Keys()
	if err != nil {
		return nil, err
	}
	opened := []json.RawMessage{}
	for _, k := range all {
		if k.Purpose != PurposeAccess || !k.published() || len(k.Sealed) == 0 {
			continue
		}
		secret, err := sealer.open(k)
		if err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
		opened = append(opened, secret)
	}
	return opened, nil
}
