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

// keySources returns the keys that the flags of jot verify name: a source for each --key, which all must have signed, or one.
func (f verifyFlags) keySources(cmd *cobra.Command, allowed []string) ([]jot.KeySource, error) {
	if len(f.keys) == 0 {
		source, err := f.keySource(cmd, allowed)
		return []jot.KeySource{source}, err
	}
	var sources []jot.KeySource
	for _, name := range f.keys {
		source, err := keysOfFile(cmd, name, allowed)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, nil
}

// keySource returns the keys of --issuer, --jwks or JOT_KEY.
func (f verifyFlags) keySource(cmd *cobra.Command, allowed []string) (jot.KeySource, error) {
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
		file, err := loadKeys(cmd, f.jwks, forSigning, allowed)
		if err != nil {
			return nil, err
		}
		if !file.isSet {
			return nil, fmt.Errorf("%s is not a JWK Set: for a single key use --key", f.jwks)
		}
		return localKeys(file, allowed)
	}
	return keysOfFile(cmd, "", allowed)
}

func keysOfFile(cmd *cobra.Command, name string, allowed []string) (jot.KeySource, error) {
	file, err := loadKeys(cmd, name, forSigning, allowed)
	if err != nil {
		return nil, err
	}
	return localKeys(file, allowed)
}

// remoteKeys reads a key set over HTTP. Keys that don't name their algorithm get the one that --alg states.
func remoteKeys(address string, allowed []string) (jot.KeySource, error) {
	var options jwks.Options
	if len(allowed) == 1 && !jot.Algorithm(allowed[0]).Symmetric() {
		options.Algorithm = jot.Algorithm(allowed[0])
	}
	return jwks.NewSource(address, options)
}

// localKeys makes a key set of a file. Symmetric keys beside public ones are refused: one of them is in the wrong place.
func localKeys(file keyFile, allowed []string) (jot.KeySource, error) {
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
		return nil, errConflict
	case len(secret) == 0:
		return jot.NewKeySet(public...), nil
	case len(public) == 0:
		return jot.NewSecretKeySet(secret...), nil
	}
	return nil, errors.New("the key file mixes symmetric and public keys: split it, or choose with --alg")
}
