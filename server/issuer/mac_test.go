package issuer_test

import "testing"

// TestMAC: a code is good for its purpose, message, version and issuer, on every server over the database, and for
// nothing else.
func TestMAC(t *testing.T) {
	f := newFixture(t, config())
	version, mac := f.MAC("a", []byte("message"))
	other, err := f.open(f.config)
	f.do(err)
	if !f.CheckMAC("a", []byte("message"), version, mac) || !other.CheckMAC("a", []byte("message"), version, mac) {
		t.Error("a genuine code is refused")
	}
	f.config.URL = "https://other.example.com"
	moved, err := f.open(f.config)
	f.do(err)
	for name, accepted := range map[string]bool{
		"purpose": f.CheckMAC("b", []byte("message"), version, mac),
		"message": f.CheckMAC("a", []byte("messagf"), version, mac),
		"version": f.CheckMAC("a", []byte("message"), version+1, mac),
		"split":   f.CheckMAC("am", []byte("essage"), version, mac),
		"cut":     f.CheckMAC("a", []byte("message"), version, mac[:31]),
		"empty":   f.CheckMAC("a", []byte("message"), version, nil),
		"issuer":  moved.CheckMAC("a", []byte("message"), version, mac),
	} {
		if accepted {
			t.Errorf("accepted with another %s", name)
		}
	}
}
