package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/spf13/cobra"
)

// keyPlace is where keys come from, and what it holds as far as that's known beforehand.
type keyPlace struct {
	source jot.KeySource
	name   string
	keys   []fileKey
}

// keyPlaces returns the keys that the flags of jot verify name: a place for each --key, which all must have signed, or
// one.
func (f verifyFlags) keyPlaces(cmd *cobra.Command, allowed []string) ([]keyPlace, error) {
	if len(f.keys) == 0 {
		place, err := f.keyPlace(cmd, allowed)
		return []keyPlace{place}, err
	}
	var places []keyPlace
	for _, name := range f.keys {
		place, err := keysOfFile(cmd, name, allowed)
		if err != nil {
			return nil, err
		}
		places = append(places, place)
	}
	return places, nil
}

// keyPlace returns the keys of --issuer, --jwks or JOT_KEY.
func (f verifyFlags) keyPlace(cmd *cobra.Command, allowed []string) (keyPlace, error) {
	switch {
	case f.issuerURL != "":
		address, err := jwks.Discover(cmd.Context(), f.issuerURL, nil)
		if err != nil {
			return keyPlace{}, err
		}
		return remoteKeys(address, allowed)
	case strings.Contains(f.jwks, "://"):
		return remoteKeys(f.jwks, allowed)
	case f.jwks != "":
		file, err := loadKeys(cmd, f.jwks, forSigning, allowed)
		if err != nil {
			return keyPlace{}, err
		}
		if !file.isSet {
			return keyPlace{}, fmt.Errorf("%s is not a JWK Set: for a single key use --key", f.jwks)
		}
		return localKeys(file, allowed)
	}
	return keysOfFile(cmd, "", allowed)
}

func keysOfFile(cmd *cobra.Command, name string, allowed []string) (keyPlace, error) {
	file, err := loadKeys(cmd, name, forSigning, allowed)
	if err != nil {
		return keyPlace{}, err
	}
	return localKeys(file, allowed)
}

// remoteKeys reads a key set over HTTP. Keys that don't name their algorithm get the one that --alg states.
func remoteKeys(address string, allowed []string) (keyPlace, error) {
	var options jwks.Options
	if len(allowed) == 1 && !jot.Algorithm(allowed[0]).Symmetric() {
		options.Algorithm = jot.Algorithm(allowed[0])
	}
	source, err := jwks.NewSource(address, options)
	return keyPlace{source: source, name: address}, err
}

// localKeys makes a key set of a file. Symmetric keys beside public ones are refused: one of them is in the wrong
// place.
func localKeys(file keyFile, allowed []string) (keyPlace, error) {
	var public []*jot.PublicKey
	var secret []*jot.SecretKey
	for _, key := range file.keys {
		if len(allowed) > 0 && !slices.Contains(allowed, key.algorithm()) {
			continue
		}
		if symmetric, ok := key.signing.(*jot.SecretKey); ok {
			secret = append(secret, symmetric)
		} else {
			public = append(public, key.verifying)
		}
	}
	switch {
	case len(public)+len(secret) == 0:
		return keyPlace{}, fmt.Errorf("%w: %s holds %s", errConflict, file.source, describeKeys(file.keys))
	case len(secret) == 0:
		return keyPlace{jot.NewKeySet(public...), file.source, file.keys}, nil
	case len(public) == 0:
		return keyPlace{jot.NewSecretKeySet(secret...), file.source, file.keys}, nil
	}
	return keyPlace{}, errors.New("the key file mixes symmetric and public keys: split it, or choose with --alg")
}
