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

// keySource returns the keys that the flags of jot verify name.
func (f verifyFlags) keySource(cmd *cobra.Command, allowed []jot.Algorithm) (jot.KeySource, error) {
	switch {
	case f.issuerURL != "":
		address, err := jwks.Discover(cmd.Context(), f.issuerURL, nil)
		if err != nil {
			return nil, err
		}
		return remoteKeys(address, allowed)
	case strings.Contains(f.jwks, "://"):
		return remoteKeys(f.jwks, allowed)
	case f.jwks != "":
		file, err := loadKeys(cmd, f.jwks, allowed)
		if err != nil {
			return nil, err
		}
		if !file.isSet {
			return nil, fmt.Errorf("%s is not a JWK Set: for a single key use --key", f.jwks)
		}
		return localKeys(file, allowed)
	}
	file, err := loadKeys(cmd, f.key, allowed)
	if err != nil {
		return nil, err
	}
	return localKeys(file, allowed)
}

// remoteKeys reads a key set over HTTP. Keys that don't name their algorithm get the one that --alg states.
func remoteKeys(address string, allowed []jot.Algorithm) (jot.KeySource, error) {
	var options jwks.Options
	if len(allowed) == 1 && !allowed[0].Symmetric() {
		options.Algorithm = allowed[0]
	}
	return jwks.NewSource(address, options)
}

// localKeys makes a key set of a file. Symmetric keys beside public ones are refused: one of them is in the wrong place.
func localKeys(file keyFile, allowed []jot.Algorithm) (jot.KeySource, error) {
	var public []*jot.PublicKey
	var secret []*jot.SecretKey
	for _, key := range file.keys {
		if len(allowed) > 0 && !slices.Contains(allowed, key.algorithm()) {
			continue
		}
		if symmetric, ok := key.signing.(*jot.SecretKey); ok {
			secret = append(secret, symmetric)
		} else {
			public = append(public, key.public)
		}
	}
	switch {
	case len(public)+len(secret) == 0:
		return nil, errConflict
	case len(secret) == 0:
		return jot.NewKeySet(public...), nil
	case len(public) == 0:
		return jot.NewSecretKeySet(secret...), nil
	}
	return nil, errors.New("the key file mixes symmetric and public keys: split it, or choose with --alg")
}
