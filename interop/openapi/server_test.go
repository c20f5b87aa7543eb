package openapi

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	app   = "client_app"
	other = "client_other"
)

// client talks to a server through the contract.
type client struct {
	*contract
	url            string
	server         *server.Server
	feedCredential string
}

// start serves a whole server on loopback.
func start(t *testing.T) *client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	url := "http://" + listener.Addr().String()
	credential := server.NewSecret().Text()
	s, err := server.New(t.Context(), server.Config{
		Issuer: issuer.Config{
			URL:              url,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read", "pets:write"}}},
			Clients:          []issuer.Client{{ID: app, Scopes: []string{"pets:read"}, FirstParty: true}, {ID: other, Scopes: []string{"pets:read"}}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		DataDir: t.TempDir(), OpenSignUp: true, SignUpScope: []string{"pets:read"}, FeedCredentials: []string{credential},
		Logger: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	served := http.Server{Handler: s.Handler()}
	go served.Serve(listener) // ends with Close
	t.Cleanup(func() {
		if err := served.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{newContract(t, url), url, s, credential}
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
	request, err := http.NewRequestWithContext(c.t.Context(), a.method, c.url+a.path, bytes.NewReader(body))
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
}

func (c *client) tokens(a call) (t tokens) {
	c.t.Helper()
	must(c.t, json.Unmarshal(c.do(a), &t))
	return t
}
