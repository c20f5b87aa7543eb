package binary

import (
	"encoding/json"
	"net/http"
	"testing"
)

// administrator is one of a server, by the name of root.
type administrator struct{ url, issuer string }

// bootstrap makes an administrator as an operator does, at a server that runs at url. args name the issuer and the
// database for jot admin bootstrap.
func bootstrap(t *testing.T, url, issuer string, args ...string) administrator {
	t.Helper()
	out, talk, code := jot(t, append([]string{"admin", "bootstrap", "--json", "--issuer", issuer}, args...)...)
	var invitation struct{ Code string }
	if err := json.Unmarshal([]byte(out), &invitation); code != 0 || err != nil {
		t.Fatalf("jot admin bootstrap: exit code %d, %v: %s", code, err, talk)
	}
	root := map[string]string{"code": invitation.Code, "username": "root", "password": password}
	if status, answer := post(url+"/admin/v1/bootstrap", "", root); status != http.StatusCreated {
		t.Fatalf("bootstrap: %d %v", status, answer)
	}
	return administrator{url, issuer}
}

// logIn returns an access token for the admin API.
func (a administrator) logIn(t *testing.T) string {
	t.Helper()
	status, answer := post(a.url+"/v1/login", "", map[string]string{"username": "root", "password": password, "client_id": "client_jot", "resource": a.issuer + "/admin"})
	if status != http.StatusOK {
		t.Fatalf("the administrator logs in: %d %v", status, answer)
	}
	return text(answer, "access_token")
}
