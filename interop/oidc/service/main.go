// Command service is an API that calls another one: in its own name, and in the name of whoever calls it.
package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/jwks"
)

type service struct {
	stock  string // where the other API is
	config clientcredentials.Config
	own    *http.Client // calls in the service's own name, and gets a new token when one expires
}

func newService(ctx context.Context, issuer, stock, secret string) *service {
	config := clientcredentials.Config{
		ClientID: "client_petstore", ClientSecret: secret, TokenURL: issuer + "/oauth2/token",
		EndpointParams: url.Values{"resource": {"stock"}}, // the audience of the other API
	}
	return &service{stock, config, config.Client(ctx)}
}

// asCaller answers a client that calls in the name of whoever sent the request, by a token for which it trades the
// request's (RFC 8693).
func (s *service) asCaller(r *http.Request) (*http.Client, error) {
	token, err := jothttp.Credential(r, "", 0)
	if err != nil {
		return nil, err
	}
	exchange := s.config
	exchange.EndpointParams = url.Values{
		"grant_type":    {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token": {token}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"audience": {"stock"},
	}
	return exchange.Client(r.Context()), nil
}

func (s *service) handler(verifier *jot.Verifier) http.Handler {
	protect, reader := jothttp.Protect(verifier), jothttp.RequireScope("pets:read")
	mux := http.NewServeMux()
	mux.Handle("GET /pets", protect(reader(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := s.asCaller(r)
		if err != nil {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		s.ask(w, client)
	}))))
	mux.HandleFunc("GET /opening-hours", func(w http.ResponseWriter, _ *http.Request) { s.ask(w, s.own) })
	return mux
}

// ask hands on what the other API answers.
func (s *service) ask(w http.ResponseWriter, client *http.Client) {
	answer, err := client.Get(s.stock)
	if err != nil {
		log.Print(err)
		http.Error(w, "try again", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body) // an error means that the caller is gone
}

func main() {
	const issuer = "https://auth.example.com"
	keys, err := jwks.NewSource(issuer+"/.well-known/jwks.json", jwks.Options{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Issuer: issuer, Audience: "petstore", Type: "at+jwt"})
	if err != nil {
		log.Fatal(err)
	}
	s := newService(context.Background(), issuer, "https://stock.example.com/", os.Getenv("CLIENT_SECRET"))
	log.Fatal(http.ListenAndServe("127.0.0.1:3000", s.handler(verifier)))
}
