package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/jot-auth/jot/interop/programs"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// sessionsPerClient is how many sessions each client refreshes in turn, so that they lie in many places of the
// database.
const sessionsPerClient = 128

// world is a running server, and the clients with what they hold.
type world struct {
	plan   plan
	caller *caller
	secret string      // of the backend
	people []person    // with passwords, once they have signed up
	own    []*sessions // of each client
	bound  []*boundSessions
	signed []*signIns  // of each client
	revoke chan string // refresh tokens of sessions that nobody else uses
}

type person struct{ name, password string }

func (p person) json() string {
	return fmt.Sprintf(`{"username":%q,"password":%q}`, p.name, p.password)
}

// sessions are the refresh tokens of one client.
type sessions struct {
	tokens []string
	turn   int
}

// refresh refreshes the next one.
func (s *sessions) refresh(ask func(token string, answer any) error) error {
	s.turn = (s.turn + 1) % len(s.tokens)
	var answer struct {
		RefreshToken string `json:"refresh_token"`
	}
	err := ask(s.tokens[s.turn], &answer)
	if err == nil {
		s.tokens[s.turn] = answer.RefreshToken
	}
	return err
}

func newWorld(p plan, server *programs.Program, s stock) *world {
	w := &world{plan: p, caller: newCaller(server.Base, p.clients+loginClients), revoke: make(chan string, len(s.toRevoke)), secret: s.secret, bound: s.bound}
	for client := range p.clients {
		w.signed = append(w.signed, &signIns{secrets: s.signIns[client]})
		w.own = append(w.own, &sessions{tokens: s.toRefresh[client*sessionsPerClient : (client+1)*sessionsPerClient]})
	}
	for _, token := range s.toRevoke {
		w.revoke <- token
	}
	return w
}

func read(path string) func(*world) call {
	return func(w *world) call {
		return func(ctx context.Context, _ int) error { return w.caller.get(ctx, path) }
	}
}

// refreshing lets each client refresh its sessions in turn.
func (w *world) refreshing() call {
	return func(ctx context.Context, client int) error {
		return w.own[client].refresh(func(token string, answer any) error {
			return w.caller.post(ctx, "/v1/refresh", jsonType, `{"refresh_token":"`+token+`"}`, answer)
		})
	}
}

// revoking ends a session of the stock with each call.
func (w *world) revoking() call {
	return func(ctx context.Context, _ int) error {
		form := url.Values{"token": {<-w.revoke}, "client_id": {client}}
		return w.caller.post(ctx, "/oauth2/revoke", formType, form.Encode(), nil)
	}
}

// acting gives the backend tokens for itself.
func (w *world) acting() call {
	return func(ctx context.Context, _ int) error {
		_, err := w.backendToken(ctx, audience)
		return err
	}
}

func (w *world) backendToken(ctx context.Context, resource string) (string, error) {
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {backend}, "client_secret": {w.secret}, "resource": {resource}}
	err := w.caller.post(ctx, "/oauth2/token", formType, form.Encode(), &answer)
	return answer.AccessToken, err
}

// issuing lets the backend begin sessions: in turn of subjects that have some already, and no other client has. It gets
// its own token with the first.
func (w *world) issuing() call {
	authenticated := sync.OnceValues(func() (*caller, error) {
		token, err := w.backendToken(context.Background(), issuerURL+"/admin")
		return w.caller.as(token), err
	})
	const subjects = sessionsPerClient / sessionsPerSubject
	turns := make([]int, len(w.own))
	return func(ctx context.Context, n int) error {
		as, err := authenticated()
		if err != nil {
			return err
		}
		turns[n]++
		body := fmt.Sprintf(`{"sub":%q,"client_id":%q,"resource":%q,"amr":["pwd"],"user_agent":%q,"address":%q}`,
			subjectID(toBeRefreshed, n*subjects+turns[n]%subjects), client, audience, userAgent, address)
		return as.post(ctx, "/admin/v1/sessions", jsonType, body, nil)
	}
}

// introspecting lets the backend ask about a token of its own.
func (w *world) introspecting() call {
	own := sync.OnceValues(func() (string, error) { return w.backendToken(context.Background(), audience) })
	return func(ctx context.Context, _ int) error {
		token, err := own()
		if err != nil {
			return err
		}
		var answer struct {
			Active bool `json:"active"`
		}
		form := url.Values{"token": {token}, "client_id": {backend}, "client_secret": {w.secret}}
		err = w.caller.post(ctx, "/oauth2/introspect", formType, form.Encode(), &answer)
		if err == nil && !answer.Active {
			err = errors.New("the token isn't active")
		}
		return err
	}
}

// signUp makes an account for each client that logs in.
func (w *world) signUp(ctx context.Context) error {
	for n := len(w.people); n < w.plan.clients+loginClients; n++ {
		one := person{fmt.Sprintf("person%d", n), fmt.Sprintf("the password of person %d", n)}
		if err := w.caller.post(ctx, "/v1/signup", jsonType, one.json(), nil); err != nil {
			return err
		}
		w.people = append(w.people, one)
	}
	return nil
}

// logInsBeside are turned away where too many wait for the hash of their password, which is what keeps the others
// going.
func (w *world) logInsBeside() call {
	logIn := w.loggingIn(0)
	return func(ctx context.Context, client int) error {
		var refused *statusError
		err := logIn(ctx, client)
		if errors.As(err, &refused) && refused.status == http.StatusServiceUnavailable {
			return nil
		}
		return err
	}
}

// loggingIn lets each client be a person of its own, after the first ones.
func (w *world) loggingIn(first int) call {
	return func(ctx context.Context, client int) error {
		who := w.people[first+client]
		return w.caller.post(ctx, "/v1/login", jsonType, who.json(), nil)
	}
}

func (w *world) logIn() call { return w.loggingIn(loginClients) }

// logIns are those beside whom others want to get on.
func (w *world) logIns() *crowd { return &crowd{clients: loginClients, call: w.logInsBeside()} }
