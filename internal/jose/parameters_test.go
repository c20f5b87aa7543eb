package jose

import "testing"

func TestParameters(t *testing.T) {
	for _, test := range []struct {
		name                 string
		registered, reserved bool
	}{
		{"alg", true, true},
		{"x5t#S256", true, true},
		{"p2c", true, true},
		{"b64", false, true}, // an extension that package jws understands (RFC 7797 §3)
		{"ALG", false, true},
		{"B64", false, true},
		{"ppt", false, false},
		{"", false, false},
	} {
		if got := IsRegistered(test.name); got != test.registered {
			t.Errorf("%q is registered: %v", test.name, got)
		}
		if got := IsReserved(test.name); got != test.reserved {
			t.Errorf("%q is reserved: %v", test.name, got)
		}
	}
}
