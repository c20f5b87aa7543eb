package web

import (
	"context"
	"net/http"

	"github.com/jot-auth/jot/server/issuer"
)

// ActorOf returns whoever sent a request, before they have said who they are.
func ActorOf(w http.ResponseWriter, r *http.Request) issuer.Actor {
	return issuer.Actor{Address: ClientAddress(r), UserAgent: r.UserAgent(), RequestID: RequestID(w)}
}

// Acting returns the request's context, in which the issuer's events name where the request came from.
func Acting(w http.ResponseWriter, r *http.Request) context.Context {
	return issuer.WithActor(r.Context(), ActorOf(w, r))
}
