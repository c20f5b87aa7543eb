package server

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// listed hands out connections that seem to come from addresses.
type listed struct {
	net.Listener
	from []string
}

func (l *listed) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, net.ErrClosed
	}
	here, there := net.Pipe()
	there.Close()
	address := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(l.from[0]))
	l.from = l.from[1:]
	return seeming{here, address}, nil
}

type seeming struct {
	net.Conn
	address net.Addr
}

func (s seeming) RemoteAddr() net.Addr { return s.address }

func acceptAll(l net.Listener) (accepted []net.Conn) {
	for {
		connection, err := l.Accept()
		if err != nil {
			return accepted
		}
		accepted = append(accepted, connection)
	}
}

func TestOneAddressDoesNotTakeAllConnections(t *testing.T) {
	source := &listed{from: []string{
		"192.0.2.1:1", "192.0.2.1:2", "[::ffff:192.0.2.1]:3", "192.0.2.2:1", "10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3",
		"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3%eth0]:1", "[2001:db8:0:1::1]:1",
	}}
	limit := limitAddresses(source, 2, netip.MustParsePrefix("10.0.0.0/8").Contains)
	accepted := acceptAll(limit)
	if len(accepted) != 9 { // all but the third of 192.0.2.1 and the third of 2001:db8::/64
		t.Errorf("%d connections were accepted, want 9", len(accepted))
	}
	for _, connection := range accepted {
		connection.Close()
		connection.Close() // counts once
	}
	if open := limit.(*addressLimit).open; len(open) != 0 {
		t.Errorf("closed connections are counted: %v", open)
	}
}

// borrowed is a listener as the waiting room takes it.
type borrowed struct{ listed }

func (*borrowed) SetDeadline(time.Time) error { return nil }

func TestOneAddressDoesNotFillTheWaitingRoom(t *testing.T) {
	public := &borrowed{listed{from: slices.Repeat([]string{"192.0.2.1:1"}, usualBounds.ofOneAddress+5)}}
	room := newWaitingRoom(Config{Issuer: issuer.Config{URL: "https://auth.example.com"}}, Listeners{Public: public})
	accepted := acceptAll(room.endpoints[0].listener)
	for _, connection := range accepted {
		connection.Close()
	}
	if len(accepted) != usualBounds.ofOneAddress {
		t.Errorf("%d connections of one address, want %d", len(accepted), usualBounds.ofOneAddress)
	}
}
