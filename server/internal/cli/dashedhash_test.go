package cli

import (
	"slices"
	"strings"
	"testing"
)

// TestDashedHashes: a key ID is what it is, and no user has to know which of them look like flags.
func TestDashedHashes(t *testing.T) {
	hash := "-" + strings.Repeat("Ab-_9z", 7)
	for _, test := range []struct{ args, want string }{
		{"admin key revoke HASH", "admin key revoke -- HASH"},
		{"admin key revoke HASH --yes --json", "admin key revoke --yes --json -- HASH"},
		{"admin --issuer http://127.0.0.1:1 key revoke HASH --yes", "admin key revoke --issuer http://127.0.0.1:1 --yes -- HASH"},
		{"admin --issuer=http://127.0.0.1:1 key revoke HASH", "admin key revoke --issuer=http://127.0.0.1:1 -- HASH"},
		{"admin key revoke -- HASH", "admin key revoke -- HASH"},
		{"sign --kid HASH --key - --claim sub=ada", "sign --kid HASH --key - --claim sub=ada --"},
		{"admin key revoke ABC", "admin key revoke ABC"},
		{"admin key revoke HASH0", "admin key revoke HASH0"},
		{"nothing HASH", "-- nothing HASH"},
	} {
		got := separateDashedHashes(newRootCommand(), strings.Fields(strings.ReplaceAll(test.args, "HASH", hash)))
		if want := strings.Fields(strings.ReplaceAll(test.want, "HASH", hash)); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q, want\n%q", test.args, got, want)
		}
	}
}
