package jothttp_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/jot-auth/jot/jothttp"
)

// A client holds the token pair of its login. It renews it by itself, here because the access token has expired.
func ExampleNewTransport() {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"access_token":"new","token_type":"Bearer","expires_in":900,"refresh_token":"jrt_new"}`)
	}))
	defer issuer.Close()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header.Get("Authorization"))
	}))
	defer api.Close()

	transport, err := jothttp.NewTransport(jothttp.TransportOptions{
		TokenURL: issuer.URL + "/oauth2/token",             // https://auth.example.com/oauth2/token
		ClientID: "client_app", Origins: []string{api.URL}, // https://api.example.com
	})
	if err != nil {
		log.Fatal(err)
	}
	answer := `{"access_token":"old","token_type":"Bearer","expires_in":60,"refresh_token":"jrt_old"}` // of POST /v1/login, an hour ago
	pair, err := jothttp.ReadTokenPair(strings.NewReader(answer), time.Now().Add(-time.Hour))
	if err != nil {
		log.Fatal(err)
	}
	if err := transport.LogIn(context.Background(), pair); err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: transport}
	if _, err := client.Get(api.URL); err != nil {
		log.Fatal(err)
	}
	// Output: Bearer new
}
