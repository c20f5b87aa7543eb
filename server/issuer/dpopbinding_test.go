package issuer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/issuer"
)

// aThumbprint is the base64url of a SHA-256, and so is another.
var aThumbprint, anotherThumbprint = strings.Repeat("A", 43), strings.Repeat("B", 42) + "A"

// TestThumbprintOfNoKey: nothing is bound to what is no thumbprint of a key, on whichever way it comes.
func TestThumbprintOfNoKey(t *testing.T) {
	f := newFixture(t, config())
	for _, thumbprint := range []string{"x", aThumbprint[1:], aThumbprint[1:] + "\n", aThumbprint + "A", aThumbprint + "\n", aThumbprint + "=", strings.Repeat("B", 43), strings.Repeat("é", 43)} {
		_, err1 := f.Issue(t.Context(), issuer.Grant{Subject: "ann", KeyThumbprint: thumbprint})
		_, err2 := f.Refresh(t.Context(), issuer.RefreshRequest{Token: "jrt_x", KeyThumbprint: thumbprint})
		_, err3 := f.IssueToClient(t.Context(), issuer.ClientGrant{KeyThumbprint: thumbprint})
		_, err4 := f.ExchangeToken(t.Context(), issuer.Exchange{KeyThumbprint: thumbprint})
		_, err5 := f.RedeemCode(t.Context(), issuer.CodeGrant{KeyThumbprint: thumbprint})
		_, err6 := f.RedeemDevice(t.Context(), issuer.DeviceGrant{KeyThumbprint: thumbprint})
		for n, err := range []error{err1, err2, err3, err4, err5, err6} {
			var input *issuer.InputError
			if !errors.As(err, &input) || input.Field != "key_thumbprint" {
				t.Errorf("%q, %d: %v", thumbprint, n, err)
			}
		}
	}
}

// TestBoundSessionOfAClientWithASecretSince: a session that is bound to a key stays so, though its client can prove
// itself otherwise by now.
func TestBoundSessionOfAClientWithASecretSince(t *testing.T) {
	f := newFixture(t, config())
	f.createClient("client_app", nil)
	tokens := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_app", KeyThumbprint: aThumbprint})
	_, err := f.ReplaceClientSecret(t.Context(), "client_app")
	f.do(err)
	for _, thumbprint := range []string{"", anotherThumbprint} {
		_, err := f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, ClientID: "client_app", KeyThumbprint: thumbprint})
		if !errors.Is(err, issuer.ErrInvalidGrant) {
			t.Errorf("key %q: error %v, want ErrInvalidGrant", thumbprint, err)
		}
	}
	_, err = f.Refresh(t.Context(), issuer.RefreshRequest{Token: tokens.Refresh, ClientID: "client_app", KeyThumbprint: aThumbprint})
	f.do(err)
}
