package server

import (
	"net"
	"net/netip"
	"sync"
)

// addressLimit accepts so many connections of one address at once and closes what comes on top, so that one machine
// that holds its connections open doesn't take the room of all others. Networks of IPv6 count as one address: whoever
// has one, has all in it.
type addressLimit struct {
	net.Listener
	most   int
	exempt func(netip.Addr) bool // who speaks for many

	mu   sync.Mutex
	open map[netip.Addr]int
}

const networkBits = 64 // what a provider gives to one customer, at least

func limitAddresses(listener net.Listener, most int, exempt func(netip.Addr) bool) net.Listener {
	return &addressLimit{Listener: listener, most: most, exempt: exempt, open: map[netip.Addr]int{}}
}

func (l *addressLimit) Accept() (net.Conn, error) {
	for {
		connection, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, ok := l.customer(connection)
		if !ok {
			return connection, nil
		}
		if l.enter(from) {
			return &countedConnection{Conn: connection, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		connection.Close() // nothing was promised
	}
}

// customer is whom a connection counts for; false for nobody.
func (l *addressLimit) customer(connection net.Conn) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(connection.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}, false // a socket of this machine
	}
	address := peer.Addr().Unmap().WithZone("")
	if l.exempt(address) {
		return address, false
	}
	if address.Is6() {
		address = netip.PrefixFrom(address, networkBits).Masked().Addr()
	}
	return address, true
}

func (l *addressLimit) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= l.most {
		return false
	}
	l.open[from]++
	return true
}

func (l *addressLimit) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
}

// countedConnection is counted until it's closed.
type countedConnection struct {
	net.Conn
	leave func()
}

func (c *countedConnection) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
