package issuer

import (
	"bytes"
	"testing"
)

// TestAssertionHash: no client can use up the assertions of another whose ID begins as its own does.
func TestAssertionHash(t *testing.T) {
	if bytes.Equal(assertionHash("client_a", "bc"), assertionHash("client_ab", "c")) {
		t.Error("two clients' assertions have one name")
	}
}
