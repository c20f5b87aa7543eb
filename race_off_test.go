//go:build !race

package jot_test

const raceEnabled = false
