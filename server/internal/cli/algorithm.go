package cli

import (
	"slices"
	"strings"

	"github.com/jot-auth/jot"
)

// algorithms are those that a command line can name, the recommended one first.
var algorithms = []jot.Algorithm{
	jot.ES256, jot.ES384, jot.ES512, jot.EdDSA, jot.Ed25519,
	jot.RS256, jot.RS384, jot.RS512, jot.PS256, jot.PS384, jot.PS512, jot.HS256, jot.HS384, jot.HS512,
}

// parseAlgorithms checks the names of a list; no names mean no constraint.
func parseAlgorithms(names []string) ([]jot.Algorithm, error) {
	var list []jot.Algorithm
	for _, name := range names {
		alg, err := parseAlgorithm(name)
		if err != nil {
			return nil, err
		}
		list = append(list, alg)
	}
	return list, nil
}

func parseAlgorithm(name string) (jot.Algorithm, error) {
	if alg := jot.Algorithm(name); slices.Contains(algorithms, alg) {
		return alg, nil
	}
	return "", usagef("--alg %.20q is not an algorithm of jot: choose among %s", name, joinAlgorithms(algorithms))
}

func joinAlgorithms(list []jot.Algorithm) string {
	names := make([]string, len(list))
	for i, alg := range list {
		names[i] = string(alg)
	}
	return strings.Join(names, ", ")
}
