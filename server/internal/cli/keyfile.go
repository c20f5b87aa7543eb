package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/strictjson"
	"github.com/spf13/cobra"
)

// maxKeysInFile is what the library takes in a JWK Set.
const maxKeysInFile = 128

// errConflict is a key that can't be used with any algorithm of --alg.
var errConflict = errors.New("the key is for another algorithm than --alg allows")

// fileKey is one key of a key file.
type fileKey struct {
	signing jot.SigningKey // nil for a public key
	public  *jot.PublicKey // nil for a symmetric key
}

// keyFile is what a JWK, a JWK Set or a PEM file holds.
type keyFile struct {
	keys  []fileKey
	isSet bool
}

// loadKeys reads the keys of a file, of standard input for "-", or of the environment where no file is named. A key that
// doesn't name its algorithm gets those of allowed that it fits.
func loadKeys(cmd *cobra.Command, name string, allowed []jot.Algorithm) (keyFile, error) {
	data, source, err := readKey(cmd, name)
	if err != nil {
		return keyFile{}, err
	}
	file, err := parseKeyFile(cmd, data, allowed)
	if err != nil {
		return keyFile{}, fmt.Errorf("%s: %w", source, err)
	}
	signs := func(key fileKey) bool { return key.signing != nil }
	if source == name && slices.ContainsFunc(file.keys, signs) {
		warnIfExposed(cmd, name)
	}
	return file, nil
}

// readKey returns the bytes, and where they come from: the name itself for a file.
func readKey(cmd *cobra.Command, name string) (data []byte, source string, err error) {
	switch name {
	case "":
		return []byte(os.Getenv("JOT_KEY")), "the key in JOT_KEY", nil
	case "-":
		data, err = readStandardInput(cmd, "a key")
		return data, "the key on standard input", err
	}
	data, err = readInput(cmd, name, "a key")
	return data, name, err
}

// parseKeyFile takes the keys of a set one by one, so that private and symmetric sets work as well. A key of a set
// that can't be used is named and left out.
func parseKeyFile(cmd *cobra.Command, data []byte, allowed []jot.Algorithm) (keyFile, error) {
	members, ok := parseSet(data)
	if !ok {
		keys, err := parseUnder(data, allowed)
		return keyFile{keys: keys}, err
	}
	if len(members) == 0 || len(members) > maxKeysInFile {
		return keyFile{}, fmt.Errorf("a JWK Set holds 1 to %d keys, not %d", maxKeysInFile, len(members))
	}
	file := keyFile{isSet: true}
	var failed error
	for i, member := range members {
		keys, err := parseUnder(member, allowed)
		if err != nil {
			err = fmt.Errorf("key %d of the set: %w", i+1, err)
			warn(cmd, "left out %s", message(err))
			if !errors.Is(failed, errConflict) { // which says most about a token
				failed = err
			}
			continue
		}
		file.keys = append(file.keys, keys...)
	}
	if len(file.keys) == 0 {
		return keyFile{}, failed
	}
	return file, nil
}

// parseSet splits a JWK Set (RFC 7517 §5); ok is false for anything else.
func parseSet(data []byte) (keys []json.RawMessage, ok bool) {
	var set struct {
		Keys *[]json.RawMessage `json:"keys"`
	}
	if strictjson.Unmarshal(data, &set) != nil || set.Keys == nil {
		return nil, false
	}
	return *set.Keys, true
}

// parseUnder parses one key. One that doesn't name its algorithm is tried with each that is allowed: whoever runs
// the command decides, never the token.
func parseUnder(data []byte, allowed []jot.Algorithm) ([]fileKey, error) {
	key, failed := parseKey(data, "")
	if failed == nil {
		return []fileKey{key}, nil
	}
	if keys := parseWithEach(data, allowed); len(keys) > 0 {
		return keys, nil
	}
	fitting := parseWithEach(data, algorithms)
	switch {
	case len(fitting) == 0:
		return nil, parseReason(data, failed)
	case len(allowed) > 0:
		return nil, errConflict
	}
	return nil, usagef("the key doesn't name its algorithm: add --alg %s", fitting[0].algorithm())
}

func parseWithEach(data []byte, list []jot.Algorithm) []fileKey {
	var keys []fileKey
	for _, alg := range list {
		if key, err := parseKey(data, alg); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// parseReason says why no algorithm fits a key. A PEM key without an algorithm fails for the lack of it, whatever is wrong
// beside that.
func parseReason(data []byte, failed error) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("holds nothing: a key is a JWK, a JWK Set or PEM")
	case isPEM(data):
		_, failed = parseKey(data, algorithms[0])
	}
	return failed
}

func isPEM(data []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN ")) }

// parseKey parses one key as what it says it is.
func parseKey(data []byte, alg jot.Algorithm) (fileKey, error) {
	options := jot.ParseOptions{Algorithm: alg}
	switch secret, private := keyKind(data); {
	case secret:
		key, err := jot.ParseSecretKey(data, options)
		if err != nil {
			return fileKey{}, err
		}
		return fileKey{signing: key}, nil
	case private:
		key, err := jot.ParsePrivateKey(data, options)
		if err != nil {
			return fileKey{}, err
		}
		return fileKey{signing: key, public: key.Public()}, nil
	}
	key, err := jot.ParsePublicKey(data, options)
	return fileKey{public: key}, err
}

// keyKind tells which parser a key is for; the parser then judges it.
func keyKind(data []byte) (secret, private bool) {
	if isPEM(data) {
		return false, bytes.Contains(data, []byte("PRIVATE KEY-----"))
	}
	var jwk struct {
		Type    string          `json:"kty"`
		Private json.RawMessage `json:"d"`
	}
	if err := strictjson.Unmarshal(data, &jwk); err != nil {
		return false, false
	}
	return jwk.Type == "oct", jwk.Private != nil
}

func (k fileKey) algorithm() jot.Algorithm {
	if k.public != nil {
		return k.public.Algorithm()
	}
	return k.signing.Algorithm()
}

func (k fileKey) id() string {
	if k.public != nil {
		return k.public.KeyID()
	}
	return k.signing.KeyID()
}
