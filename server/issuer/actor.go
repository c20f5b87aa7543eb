package issuer

import "context"

// Actor is whoever asks for a change: what events say about who did it.
type Actor struct {
	Subject   string // sub of the access token that allowed it; of a client that acts for itself, its ID
	ClientID  string // the client that the token was issued to
	Address   string
	UserAgent string
	RequestID string // of the request's line in the log
}

type actorKey struct{}

// WithActor says on whose behalf the issuer is called: the events of that call name the actor. Without one they name
// nobody, which stands for the program itself.
func WithActor(ctx context.Context, a Actor) context.Context {
	a.UserAgent, a.Address = clip(a.UserAgent, maxUserAgent), clip(a.Address, maxAddress)
	return context.WithValue(ctx, actorKey{}, a)
}

// actorOf returns the actor of a context, and whether it has one.
func actorOf(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}
