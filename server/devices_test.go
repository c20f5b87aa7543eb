package server_test

import (
	"net/http"
	"testing"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// TestDevicesOfOneAddress: one address alone doesn't take all the codes with which a public client's devices may wait.
// A client that proves who it is answers for its devices itself.
func TestDevicesOfOneAddress(t *testing.T) {
	secret, hash := issuer.NewClientSecret()
	s := newSiteOver(t, "", func(c *server.Config) {
		c.NoThrottling = false
		c.Issuer.Clients = append(c.Issuer.Clients,
			issuer.Client{ID: "client_tv", Scopes: []string{"pets:read"}, DeviceGrant: true},
			issuer.Client{ID: "client_tvs", Scopes: []string{"pets:read"}, DeviceGrant: true, SecretHash: hash})
	})
	refused := 0
	for range 110 { // 100 are free, and one more each minute
		if status, answer := s.post(t, "/oauth2/device_authorization", "", object{"client_id": "client_tv"}); status == http.StatusTooManyRequests {
			refused++
		} else if status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if refused == 0 {
		t.Error("any number of devices of one address may wait")
	}
	for range 3 {
		if status, answer := s.post(t, "/oauth2/device_authorization", "", object{"client_id": "client_tvs", "client_secret": secret}); status != http.StatusOK {
			t.Errorf("a client that proves who it is: %d %s", status, answer)
		}
	}
	s.signUpAndLogIn(t, "ada") // logins count apart
}
