//go:build go1.27

package jws_test

import "github.com/jot-auth/jot"

func init() { everyAlgorithm = append(everyAlgorithm, jot.MLDSA44, jot.MLDSA65, jot.MLDSA87) }
