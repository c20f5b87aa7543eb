package jothttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jot-auth/jot/jothttp"
)

// noted is a body that knows whether it was closed, as a RoundTripper has to.
type noted struct {
	io.Reader
	closed bool
}

func (n *noted) Close() error { n.closed = true; return nil }

// The zero values of what only a constructor makes whole say so, and don't panic.
func TestZeroValues(t *testing.T) {
	var transport jothttp.Transport
	client := &http.Client{Transport: &transport}
	body := &noted{Reader: strings.NewReader("a pet")}
	_, requested := client.Post("https://api.example.com", "text/plain", body)
	_, got := transport.Tokens(t.Context())
	proof, signed := new(jothttp.ProofSigner).Sign(t.Context(), jothttp.ProofTarget{Method: "GET", URL: "https://api.example.com"})
	for name, err := range map[string]error{
		"a request": errors.Unwrap(requested), "tokens": got, "a login": transport.LogIn(t.Context(), jothttp.TokenPair{Access: "a"}), "a proof": signed,
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "jothttp: the zero value of a ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !body.closed || proof != "" || new(jothttp.ProofSigner).Thumbprint() != "" {
		t.Errorf("the body is closed: %v; a proof %q", body.closed, proof)
	}
}
