package cli

import (
	"slices"
	"strings"

	"github.com/jot-auth/jot"
)

// algorithms are those that a command line can name, the recommended one first.
var algorithms = []jot.Algorithm{jot.ES256, jot.EdDSA, jot.RS256, jot.HS256}

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
