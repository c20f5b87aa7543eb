package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/jot-auth/jot/jwe"
	"github.com/jot-auth/jot/strictjson"
	"github.com/spf13/cobra"
)

// maxKeysInFile is what the library takes in a JWK Set.
const maxKeysInFile = 128

// keyIDUsage is the help of --kid where a key is used.
const keyIDUsage = "`ID` of the key to take from a JWK Set; a single key that has none gets it"

// errConflict is a key that can't be used with any algorithm of --alg.
var errConflict = errors.New("the key is for another algorithm than --alg allows")

// keyFile is what a JWK, a JWK Set or a PEM file holds.
type keyFile struct {
	source string // its name, "JOT_KEY" or "standard input"
	keys   []fileKey
	isSet  bool
}

// loadKeys reads the keys of a file, of standard input for "-", or of the environment where no file is named. A key
// that doesn't name its algorithm gets those of allowed that it fits.
func loadKeys(cmd *cobra.Command, name string, p purpose, allowed []string) (keyFile, error) {
	data, source, err := readKey(cmd, name)
	if err != nil {
		return keyFile{}, err
	}
	file, err := p.parseFile(cmd, data, allowed)
	if err != nil {
		return keyFile{}, fmt.Errorf("%s: %w", source, err)
	}
	file.source = source
	if source == name && slices.ContainsFunc(file.keys, fileKey.isSecret) {
		warnIfExposed(cmd, name, "a private key")
	}
	return file, nil
}

// readKey returns the bytes, and where they come from: the name itself for a file.
func readKey(cmd *cobra.Command, name string) (data []byte, source string, err error) {
	switch name {
	case "":
		data = []byte(os.Getenv("JOT_KEY"))
		if !looksLikeKey(data) {
			err = errors.New("JOT_KEY holds the key itself, a JWK, a JWK Set or PEM; for a file use --key")
		}
		return data, "JOT_KEY", err
	case "-":
		data, err = readStandardInput(cmd, "a key", maxInput)
		return data, "standard input", err
	}
	data, err = readInput(cmd, name, "a key", maxInput)
	return data, name, err
}

// one returns the one key that is able to, or the one of these that --kid names. The verb says to what; otherwise says
// what to do where none is able to.
func (f keyFile) one(kid string, able func(fileKey) bool, verb, otherwise string) (fileKey, error) {
	var found []fileKey
	for _, key := range f.keys {
		if able(key) && (kid == "" || kid == key.id()) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0 && kid != "":
		return fileKey{}, fmt.Errorf("%s: no key with the ID %q can %s", f.source, kid, verb)
	case len(found) == 0:
		return fileKey{}, fmt.Errorf("%s: %s", f.source, otherwise)
	case len(found) > 1:
		return fileKey{}, usagef("%s: the set holds %d keys that can %s: choose one with --kid", f.source, len(found), verb)
	}
	return found[0], nil
}

// parseFile takes the keys of a set one by one, so that private and symmetric sets work as well. A key of a set
// that can't be used is named and left out.
func (p purpose) parseFile(cmd *cobra.Command, data []byte, allowed []string) (keyFile, error) {
	members, ok := parseSet(data)
	if !ok {
		keys, err := p.parseUnder(data, allowed)
		return keyFile{keys: keys}, err
	}
	if len(members) == 0 || len(members) > maxKeysInFile {
		return keyFile{}, fmt.Errorf("a JWK Set holds 1 to %d keys, not %d", maxKeysInFile, len(members))
	}
	file := keyFile{isSet: true}
	p.keyID = "" // which chooses one of the set
	var failed error
	for i, member := range members {
		keys, err := p.parseUnder(member, allowed)
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
func (p purpose) parseUnder(data []byte, allowed []string) ([]fileKey, error) {
	if err := p.checkLabel(labelOf(data)); err != nil {
		return nil, err
	}
	key, failed := p.parse(data, "", p.keyID)
	if failed == nil {
		return []fileKey{key}, nil
	}
	if keys := p.parseWithEach(data, allowed); len(keys) > 0 {
		return keys, nil
	}
	fitting := p.parseWithEach(data, p.algorithms)
	switch {
	case len(fitting) == 0:
		return nil, p.reason(data, failed)
	case len(allowed) > 0:
		return nil, fmt.Errorf("%w; this is %s: use --alg %s", errConflict, fitting[0].kind(), fitting[0].algorithm())
	case p.unbound:
		return fitting[:1], nil
	case p.beside:
		return nil, usagef("the key doesn't name its algorithm, and --alg is for the one that signs: make it a JWK that does, with 'jot key convert --to jwk --alg %s'", fitting[0].algorithm())
	}
	return nil, usagef("the key doesn't name its algorithm: add --alg %s", fitting[0].algorithm())
}

// checkLabel says so when a key names an algorithm that is not for this purpose, or another ID than it's to get. A key
// "dir" leaves its content encryption open.
func (p purpose) checkLabel(label keyLabel) error {
	switch alg := label.Algorithm; {
	case p.keyID != "" && label.KeyID != "" && label.KeyID != p.keyID:
		return fmt.Errorf("the key has the ID %q, and --kid only gives one to a key that has none", label.KeyID)
	case alg == "", alg == string(jwe.Dir), slices.Contains(p.algorithms, alg):
		return nil
	case slices.Contains(keyAlgorithms, alg):
		return fmt.Errorf("the key is for %s: this takes a key for %s", alg, p.name)
	default:
		return fmt.Errorf("the key is for algorithm %.32q, which jot doesn't offer", alg)
	}
}

func (p purpose) parseWithEach(data []byte, list []string) []fileKey {
	var keys []fileKey
	for _, alg := range list {
		if key, err := p.parse(data, alg, p.keyID); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// reason says why no algorithm fits a key. One that doesn't name its algorithm fails for the lack of it, whatever is
// wrong beside that: what its type is usually for says more.
func (p purpose) reason(data []byte, failed error) error {
	label := labelOf(data)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("holds nothing: a key is a JWK, a JWK Set or PEM")
	case !looksLikeKey(data):
		return errors.New("this is neither a JWK, a JWK Set nor PEM; of a bare secret 'jot key convert --encoding' makes a JWK")
	case label.Algorithm != "" || label.Type == "" && !isPEM(data):
		return failed
	}
	if keys := forEither.parseWithEach(data, keyAlgorithms); len(keys) > 0 {
		return fmt.Errorf("this is %s, which is not for %s", keys[0].kind(), p.name)
	}
	alg := p.algorithms[0]
	for _, usual := range usualAlgorithms[label.Type] {
		if slices.Contains(p.algorithms, usual) {
			alg = usual
			break
		}
	}
	_, failed = p.parse(data, alg, "")
	return failed
}

// usualAlgorithms are those of each type of JWK, to sign and to encrypt.
var usualAlgorithms = map[string][]string{
	"EC": {"ES256", "ECDH-ES"}, "RSA": {"RS256", "RSA-OAEP-256"}, "OKP": {"EdDSA", "ECDH-ES"}, "oct": {"HS256", "A256KW"}, "AKP": {"ML-DSA-44"},
}
