// Package vectors holds jot against published test vectors of many projects and RFCs, whatever their source, by one
// rule: the key is parsed (a key that is refused counts as a refusal of the case), the message is verified or decrypted
// with exactly the algorithms that the case names, and of a valid one the content is compared too. A panic, more than
// two seconds or more than 64 MiB fail a case whatever it expects.
//
// Package wycheproof, next door, brings Wycheproof's vectors along, and its tests always run. The tests of this package
// read a collection that isn't part of the repository, from the folder that the environment variable JOT_VECTORS names:
//
//	JOT_VECTORS=/path/to/vectors go test ./interop/vectors
//
// Add -update to write what was found into docs/conformance.md, which the tests hold against every later run.
package vectors
