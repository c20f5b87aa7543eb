package openapi

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/jot-auth/jot/interop/running"
)

// client talks to a server through the contract.
type client struct {
	*contract
	running.Server
	adminToken string // of an administrator, for the admin API
}

func start(t *testing.T) *client {
	t.Helper()
	s := running.StartNamed(t) // by address there are no passkeys
	return &client{contract: newContract(t, s.URL), Server: s}
}

// call is a request and what it must be answered with.
type call struct {
	method, path string
	header       map[string]string
	json         any    // the body, or
	form         string // the body
	want         int
}

// do makes a call and returns the body of its answer.
func (c *client) do(a call) []byte {
	c.t.Helper()
	response := c.send(a)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(c.t, err)
	if response.StatusCode != a.want {
		c.t.Fatalf("%s %s: %d, want %d: %s", a.method, a.path, response.StatusCode, a.want, body)
	}
	return body
}

func (c *client) send(a call) *http.Response {
	c.t.Helper()
	media, body := "application/x-www-form-urlencoded", []byte(a.form)
	if a.json != nil {
		var err error
		media = "application/json"
		body, err = json.Marshal(a.json)
		must(c.t, err)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), a.method, c.URL+a.path, bytes.NewReader(body))
	must(c.t, err)
	if len(body) > 0 {
		request.Header.Set("Content-Type", media)
	}
	for name, value := range a.header {
		request.Header.Set(name, value)
	}
	response, err := (&http.Client{Transport: c.contract}).Do(request)
	must(c.t, err)
	return response
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

// tokens are what a login or refresh answers.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Device  string `json:"device_token"`
}

func (c *client) tokens(a call) (t tokens) {
	c.t.Helper()
	must(c.t, json.Unmarshal(c.do(a), &t))
	return t
}
