package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// maxQuery is the size of the longest request of a client, in bytes. Twice as much has to fit into the line of the next
// one.
const maxQuery = 8 << 10

// authorize answers GET /oauth2/authorize.
func (c *Console) authorize(w http.ResponseWriter, r *http.Request) {
	request, err := c.readAuthorization(r)
	if err == nil {
		err = c.proceed(w, r, request, signInOf(r))
	}
	if err != nil {
		c.answerError(w, r, request, err)
	}
}

// readAuthorization reads the parameters of a request. Only when client and redirect URI are good, an error about the
// others is an *issuer.AuthorizationError, which is the client's to know.
func (c *Console) readAuthorization(r *http.Request) (issuer.Authorization, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return issuer.Authorization{}, web.NewProblem(http.StatusBadRequest, "the request is too long")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(query["client_id"]) > 1 || len(query["redirect_uri"]) > 1 {
		return issuer.Authorization{}, web.NewProblem(http.StatusBadRequest, "the query is malformed, or names client_id or redirect_uri twice")
	}
	a := issuer.Authorization{ClientID: query.Get("client_id"), RedirectURI: query.Get("redirect_uri")}
	if _, err := c.issuer.RedirectClient(r.Context(), a.ClientID, a.RedirectURI); err != nil {
		return issuer.Authorization{}, err
	}
	if len(query["state"]) == 1 && web.IsText(query.Get("state")) {
		a.State = query.Get("state") // of an error, too
	}
	if len(query["response_mode"]) == 1 {
		a.ResponseMode = query.Get("response_mode") // likewise
	}
	a.Prompt = strings.Fields(strings.Join(query["prompt"], " ")) // whether anybody is there to see a page
	if _, err := web.ParseQuery(r); err != nil {
		return a, issuer.Refused("invalid_request", "a parameter comes twice, or is not clean UTF-8 text")
	}
	for _, parameter := range []string{"request", "request_uri", "registration"} {
		if query.Get(parameter) != "" {
			return a, issuer.Refused(parameter+"_not_supported", parameter+" is not supported")
		}
	}
	a.ResponseType = query.Get("response_type")
	a.Scope, a.Resource, a.Nonce = web.ParseScope(query.Get("scope")), query.Get("resource"), query.Get("nonce")
	a.Challenge, a.ChallengeMethod = query.Get("code_challenge"), query.Get("code_challenge_method")
	a.MaxAge, a.LoginHint, a.IDTokenHint = query.Get("max_age"), query.Get("login_hint"), query.Get("id_token_hint")
	a.ACRValues = strings.Fields(query.Get("acr_values"))
	a.KeyThumbprint = query.Get("dpop_jkt")
	return a, nil
}

// proceed does what comes next for a request: a page for the person, or the answer for the client.
func (c *Console) proceed(w http.ResponseWriter, r *http.Request, a issuer.Authorization, signIn string) error {
	d, err := c.issuer.Authorize(r.Context(), a, signIn, issuer.Shown{})
	if err != nil {
		return err
	}
	switch d.Step {
	case issuer.StepLogIn:
		return c.wait(w, r, "/login", pending{Request: d.Request})
	case issuer.StepConsent:
		return c.wait(w, r, "/consent", pending{Request: d.Request})
	}
	c.answer(w, r, a, url.Values{"code": {d.Code}})
	return nil
}

// answer sends the browser back to the client, with the issuer's name beside the rest, so that no client takes it for
// another server's (RFC 9207).
func (c *Console) answer(w http.ResponseWriter, r *http.Request, a issuer.Authorization, parameters url.Values) {
	parameters.Set("iss", c.issuer.URL())
	if a.State != "" {
		parameters.Set("state", a.State)
	}
	if a.PostsAnswer() {
		c.writeFormPost(w, r, a, parameters)
		return
	}
	redirect(w, extend(a.RedirectURI, parameters))
}

// extend adds parameters to a URI, which keeps those that it has as they are.
func extend(uri string, parameters url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + parameters.Encode()
}

// answerError tells the client what is its own to know, and the person everything else.
func (c *Console) answerError(w http.ResponseWriter, r *http.Request, a issuer.Authorization, err error) {
	var refused *issuer.AuthorizationError
	if !errors.As(err, &refused) {
		c.fail(w, r, err)
		return
	}
	c.answer(w, r, a, url.Values{"error": {refused.Code}, "error_description": {refused.Description}})
}

// mistakes are what a person is told where no client may be.
var mistakes = []struct {
	err  error
	text string
}{
	{issuer.ErrInvalidClient, "The app that sent you here is unknown."},
	{issuer.ErrRedirectURI, "The app that sent you here asks for the answer at an address that isn’t its own."},
	{issuer.ErrPending, "This page has expired, or belongs to another browser. Go back to the app, and begin again."},
	{issuer.ErrLogoutRequest, "The app that sent you here asks for the logout in a wrong way."},
}

// fail shows the person what went wrong.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	for _, mistake := range mistakes {
		if errors.Is(err, mistake.err) {
			c.pages.refuse(w, r, http.StatusBadRequest, mistake.text)
			return
		}
	}
	p := web.ProblemOf(err)
	web.LogFault(r, p.Status, err)
	seconds, passes := web.Unavailable(err)
	switch {
	case passes:
		retryAfter(w, seconds)
		c.pages.refuse(w, r, http.StatusServiceUnavailable, "The server has too much to do. Try again in a moment.")
	case p.Status >= http.StatusInternalServerError:
		c.pages.refuse(w, r, p.Status, "Something went wrong here. Try again later.")
	default:
		c.pages.refuse(w, r, p.Status, "The app that sent you here made a request that can’t be understood.")
	}
}
