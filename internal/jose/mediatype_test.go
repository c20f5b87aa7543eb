package jose

import "testing"

func TestSameType(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"JWT", "jwt", true},
		{"application/at+jwt", "AT+JWT", true},
		{"APPLICATION/at+jwt", "at+jwt", true},
		{"", "", true},
		{"", "JWT", false},
		{"at+jwt", "JWT", false},
		{"application/", "", false},
		{"application/a/b", "a/b", false},
		{"text/plain", "plain", false},
		{"\u212aind", "kind", false}, // the Kelvin sign folds to k elsewhere
		{"order@json", "order`json", false},
	} {
		if SameType(c.a, c.b) != c.same || SameType(c.b, c.a) != c.same {
			t.Errorf("%q and %q", c.a, c.b)
		}
	}
}

func TestIsJWT(t *testing.T) {
	for typ, want := range map[string]bool{
		"JWT": true, "jwt": true, "application/jwt": true, "at+jwt": true, "Application/Logout+JWT": true, "+jwt": true,
		"": false, "jws": false, "jwt+json": false, "xjwt": false, "wt": false, "text/jwt": false,
	} {
		if IsJWT(typ) != want {
			t.Errorf("%q", typ)
		}
	}
}

func TestIsMediaType(t *testing.T) {
	for typ, want := range map[string]bool{
		"JWT": true, "application/order+json": true, "!~": true,
		"": false, "a b": false, "a\n": false, "a\x7f": false, "é": false,
	} {
		if IsMediaType(typ) != want {
			t.Errorf("%q", typ)
		}
	}
}
