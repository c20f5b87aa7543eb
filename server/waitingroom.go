package server

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	// roomStart is how long a start takes that keeps nobody waiting: connections wait so long for it unanswered.
	roomStart = 300 * time.Millisecond
	// roomEnd is how long requests that came before the server have for their answers, which are short.
	roomEnd = time.Second
)

// NewOn is New for whoever listens already. While it waits for the database, or migrates it, /healthz on the public
// listener and on that for admins says that the process lives, and everything else is answered with 503; the listener
// for plain HTTP answers as it will later, ACME authorities too. Then the listeners are as they were, for ServeOn;
// connections of meanwhile are cut.
func NewOn(ctx context.Context, c Config, l Listeners) (*Server, error) {
	defer receive(ctx, c, l)()
	return whenReachable(ctx, c)
}

// receive opens a waiting room unless end is called soon; end closes it.
func receive(ctx context.Context, c Config, l Listeners) (end func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() { // ends with end
		defer close(ended)
		select {
		case <-time.After(roomStart):
			defer openWaitingRoom(ctx, c, l)()
			<-over
		case <-over:
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// waitingRoom answers where a server is to come.
type waitingRoom struct {
	endpoints []*endpoint
	lent      []lendable
	ended     chan error // one of each endpoint
}

// openWaitingRoom answers on the listeners until end is called, which gives them back.
func openWaitingRoom(ctx context.Context, c Config, l Listeners) (end func()) {
	room := newWaitingRoom(c, l)
	room.ended = make(chan error, len(room.endpoints))
	for _, one := range room.endpoints {
		go func() { room.ended <- one.serve() }() // ends with end
	}
	return func() { room.end(ctx) }
}

func newWaitingRoom(c Config, l Listeners) *waitingRoom {
	room := &waitingRoom{}
	base, err := web.BasePath(c.Issuer.URL)
	if err != nil {
		return room // of a URL that was checked
	}
	porter := &Server{logger: c.logger(), proxies: c.proxies(), bounds: usualBounds}
	if public := room.lend(l.Public, porter.publicEndpoint, waitingHandler(base)); public != nil {
		public.TLSConfig = l.TLS.Clone()
	}
	room.lend(l.Admin, porter.sideEndpoint, waitingHandler(""))
	room.lend(l.Redirect, porter.sideEndpoint, l.redirect(c.Issuer.URL))
	return room
}

// lendable is a listener that can be told to stop waiting for connections without being closed: one of TCP, or of a
// Unix socket.
type lendable interface {
	net.Listener
	SetDeadline(time.Time) error
}

// loan is a listener whose Close gives it back.
type loan struct{ lendable }

func (l loan) Close() error { return l.SetDeadline(time.Unix(1, 0)) }

// lend returns nil where a listener can't be lent, or there is none: whoever connects waits.
func (room *waitingRoom) lend(listener net.Listener, open func(net.Listener, http.Handler) *endpoint, handler http.Handler) *endpoint {
	lent, ok := listener.(lendable)
	if !ok {
		return nil
	}
	one := open(loan{lent}, handler)
	one.SetKeepAlivesEnabled(false) // so that the next request of a client reaches the server
	room.endpoints, room.lent = append(room.endpoints, one), append(room.lent, lent)
	return one
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
