package main

import (
	"context"
	"fmt"
	"net/url"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// sessionsPerClient is how many sessions each client refreshes in turn, so that they lie in many places of the database.
const sessionsPerClient = 128

// world is a running server, and the clients with what they hold.
type world struct {
	plan   plan
	caller *caller
	people []person    // with passwords, once they have signed up
	own    []*sessions // of each client
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

func newWorld(p plan, server *process, s stock) *world {
	w := &world{plan: p, caller: newCaller(server.base, p.clients+loginClients), revoke: make(chan string, len(s.toRevoke))}
	for client := range p.clients {
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
		own := w.own[client]
		own.turn = (own.turn + 1) % len(own.tokens)
		var answer struct {
			RefreshToken string `json:"refresh_token"`
		}
		err := w.caller.post(ctx, "/v1/refresh", jsonType, `{"refresh_token":"`+own.tokens[own.turn]+`"}`, &answer)
		if err == nil {
			own.tokens[own.turn] = answer.RefreshToken
		}
		return err
	}
}

// revoking ends a session of the stock with each call.
func (w *world) revoking() call {
	return func(ctx context.Context, _ int) error {
		form := url.Values{"token": {<-w.revoke}, "client_id": {client}}
		return w.caller.post(ctx, "/oauth2/revoke", formType, form.Encode(), nil)
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

// loggingIn lets each client be a person of its own, after the first ones.
func (w *world) loggingIn(first int) call {
	return func(ctx context.Context, client int) error {
		who := w.people[first+client]
		return w.caller.post(ctx, "/v1/login", jsonType, who.json(), nil)
	}
}

func (w *world) logIn() call { return w.loggingIn(loginClients) }

// logIns are those beside whom others want to get on.
func (w *world) logIns() *crowd { return &crowd{clients: loginClients, call: w.loggingIn(0)} }
