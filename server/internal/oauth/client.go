package oauth

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/jot-auth/jot/server/issuer"
)

// client is how a request says who makes it: a public client states its ID in the body and proves nothing (RFC 6749
// §3.2.1), a confidential one sends its secret beside it or both in the Authorization header (§2.3.1), or a JWT that it
// signed (RFC 7523 §2.2).
type client struct {
	ID            string `json:"client_id"`
	Secret        string `json:"client_secret"`
	Assertion     string `json:"client_assertion"`
	AssertionType string `json:"client_assertion_type"`
}

func (c *client) fromForm(form url.Values) {
	c.ID, c.Secret = form.Get("client_id"), form.Get("client_secret")
	c.Assertion, c.AssertionType = form.Get("client_assertion"), form.Get("client_assertion_type")
}

const (
	authNone  = "none"
	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"
	authJWT   = "private_key_jwt"

	assertionJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// authMethods are the ways in which a client is authenticated, as the metadata names them.
var authMethods = append([]string{authNone}, provingMethods...)

// provingMethods are those by which a client proves who it is.
var provingMethods = []string{authBasic, authPost, authJWT}

// authenticate settles which client makes a request, or refuses it. Nothing else of the request counts before that, so
// that a wrong client never uses up a token.
func (s *Server) authenticate(r *http.Request, c *client) (issuer.Client, error) {
	proof, err := s.proof(r, c)
	if err != nil {
		return issuer.Client{}, err
	}
	found, err := s.issuer.AuthenticateClient(r.Context(), proof)
	return found, clientError(err, inHeader(r))
}

// inHeader reports whether a client states itself in the Authorization header, and is to be answered so (RFC 6749
// §5.2).
func inHeader(r *http.Request) bool { return len(r.Header.Values("Authorization")) > 0 }

// proof reads how a client proves who it is. Of an assertion, which is good once, nothing is left to prove.
func (s *Server) proof(r *http.Request, c *client) (issuer.ClientProof, error) {
	stated := r.Header.Values("Authorization")
	switch {
	case len(stated) > 1:
		return issuer.ClientProof{}, invalidRequest("two Authorization headers")
	case len(stated) == 1 && c.Secret != "": // RFC 6749 §2.3: one method a request
		return issuer.ClientProof{}, invalidRequest("a client secret in the body beside the Authorization header")
	case c.Assertion != "" || c.AssertionType != "":
		return s.authenticateAssertion(r, c, len(stated) == 1)
	case len(stated) == 1:
		if err := c.fromBasic(stated[0]); err != nil {
			return issuer.ClientProof{}, err
		}
	case c.ID == "":
		return issuer.ClientProof{}, missing("client_id")
	}
	return issuer.ClientProof{ID: c.ID, Secret: c.Secret}, nil
}

// authenticateAssertion settles who makes a request that bears a JWT for it (RFC 7521 §4.2). It's the only proof in it.
func (s *Server) authenticateAssertion(r *http.Request, c *client, header bool) (issuer.ClientProof, error) {
	switch {
	case header || c.Secret != "":
		return issuer.ClientProof{}, invalidRequest("a client assertion beside another proof of who the client is")
	case c.Assertion == "":
		return issuer.ClientProof{}, missing("client_assertion")
	case c.AssertionType == "":
		return issuer.ClientProof{}, missing("client_assertion_type")
	case c.AssertionType != assertionJWT:
		return issuer.ClientProof{}, issuer.ErrInvalidClient
	}
	found, err := s.issuer.AuthenticateAssertion(r.Context(), c.ID, c.Assertion)
	if err != nil {
		return issuer.ClientProof{}, err
	}
	c.ID = found.ID
	return issuer.KnownClient(found), nil
}

// fromBasic reads the Authorization header. A client ID in the body may only repeat that of the header.
func (c *client) fromBasic(header string) error {
	id, secret, ok := parseBasic(header)
	if !ok {
		return badBasic
	}
	if c.ID != "" && c.ID != id {
		return invalidRequest("client_id is another one than that of the Authorization header")
	}
	c.ID, c.Secret = id, secret
	return nil
}

var badBasic = &protocolError{
	code: "invalid_client", description: "Authorization must be Basic, with the form-encoded client_id and client_secret", status: http.StatusUnauthorized,
}

// parseBasic reads ID and secret of the Basic scheme (RFC 7617), both form-encoded before they are joined (RFC 6749
// §2.3.1). There is no empty secret: a client without one is public and has nothing to show.
func parseBasic(header string) (id, secret string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	joined, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return "", "", false
	}
	first, second, found := strings.Cut(string(joined), ":")
	id, idOK := decodeFormValue(first)
	secret, secretOK := decodeFormValue(second)
	return id, secret, found && idOK && secretOK
}

// decodeFormValue decodes a value of application/x-www-form-urlencoded. What a form would never hold undecoded isn't
// taken for itself.
func decodeFormValue(text string) (string, bool) {
	if text == "" || strings.ContainsAny(text, "&=:;# ") {
		return "", false
	}
	value, err := url.QueryUnescape(text)
	return value, err == nil && utf8.ValidString(value) && !strings.ContainsFunc(value, isControl)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
