// Package backchannel tells clients of logouts (OpenID Connect Back-Channel Logout 1.0): it takes what package issuer
// has to tell, and sends it.
package backchannel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jot-auth/jot/server/internal/loopback"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	slots    = issuer.MaxBusyClients // deliveries at once
	share    = 4                     // of them that one look takes: as many, at most, a client that doesn't answer holds
	patience = 10 * time.Second      // for one, well below the minute for which it's claimed
	interval = 5 * time.Second       // between looks for what others wrote, and for what is to be tried again
	maxReply = 4 << 10               // bytes of an answer that are read, so that its connection can be used again
)

// Issuer is what this package needs of an *issuer.Issuer.
type Issuer interface {
	ClaimDeliveries(ctx context.Context, limit int, busy []string) ([]issuer.Delivery, error)
	Delivered(ctx context.Context, n issuer.Notice) error
	Undelivered(ctx context.Context, n issuer.Notice) (givenUp bool, err error)
	Noticed() <-chan struct{}
}

// Sender sends logout tokens. Close ends it.
type Sender struct {
	issuer Issuer
	client *http.Client
	logger *slog.Logger
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu   sync.Mutex
	busy map[string]int // deliveries under way, by client
	free chan struct{}  // has a value when one has ended since the last look
}

// Start starts the one goroutine that looks for what is to be told, and begins one for each delivery, at most sixteen
// at once. Close ends them.
func Start(ctx context.Context, i Issuer, logger *slog.Logger) *Sender {
	s := &Sender{issuer: i, logger: logger, busy: make(map[string]int), free: make(chan struct{}, 1), client: &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{DialContext: dial, TLSHandshakeTimeout: patience, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a token goes where the operator said
	}}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.ended.Go(func() { s.run(ctx) })
	return s
}

// Close ends the sender and waits for it. What it was about to send is sent after the next start.
func (s *Sender) Close() error {
	s.cancel()
	s.ended.Wait()
	s.client.CloseIdleConnections()
	return nil
}

func (s *Sender) run(ctx context.Context) {
	for ctx.Err() == nil {
		noticed := s.issuer.Noticed() // before the look, so that nothing is missed in between
		if s.begin(ctx) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-noticed:
		case <-s.free:
		case <-time.After(interval):
		}
	}
}

// begin begins to deliver some of what is due, and returns how much that is. A client to which a delivery is under way
// waits for its end, so that one which doesn't answer holds up itself, and nobody else.
func (s *Sender) begin(ctx context.Context) int {
	limit, busy := s.room()
	if limit == 0 {
		return 0
	}
	deliveries, err := s.issuer.ClaimDeliveries(ctx, limit, busy)
	if err != nil && ctx.Err() == nil {
		s.logger.Debug("can't look for logouts to tell of", slog.Any("error", err)) // the database; whoever serves requests says so
	}
	for _, d := range deliveries {
		s.count(d.Notice.ClientID, 1)
		s.ended.Go(func() {
			defer s.count(d.Notice.ClientID, -1)
			s.deliver(ctx, d)
		})
	}
	return len(deliveries)
}

// room is how many deliveries may begin, and the clients to which some are under way.
func (s *Sender) room() (limit int, busy []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit = slots
	for client, deliveries := range s.busy {
		busy = append(busy, client)
		limit -= deliveries
	}
	return min(limit, share), busy
}

// count notes that a delivery to a client begins (1) or has ended (-1).
func (s *Sender) count(client string, change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[client] += change; s.busy[client] == 0 {
		delete(s.busy, client)
	}
	if change > 0 {
		return
	}
	select {
	case s.free <- struct{}{}:
	default:
	}
}

// deliver delivers one, and notes what came of it. Where that can't be noted, the client is told twice, which it has to
// bear.
func (s *Sender) deliver(ctx context.Context, d issuer.Delivery) {
	err := s.post(ctx, d.URI, d.Token)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		err = s.issuer.Delivered(ctx, d.Notice)
	} else {
		s.undelivered(ctx, d, err)
		return
	}
	if err != nil && ctx.Err() == nil {
		s.logger.Warn("a client may be told of a logout twice", slog.String("client", d.Notice.ClientID), slog.Any("error", err))
	}
}

func (s *Sender) undelivered(ctx context.Context, d issuer.Delivery, reason error) {
	givenUp, err := s.issuer.Undelivered(ctx, d.Notice)
	log, text := s.logger.Info, "a client couldn't be told of a logout, and will be again"
	if givenUp {
		log, text = s.logger.Warn, "a client couldn't be told of a logout, and won't be"
	}
	log(text, slog.String("client", d.Notice.ClientID), slog.Int("attempt", d.Notice.Attempts), slog.Any("reason", reason), slog.Any("error", err))
}

// post sends a logout token (§2.5). 200 and 204 are what clients answer that took it.
func (s *Sender) post(ctx context.Context, uri, token string) error {
	body := url.Values{"logout_token": {token}}.Encode()
	request, err := http.NewRequestWithContext(context.WithValue(ctx, loopbackKey{}, namesLoopback(uri)), http.MethodPost, uri, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := s.client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err // without the address, whose query may be private
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.CopyN(io.Discard, response.Body, maxReply)
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the client answered %d", response.StatusCode)
	}
	return nil
}

type loopbackKey struct{}

func namesLoopback(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && loopback.Names(u.Hostname())
}

var errAddress = errors.New("the client's name leads to this machine or to its link, which its address doesn't say")

// dial refuses this machine and its link, where cloud providers keep credentials, to names that lead there: only an
// address that says so is meant so. Private networks are where many clients are.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	here, _ := ctx.Value(loopbackKey{}).(bool)
	dialer := net.Dialer{Timeout: patience, ControlContext: func(_ context.Context, _, found string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(found)
		if err != nil {
			return err
		}
		ip := to.Addr().Unmap()
		if !here && ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
			return errAddress
		}
		return nil
	}}
	return dialer.DialContext(ctx, network, address)
}
