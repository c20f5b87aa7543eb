package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// roomEnd is how long requests that came before the database have for their answers, which are short.
const roomEnd = time.Second

// NewOn is New for whoever listens already. While it waits for the database, /healthz on the public listener and on that for admins says that the process
// lives, and everything else is answered with 503. Then the listeners are as they were, for ServeOn; connections of meanwhile are cut.
func NewOn(ctx context.Context, c Config, l Listeners) (*Server, error) {
	return whenReachable(ctx, c, func() (end func()) { return openWaitingRoom(ctx, c, l) })
}

// waitingRoom answers where a server is to come.
type waitingRoom struct {
	endpoints []*endpoint
	lent      []lendable
	ended     chan error // one of each endpoint
}

// openWaitingRoom answers on the listeners until end is called, which gives them back.
func openWaitingRoom(ctx context.Context, c Config, l Listeners) (end func()) {
	base, err := web.BasePath(c.Issuer.URL)
	if err != nil {
		return func() {} // of a URL that was checked
	}
	room := &waitingRoom{}
	room.lend(c, l.Public, l.TLS, base)
	room.lend(c, l.Admin, nil, "")
	room.ended = make(chan error, len(room.endpoints))
	for _, one := range room.endpoints {
		go func() { room.ended <- one.serve() }() // ends with end
	}
	return func() { room.end(ctx) }
}

// lendable is a listener that can be told to stop waiting for connections without being closed: one of TCP, or of a Unix socket.
type lendable interface {
	net.Listener
	SetDeadline(time.Time) error
}

// loan is a listener whose Close gives it back.
type loan struct{ lendable }

func (l loan) Close() error { return l.SetDeadline(time.Unix(1, 0)) }

func (room *waitingRoom) lend(c Config, listener net.Listener, encryption *tls.Config, base string) {
	lent, ok := listener.(lendable)
	if !ok {
		return // whoever connects waits
	}
	porter := &Server{logger: c.logger(), proxies: c.proxies(), bounds: usualBounds}
	one := porter.publicEndpoint(loan{lent}, waitingHandler(base))
	one.TLSConfig = encryption.Clone()
	one.SetKeepAlivesEnabled(false) // so that the next request of a client reaches the server
	room.endpoints, room.lent = append(room.endpoints, one), append(room.lent, lent)
}

func (room *waitingRoom) end(ctx context.Context) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), roomEnd)
	defer cancel()
	for _, one := range room.endpoints {
		_ = one.shutDown(grace) // whoever was too slow is cut off, and asks again
	}
	for range room.endpoints {
		<-room.ended
	}
	for _, lent := range room.lent {
		_ = lent.SetDeadline(time.Time{}) // it fails for one that was closed meanwhile, of which ServeOn will speak
	}
}

func waitingHandler(base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == base+"/healthz" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			writeStatus(w, "alive")
			return
		}
		web.WriteProblem(w, web.ProblemOf(issuer.ErrUnavailable))
	})
}
